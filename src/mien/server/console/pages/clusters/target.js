// Choosing the group that faces belong to.

import { filledIn } from "../../js/dialog.js";
import { fill, h } from "../../js/dom.js";
import { freshId } from "../../js/fields.js";
import { t } from "../../js/i18n.js";

const SHOWN = 3;
const MOST = 40;

/**
 * @param {{groups: any[], album: string, shelf: import("../../js/pictures.js").Shelf, n: number, signal: AbortSignal}} about
 * @returns {Promise<string | null>} Identifier of the group.
 */
export async function chooseGroup({ groups, album, shelf, n, signal }) {
  const name = freshId();
  let chosen = null;
  const list = h("div.options", { role: "radiogroup", "aria-label": t("clusters.which") });
  const find = h("input.input", { type: "search", placeholder: t("person.find"), "aria-label": t("person.find"), autocomplete: "off", oninput: show });
  const option = (group) => h("label.option",
    h("input", { type: "radio", name, value: group.id, required: true, checked: group.id === chosen, onchange: () => (chosen = group.id) }),
    h("span.row.fixed", group.faces.slice(0, SHOWN).map((face) => shelf.face(album, face.face))),
    h("span.grow", h("span.clip.strong", group.name ?? t("person.unnamed")), h("span.soft.small", t("faces.count", { n: group.faces.length }))));
  const sorted = [...groups].sort((a, b) => Number(b.name !== null) - Number(a.name !== null));
  show();

  function show() {
    const sought = find.value.trim().toLowerCase();
    const found = sorted.filter((group) => (group.name ?? "").toLowerCase().includes(sought)).slice(0, MOST);
    if (!found.some((group) => group.id === chosen)) chosen = null;
    fill(list, found.length ? found.map(option) : h("p.soft.small", t("person.nobody")));
  }

  const done = await filledIn({ title: t("clusters.move.title", { n }), body: [find, list], action: t("faces.move"), act: async () => {}, signal });
  return done ? chosen : null;
}
