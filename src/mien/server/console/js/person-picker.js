// Choosing somebody who is known: type a part of the name, choose among those who are found.

import { get, within } from "./api.js";
import { fill, h } from "./dom.js";
import { freshId } from "./fields.js";
import { t } from "./i18n.js";
import { errorNotice } from "./notices.js";
import { nameOf } from "./people.js";
import { pictureShelf } from "./pictures.js";
import { later } from "./later.js";

const SHOWN = 5;

/**
 * @param {object} about
 * @param {string} about.collection
 * @param {string} [about.except] Identifier of whom not to offer.
 * @param {any} about.label
 * @param {(person: any) => void} about.chosen PersonRow of the API; null when who was chosen is no longer offered.
 * @param {AbortSignal} about.signal
 * @returns {HTMLElement}
 */
export function personPicker({ collection, except, label, chosen, signal }) {
  const shelf = pictureShelf(signal);
  const group = freshId();
  let asked = 0;
  let present = null;
  const list = h("div.options", { role: "radiogroup", "aria-label": label });
  const told = h("p.quiet-reader", { role: "status" });
  const input = h("input.input", { id: `${group}-name`, type: "search", autocomplete: "off", placeholder: t("person.find"), oninput: later(look) });
  look();

  async function look() {
    const mine = (asked += 1);
    try {
      const found = await get(within(collection, "people"), { query: { q: input.value.trim(), limit: SHOWN + 1 }, signal });
      if (mine !== asked) return;
      const people = found.items.filter((one) => one.id !== except).slice(0, SHOWN);
      if (present && !people.some((one) => one.id === present.id)) choose(null);
      fill(list, people.length ? people.map(option) : h("p.soft.small", t("person.nobody")));
      fill(told, t("people.found", { n: people.length }));
    } catch (error) {
      if (!signal.aborted && mine === asked) fill(list, errorNotice(error, { again: look }));
    }
  }

  function choose(person) {
    present = person;
    chosen(person);
  }

  function option(person) {
    return h("label.option",
      h("input", { type: "radio", name: group, value: person.id, required: true, checked: person.id === present?.id, onchange: () => choose(person) }),
      shelf.person(collection, person.id),
      h("span.grow", h("span.clip.strong", nameOf(person)), h("span.soft.small", t("faces.count", { n: person.faces }))));
  }

  return h("div.stack.tight", h("div.field", h("label", { for: input.id }, label), input), list, told);
}
