// Missing persons: the cases of a collection; one of them is in missing/case.js.

import { get, within } from "../js/api.js";
import { collectionPage } from "../js/collection-page.js";
import { fill, h } from "../js/dom.js";
import { day, moment, number, t } from "../js/i18n.js";
import { icon } from "../js/icons.js";
import { empty, errorNotice, skeleton } from "../js/notices.js";
import { tagChips } from "../js/people.js";
import { pictureShelf } from "../js/pictures.js";
import { allowed } from "../js/session.js";
import { beginCase } from "./missing/begin.js";
import { caseHash, picturePath } from "./missing/paths.js";
import { nobodyYet } from "./people/nobody.js";

const AT_ONCE = 50;

export async function mount(root, page) {
  if (page.params.length) return (await import("./missing/case.js")).mount(root, page);
  return collectionPage({ root, head: { title: t("missing.title"), lede: t("missing.lede") }, icon: "missing", ...page, show: showCases });
}

async function showCases({ collection, body, actions, signal }) {
  const begin = async () => {
    const made = await beginCase({ collection: collection.name, signal });
    if (made) location.hash = caseHash(collection.name, made);
  };
  const button = () => allowed(["enroll"]) && h("button.button.primary", { type: "button", onclick: begin }, icon("plus"), t("case.new"));
  if (!collection.faces) return fill(body, nobodyYet(collection.name));
  fill(actions, button());
  fill(body, skeleton(4, "4rem"));
  const shelf = pictureShelf(signal);
  const rows = h("tbody");
  const more = h("div");
  let cursor = null;
  await look();

  async function look() {
    try {
      const part = await get(within(collection.name, "cases"), { query: { limit: AT_ONCE, cursor }, signal });
      if (!cursor) fill(body, part.items.length ? [caseTable(rows), more] : empty({ icon: "missing", title: t("case.none"), text: t("case.none.text"), action: button() }));
      cursor = part.next;
      rows.append(...part.items.map((one) => caseRow(one, collection.name, shelf)));
      fill(more, cursor && h("button.button", { type: "button", onclick: look }, t("people.more")));
    } catch (error) {
      if (!signal.aborted) fill(cursor ? more : body, errorNotice(error, { again: look }));
    }
  }
}

function caseTable(rows) {
  const titles = ["case.title", "case.photographs", "case.ran", "case.reviewed", "case.created"];
  return h("div.card.flush", h("div.scroll",
    h("table.table.hovers.folds.people-table", h("thead", h("tr", titles.map((title) => h("th", { scope: "col" }, t(title))))), rows)));
}

function caseRow(one, collection, shelf) {
  return h("tr",
    h("th", { scope: "row" }, h("a.row.fixed", { href: caseHash(collection, one.id) },
      shelf.path(picturePath(collection, one.id, "probe-1.jpg")),
      h("span", one.title || t("case.untitled"), one.tags.length > 0 && h("span.chips", tagChips(one.tags))))),
    h("td", { "data-label": t("case.photographs") }, number(one.probes)),
    h("td", { "data-label": t("case.ran") }, one.ran ? moment(one.ran) : h("span.soft", t("case.never"))),
    h("td", { "data-label": t("case.reviewed") }, number(one.reviewed)),
    h("td.soft", { "data-label": t("case.created") }, day(one.created)));
}
