// The faces of somebody: where each is from, and taking some of them away to somebody else.

import { post, remove, segment, within } from "../../js/api.js";
import { confirmed, openDialog } from "../../js/dialog.js";
import { h } from "../../js/dom.js";
import { chip, meters } from "../../js/figures.js";
import { day, moment, number, t } from "../../js/i18n.js";
import { icon } from "../../js/icons.js";
import { nameOf, personHash, personPath, photoName } from "../../js/people.js";
import { selection } from "../../js/selection.js";
import { allowed } from "../../js/session.js";
import { toast } from "../../js/toast.js";
import { chooseOwner } from "./owner.js";

const POOR = 0.5;

/** @param {any} about What person.js shows. */
export function faceGallery(about) {
  const { collection, faces, shelf } = about;
  const list = h("ul.faces");
  const picked = selection({ around: list, actions: () => actionsFor(about, picked) });
  const editable = allowed(["enroll"]);
  list.append(...faces.map((face, i) => {
    const says = t("face.of", { number: i + 1, source: photoName(face.source) });
    return h("li.face",
      h("div.picture-box", shelf.face(collection, pictured(face), says), editable && picked.box(face.id, says)),
      h("div.row.fixed.apart",
        h("span.clip.small", { title: photoName(face.source) }, photoName(face.source) || t("face.no-source")),
        h("button.button.plain.icon.small", { type: "button", onclick: () => tellAbout(about, face), "aria-label": t("face.about", { number: i + 1 }) }, icon("info"))),
      h("div.row.soft.small", day(face.created), typeof face.quality === "number" && qualityChip(face.quality)));
  }));
  return h("div.stack", editable && h("p.soft.small", t("faces.hint")), list, picked.bar);
}

/** Identifier of a face with a picture. */
const pictured = (face) => (face.has_crop ? face.id : null);
const qualityChip = (quality) => chip(t("face.quality", { share: number(100 * quality) }), quality < POOR ? "warn" : "good");

function actionsFor(about, picked) {
  const all = picked.ids().length === about.faces.length;
  return [
    h("button.button.small.primary", { type: "button", onclick: () => moveAway(about, picked.ids()), disabled: all && about.person.name === null }, icon("move"), t("faces.move")),
    h("button.button.small.danger", { type: "button", onclick: () => drop(about, picked.ids()) }, icon("trash"), t("faces.delete")),
  ];
}

/** To somebody known, or to somebody new: then one person becomes two. */
async function moveAway({ collection, person, faces, signal, again }, ids) {
  let owner = null;
  const act = async (to) => {
    const json = { faces: ids, to: to.person?.id ?? to.name };
    const splits = !to.person && ids.length < faces.length;
    owner = await post(splits ? personPath(collection, person.id, "split") : within(collection, "faces/move"), { json, signal });
  };
  if (!await chooseOwner({ collection, except: person.id, n: ids.length, act, signal })) return;
  toast([t("faces.moved", { n: ids.length }), " ", h("a", { href: personHash(collection, owner.id) }, nameOf(owner))]);
  await again();
}

async function drop({ collection, person, signal, again }, ids) {
  const act = async () => {
    for (const id of ids) await remove(within(collection, `faces/${segment(id)}`), { signal });
  };
  const text = t("faces.delete.text", { n: ids.length, name: nameOf(person) });
  if (await confirmed({ title: t("faces.delete.title", { n: ids.length }), text, action: t("faces.delete"), act, signal })) toast(t("faces.deleted", { n: ids.length }));
  await again(); // Even if it failed half-way.
}

function tellAbout({ collection, shelf, signal }, face) {
  // Reached by the keyboard, so that it can be scrolled.
  const body = h("div.stack", { tabindex: "0" },
    h("div.about-face", shelf.face(collection, pictured(face), t("face.picture"))),
    typeof face.quality === "number" && meters([{ name: t("column.quality"), share: face.quality, kind: face.quality < POOR ? "warn" : undefined }]),
    h("dl.pairs", [
      [t("face.source"), photoName(face.source) || t("face.no-source")],
      [t("person.created"), moment(face.created)],
      [t("face.place"), face.box.length > 0 && t("face.box", { width: number(face.box[2] - face.box[0]), height: number(face.box[3] - face.box[1]), x: number(face.box[0]), y: number(face.box[1]) })],
      [t("face.hand"), t(face.by_hand ? "face.hand.yes" : "face.hand.no")],
      [t("face.packs"), face.packs.map((pack) => h("code", pack, " "))],
      [t("person.id"), h("code", face.id)],
      [t("face.digest"), h("code", face.digest)],
    ].map(([name, value]) => h("div", h("dt", name), h("dd", value)))),
    !face.has_crop && h("p.soft.small", t("face.pictureless")));
  openDialog({ title: t("face.provenance"), body, signal });
}
