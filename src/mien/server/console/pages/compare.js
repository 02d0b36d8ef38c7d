// Compare: do two photographs show the same person?

import { form, post } from "../js/api.js";
import { fill, h } from "../js/dom.js";
import { choice } from "../js/fields.js";
import { t } from "../js/i18n.js";
import { errorNotice, skeleton } from "../js/notices.js";
import { photoSlot } from "../js/photo-slot.js";
import { pageHead } from "../js/router.js";
import { verdict } from "../js/verdict.js";

export function mount(root, { signal }) {
  let face = "only";
  let asked = 0;
  const result = h("section", { "aria-live": "polite", "aria-label": t("compare.result") });
  const slots = ["a", "b"].map((name) => photoSlot({
    title: t(`compare.${name}`),
    hint: t("compare.hint"),
    mark: t(`compare.${name}.face`),
    changed: compare,
    pastes: () => name === "b" || !slots[0].photo,
    signal,
  }));
  const which = h("div");
  showWhich();
  root.append(
    pageHead({ title: t("compare.title"), lede: t("compare.lede"), actions: [which] }),
    h("div.pair", slots.map((slot) => slot.element)),
    result);

  function showWhich() {
    const options = ["only", "largest"].map((value) => ({ value, label: t(`compare.face.${value}`) }));
    fill(which, choice({ label: t("compare.face"), options, value: face, onchange: choose }));
  }

  function choose(value) {
    face = value;
    compare();
  }

  async function compare() {
    const mine = (asked += 1);
    const [a, b] = slots.map((slot) => slot.photo);
    slots.forEach((slot) => slot.show(null));
    fill(result);
    if (!a || !b) return;
    fill(result, h("div.card", skeleton(4)));
    try {
      const found = await post("verify", { form: form({ photo_a: a.file, photo_b: b.file, face }), signal });
      if (mine !== asked) return; // Another photograph was put in meanwhile.
      slots[0].show(found.face_a);
      slots[1].show(found.face_b);
      fill(result, verdict(found, { same: t("compare.same"), other: t("compare.different") }));
    } catch (error) {
      if (signal.aborted || mine !== asked) return;
      fill(result, errorNotice(error, { again: compare, actions: error.code === "many_faces" ? [largest()] : [] }));
    }
  }

  function largest() {
    const take = () => {
      face = "largest";
      showWhich();
      compare();
    };
    return h("button.button.small.primary", { type: "button", onclick: take }, t("compare.largest"));
  }
}
