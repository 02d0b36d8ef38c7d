// Whose faces are from now on: somebody's who is known, or somebody new.

import { filledIn } from "../../js/dialog.js";
import { h } from "../../js/dom.js";
import { choice, field } from "../../js/fields.js";
import { t } from "../../js/i18n.js";
import { personPicker } from "../../js/person-picker.js";

/** @typedef {{person: any | null, name: string | null}} Owner Somebody known; or somebody new, with or without a name. */

/**
 * @param {object} about
 * @param {string} about.collection
 * @param {string} about.except Whose they are now.
 * @param {number} about.n How many faces.
 * @param {(owner: Owner) => Promise<any>} about.act
 * @param {AbortSignal} about.signal
 * @returns {Promise<boolean>} Whether it was done.
 */
export function chooseOwner({ collection, except, n, act, signal }) {
  let way = "known";
  let person = null;
  const name = h("input.input", { maxlength: 200, autocomplete: "off" });
  const ways = {
    known: h("fieldset", personPicker({ collection, except, label: t("owner.who"), signal, chosen: (one) => (person = one) })),
    new: h("fieldset", field({ label: t("person.name"), help: t("owner.name.help"), control: name })),
  };
  const choose = (now) => {
    way = now;
    // What is disabled need not be filled in.
    for (const [value, part] of Object.entries(ways)) part.hidden = part.disabled = value !== now;
  };
  choose(way);
  return filledIn({
    title: t("owner.title", { n }),
    body: [
      h("div.row", choice({ label: t("owner.who"), options: Object.keys(ways).map((value) => ({ value, label: t(`owner.${value}`) })), value: way, onchange: choose })),
      Object.values(ways),
    ],
    action: t("faces.move"),
    act: () => act(way === "known" ? { person, name: null } : { person: null, name: name.value.trim() || null }),
    signal,
  });
}
