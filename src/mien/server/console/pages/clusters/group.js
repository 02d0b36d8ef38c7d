// One group: faces that are taken for one person's, those most alike first; and faces that were seen once.

import { h } from "../../js/dom.js";
import { chip } from "../../js/figures.js";
import { number, t } from "../../js/i18n.js";
import { icon } from "../../js/icons.js";
import { photoName } from "../../js/people.js";

const FEW = 12;

/**
 * @param {object} about
 * @param {any} about.group GroupRow of the API.
 * @param {string} about.album
 * @param {import("../../js/pictures.js").Shelf} about.shelf
 * @param {import("../../js/selection.js").Selection} about.faces Of single faces.
 * @param {import("../../js/selection.js").Selection} about.whole Of whole groups.
 * @param {boolean} about.editable
 * @param {Set<string>} about.open Groups of which all faces are shown.
 * @param {() => void} about.rename
 */
export function groupCard({ group, album, shelf, faces, whole, editable, open, rename }) {
  const name = group.name ?? t("person.unnamed");
  const doubtful = group.faces.filter((face) => !face.sure).length;
  const few = group.faces.slice(0, open.has(group.id) ? Infinity : FEW);
  const list = h("ul.faces.dense", few.map((face) => faceOf({ face, album, shelf, faces, editable })));
  const left = group.faces.length - few.length;
  const rest = left > 0 && h("button.button.plain.small", { type: "button", onclick: () => {
    open.add(group.id);
    const more = group.faces.slice(FEW).map((face) => faceOf({ face, album, shelf, faces, editable }));
    list.append(...more);
    rest.remove();
    more[0].querySelector("input")?.focus();
  } }, t("clusters.rest", { n: left }));
  return h("li.card.group",
    h("div.row",
      editable && whole.box(group.id, t("clusters.pick", { name, n: group.faces.length })),
      h(group.name === null ? "h2.unnamed" : "h2", name),
      h("span.soft.small", t("faces.count", { n: group.faces.length })),
      doubtful > 0 && chip(t("clusters.doubtful", { n: doubtful }), "warn"),
      editable && h("button.button.small.push", { type: "button", onclick: rename }, icon("edit"), t(group.name === null ? "clusters.name" : "clusters.rename"))),
    list, rest);
}

/** Groups of a single face: strangers mostly, who need no cards of their own. */
export function seenOnce({ groups, album, shelf, faces, editable, rename }) {
  return h("section.stack.tight",
    h("h2", t("clusters.once", { n: groups.length })),
    h("p.soft.small", t("clusters.once.text")),
    h("ul.faces.dense", groups.map((group) => {
      const made = faceOf({ face: group.faces[0], album, shelf, faces, editable });
      if (editable) made.append(h("button.button.plain.small", { type: "button", onclick: () => rename(group), "aria-label": t("clusters.name.of", { source: photoName(group.faces[0].source) }) }, t("clusters.name")));
      return made;
    })));
}

function faceOf({ face, album, shelf, faces, editable }) {
  const source = photoName(face.source);
  const says = face.sure ? t("clusters.face", { source }) : t("clusters.face.doubtful", { source, distance: number(face.distance, 3) });
  const made = h("li.face", { title: says },
    h("div.picture-box", shelf.face(album, face.face, says), editable && faces.box(face.face, says), face.by_hand && h("span.pin", { title: t("face.hand.yes") }, icon("check"))));
  made.classList.toggle("doubtful", !face.sure);
  return made;
}
