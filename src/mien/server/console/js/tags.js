// Words to filter by: each entered by Enter or a comma, taken back by its button or by Backspace.

import { fill, h } from "./dom.js";
import { freshId } from "./fields.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";

/**
 * @param {object} about
 * @param {any} about.label
 * @param {any} [about.help]
 * @param {any} [about.placeholder]
 * @param {string[]} [about.tags] At the beginning.
 * @param {Iterable<string>} [about.known] Offered while typing.
 * @param {boolean} [about.bare] Without a visible label.
 * @param {(tags: string[]) => void} [about.onchange]
 * @returns {{element: HTMLElement, tags: () => string[], offer: (known: Iterable<string>) => void}}
 */
export function tagsField({ label, help, placeholder, tags = [], known = [], bare = false, onchange = () => {} }) {
  let present = [...tags];
  const id = freshId();
  const chips = h("span.chips");
  const offered = h("datalist", { id: `${id}-known` });
  const input = h("input", {
    id, list: offered.id, placeholder, autocomplete: "off", maxlength: 100, "aria-label": bare ? label : null, "aria-describedby": help ? `${id}-help` : null,
    onkeydown: press, onblur: take, oninput: (event) => !event.isComposing && /[,，]/.test(input.value) && take(),
  });
  const box = h("div.input.tags", { onclick: () => input.focus() }, chips, input, offered);
  const element = h("div.field", !bare && h("label", { for: id }, label), box, help && h("p.help", { id: `${id}-help` }, help));
  show();
  offer(known);

  function show() {
    fill(chips, present.map((tag) => h("span.chip.accent", tag,
      h("button", { type: "button", "aria-label": t("tags.remove", { tag }), onclick: () => change(present.filter((one) => one !== tag)) }, icon("close")))));
  }

  function change(next) {
    present = next;
    show();
    input.focus();
    onchange([...present]);
  }

  function take() {
    const added = input.value.split(/[,，]/).map((one) => one.trim()).filter((one) => one && !present.includes(one));
    input.value = "";
    if (!added.length) return;
    const focused = document.activeElement === input;
    present = [...present, ...new Set(added)];
    show();
    if (focused) input.focus();
    onchange([...present]);
  }

  function press(event) {
    if (event.isComposing) return; // Enter chooses a Chinese word first.
    if (event.key === "Backspace" && !input.value && present.length) change(present.slice(0, -1));
    if (event.key !== "Enter" || !input.value) return;
    event.preventDefault();
    take();
  }

  function offer(words) {
    fill(offered, [...words].filter((word) => !present.includes(word)).map((word) => h("option", { value: word })));
  }
  return { element, tags: () => (take(), [...present]), offer };
}
