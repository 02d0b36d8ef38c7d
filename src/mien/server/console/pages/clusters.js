// Clusters: photographs that nobody labelled, their faces grouped into people, for somebody to review and name.

import { get, post, segment, within } from "../js/api.js";
import { collectionPage } from "../js/collection-page.js";
import { fill, h } from "../js/dom.js";
import { choice } from "../js/fields.js";
import { number, t } from "../js/i18n.js";
import { icon } from "../js/icons.js";
import { empty, errorNotice, skeleton } from "../js/notices.js";
import { pictureShelf } from "../js/pictures.js";
import { selection } from "../js/selection.js";
import { allowed } from "../js/session.js";
import { toast } from "../js/toast.js";
import { addPhotographs } from "./clusters/add.js";
import { groupCard, seenOnce } from "./clusters/group.js";
import { nameGroup } from "./clusters/naming.js";
import { chooseGroup } from "./clusters/target.js";

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
  const add = h("div");
  const bar = h("div.toolbar");
  const said = h("div.said");
  const list = h("div.stack.loose");
  /** @type {Set<string>} */
  const open = new Set(); // Groups of which all faces are shown.
  let groups = [];
  let more = false;
  let wanted = AT_ONCE;
  let filter = "all";
  const faces = selection({ around: list, says: (n) => t("clusters.faces", { n }), actions: () => [
    h("button.button.small.primary", { type: "button", onclick: () => moveTo() }, icon("move"), t("clusters.move")),
    h("button.button.small", { type: "button", onclick: () => move(null) }, icon("plus"), t("clusters.new")),
  ] });
  const whole = selection({ around: list, kind: "tick", says: (n) => t("clusters.groups", { n }), actions: () => [
    whole.ids().length > 1 && h("button.button.small.primary", { type: "button", onclick: merge }, icon("merge"), t("clusters.merge")),
  ] });

  fill(body, editable && add, bar, said, list, h("div.bars", whole.bar, faces.bar));
  fill(list, skeleton(4, "6rem"));
  await look();

  /** Groups that were shown are shown again, with what has changed. */
  async function look() {
    const found = [];
    let cursor = null;
    try {
      do {
        const part = await get(within(album, "clusters"), { query: { limit: Math.min(wanted - found.length, MOST), cursor }, signal });
        found.push(...part.items);
        cursor = part.next;
      } while (cursor && found.length < wanted);
    } catch (error) {
      if (!signal.aborted) fill(list, errorNotice(error, { again: look }));
      return;
    }
    groups = found;
    more = Boolean(cursor);
    show();
  }

  function show() {
    faces.clear();
    whole.clear();
    if (!add.firstChild || add.dataset.slim !== String(groups.length > 0)) showAdd();
    showBar();
    const shown = groups.filter(FILTERS[filter]);
    const several = shown.filter((group) => group.faces.length > 1 || group.name !== null);
    const once = shown.filter((group) => group.faces.length === 1 && group.name === null);
    fill(list,
      !groups.length && empty({ icon: "clusters", title: t("clusters.empty"), text: t(editable ? "clusters.empty.text" : "clusters.empty.others") }),
      groups.length > 0 && !shown.length && empty({ icon: "check", title: t("clusters.none") }),
      several.length > 0 && h("ul.stack", several.map((group) => groupCard({ group, album, shelf, faces, whole, editable, open, rename: () => rename(group) }))),
      once.length > 0 && seenOnce({ groups: once, album, shelf, faces, editable, rename }),
      more && h("div", h("button.button", { type: "button", onclick: showMore }, t("people.more"))));
  }

  function showAdd() {
    const slim = groups.length > 0;
    add.dataset.slim = String(slim);
    fill(add, addPhotographs({ album, slim, enrolled: groups.length > 0 && groups.every(FILTERS.named), signal, done: look }));
  }

  function showBar() {
    const count = groups.reduce((sum, group) => sum + group.faces.length, 0);
    const options = Object.keys(FILTERS).map((value) => ({ value, label: t(`clusters.filter.${value}`) }));
    fill(bar, groups.length > 0 && [
      choice({ label: t("clusters.filter"), options, value: filter, onchange: sift }),
      h("p.soft.small", { role: "status" }, t(more ? "clusters.count.more" : "clusters.count", { n: groups.length, faces: number(count) })),
    ]);
  }

  function sift(now) {
    filter = now;
    show();
    /** @type {HTMLElement} */ (bar.querySelector("input:checked")).focus();
  }

  function showMore() {
    wanted += AT_ONCE;
    return look();
  }

  /** Do something, say what came of it, and show what there is now. */
  async function doing(act, says) {
    fill(said);
    try {
      const done = await act();
      toast(says(done));
      await look();
    } catch (error) {
      if (!signal.aborted) fill(said, errorNotice(error));
    }
  }

  const move = (to) => {
    const ids = faces.ids();
    return doing(() => post(within(album, "clusters/move"), { json: { faces: ids, to }, signal }), () => t("clusters.moved", { n: ids.length }));
  };

  async function moveTo() {
    const to = await chooseGroup({ groups, album, shelf, n: faces.ids().length, signal });
    if (to) await move(to);
  }

  function merge() {
    const chosen = whole.ids();
    // Who has a name keeps it; of several, the largest group.
    const into = groups.find((group) => group.name !== null && chosen.includes(group.id)) ?? groups.find((group) => chosen.includes(group.id));
    const others = chosen.filter((id) => id !== into.id);
    return doing(() => post(within(album, `clusters/${segment(into.id)}/merge`), { json: { others }, signal }), () => t("clusters.merged", { n: chosen.length }));
  }

  async function rename(group) {
    if (await nameGroup({ group, album, shelf, signal })) await look();
  }
}
