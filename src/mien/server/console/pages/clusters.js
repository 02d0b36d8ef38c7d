// Clusters: photographs that nobody labelled, their faces grouped into people, for somebody to review and name.

import { get, within } from "../js/api.js";
import { collectionPage } from "../js/collection-page.js";
import { fill, h } from "../js/dom.js";
import { choice } from "../js/fields.js";
import { number, t } from "../js/i18n.js";
import { icon } from "../js/icons.js";
import { empty, errorNotice, skeleton } from "../js/notices.js";
import { pictureShelf } from "../js/pictures.js";
import { selection } from "../js/selection.js";
import { allowed } from "../js/session.js";
import { addPhotographs } from "./clusters/add.js";
import { decisions } from "./clusters/deciding.js";
import { groupCard, seenOnce } from "./clusters/group.js";

const AT_ONCE = 60;
const MOST = 1000;

/** Which groups are shown. @type {Record<string, (group: any) => boolean>} */
const FILTERS = {
  all: () => true,
  check: (group) => group.faces.some((face) => !face.sure),
  unnamed: (group) => group.name === null,
  named: (group) => group.name !== null,
};

export function mount(root, page) {
  return collectionPage({ root, head: { title: t("clusters.title"), lede: t("clusters.lede") }, icon: "clusters", ...page, show: showAlbum });
}

async function showAlbum({ collection: { name: album }, body, signal }) {
  const shelf = pictureShelf(signal);
  const editable = allowed(["enroll"]);
  const bar = h("div.toolbar");
  const said = h("div.said");
  const list = h("div.stack.loose");
  /** @type {Set<string>} */
  const open = new Set(); // Groups of which all faces are shown.
  let groups = [];
  let more = false;
  let wanted = AT_ONCE;
  let filter = "all";
  const decide = decisions({ album, groups: () => groups, list, said, look, shelf, signal });
  const faces = selection({ around: list, says: (n) => t("clusters.faces", { n }), actions: () => [
    h("button.button.small.primary", { type: "button", onclick: () => decide.moveTo(faces.ids()) }, icon("move"), t("clusters.move")),
    h("button.button.small", { type: "button", onclick: () => decide.move(faces.ids(), null) }, icon("plus"), t("clusters.new")),
  ] });
  const whole = selection({ around: list, kind: "tick", says: (n) => t("clusters.groups", { n }), actions: () => [
    whole.ids().length > 1 && h("button.button.small.primary", { type: "button", onclick: () => decide.merge(whole.ids()) }, icon("merge"), t("clusters.merge")),
  ] });
  const add = addPhotographs({ album, groups: () => groups, signal, done: look });
  fill(body, editable && add.element, bar, said, list, h("div.bars", whole.bar, faces.bar));
  fill(list, skeleton(4, "6rem"));
  await look();

  /** Groups that were shown are shown again, with what has changed. */
  async function look() {
    try {
      ({ groups, more } = await largestGroups(album, wanted, signal));
      faces.clear();
      whole.clear();
      add.show();
      show();
    } catch (error) {
      if (!signal.aborted) fill(list, errorNotice(error, { again: look }));
    }
  }

  function show() {
    const shown = groups.filter(FILTERS[filter]);
    const several = shown.filter((group) => group.faces.length > 1 || group.name !== null);
    const once = shown.filter((group) => group.faces.length === 1 && group.name === null);
    fill(bar, groups.length > 0 && sieve({ groups, more, filter, sift }));
    fill(list,
      !groups.length && !editable && empty({ icon: "clusters", title: t("clusters.empty"), text: t("clusters.empty.others") }),
      groups.length > 0 && !shown.length && empty({ icon: "check", title: t("clusters.none") }),
      several.length > 0 && h("ul.stack", several.map((group) => groupCard({ group, album, shelf, faces, whole, editable, open, rename: () => decide.rename(group) }))),
      once.length > 0 && seenOnce({ groups: once, album, shelf, faces, editable, rename: decide.rename }),
      more && h("div", h("button.button", { type: "button", onclick: showMore }, t("people.more"))));
  }

  function sift(now) {
    filter = now;
    faces.clear();
    whole.clear();
    show();
    /** @type {HTMLElement} */ (bar.querySelector("input:checked")).focus();
  }

  function showMore() {
    wanted += AT_ONCE;
    return look();
  }
}

/** The groups with most faces, and whether there are more. */
async function largestGroups(album, wanted, signal) {
  const groups = [];
  let cursor = null;
  do {
    const part = await get(within(album, "clusters"), { query: { limit: Math.min(wanted - groups.length, MOST), cursor }, signal });
    groups.push(...part.items);
    cursor = part.next;
  } while (cursor && groups.length < wanted);
  return { groups, more: Boolean(cursor) };
}

/** Which groups are shown, and how many there are. */
function sieve({ groups, more, filter, sift }) {
  const faces = groups.reduce((sum, group) => sum + group.faces.length, 0);
  const options = Object.keys(FILTERS).map((value) => ({ value, label: t(`clusters.filter.${value}`) }));
  return [
    choice({ label: t("clusters.filter"), options, value: filter, onchange: sift }),
    h("p.soft.small", { role: "status" }, t(more ? "clusters.count.more" : "clusters.count", { n: groups.length, faces: number(faces) })),
  ];
}
