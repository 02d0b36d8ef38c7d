// People: everybody in a collection, to look through; and one of them, in people/person.js.

import { get, within } from "../js/api.js";
import { collectionPage } from "../js/collection-page.js";
import { fill, h } from "../js/dom.js";
import { choice } from "../js/fields.js";
import { day, number, t } from "../js/i18n.js";
import { icon } from "../js/icons.js";
import { later } from "../js/later.js";
import { empty, errorNotice, skeleton } from "../js/notices.js";
import { consentChip, nameOf, personHash, tagChips } from "../js/people.js";
import { pictureShelf } from "../js/pictures.js";
import { allowed } from "../js/session.js";
import { recall, remember } from "../js/storage.js";
import { tagsField } from "../js/tags.js";
import { aboutCollection } from "./people/collection.js";
import { openEnrol } from "./people/enrol.js";

const AT_ONCE = 36;
const VIEWS = { grid: gridOf, rows: tableOf };
/** @type {("grid" | "rows")[]} */
const VIEW_NAMES = ["grid", "rows"];

export async function mount(root, page) {
  if (page.params.length) return (await import("./people/person.js")).mount(root, page);
  return collectionPage({
    root,
    head: { title: t("people.title"), lede: t("people.lede") },
    icon: "people",
    ...page,
    show: (shown) => showPeople({ ...shown, query: page.query, replace: page.replace }),
  });
}

async function showPeople({ collection, body, actions, signal, again, query, replace }) {
  const shelf = pictureShelf(signal);
  const enrol = () => openEnrol({ collection: collection.name, signal, done: again });
  const enrolButton = () => allowed(["enroll"]) && h("button.button.primary", { type: "button", onclick: enrol }, icon("plus"), t("enrol.button"));
  const wanted = { q: query.get("q") ?? "", tag: (query.get("tags") ?? "").split(",").filter(Boolean) };
  let view = VIEW_NAMES.find((one) => one === recall("people.view")) ?? VIEW_NAMES[0];
  let asked = 0;
  let people = [];
  let cursor = null;

  fill(actions, enrolButton());
  if (!collection.people) return fill(body, nobody(enrolButton), aboutCollection({ collection, signal, again }));

  const tools = toolbar({ wanted, view, look, see });
  const told = h("p.soft.small", { role: "status" });
  const list = h("div");
  const more = h("div.row");
  fill(body, tools.element, h("section.stack", { "aria-label": t("people.title") }, told, list, more), aboutCollection({ collection, signal, again }));
  await look();

  async function look() {
    people = [];
    cursor = null;
    replace({ collection: collection.name, q: wanted.q, tags: wanted.tag.join(",") });
    query.set("q", wanted.q);
    query.set("tags", wanted.tag.join(","));
    fill(list, skeleton(4, "4rem"));
    fill(more);
    await fetchMore();
  }

  async function fetchMore() {
    const mine = (asked += 1);
    try {
      const part = await get(within(collection.name, "people"), { query: { ...wanted, limit: AT_ONCE, cursor }, signal });
      if (mine !== asked) return; // Something else was asked for meanwhile.
      const before = people.length;
      people.push(...part.items);
      cursor = part.next;
      show();
      if (before) /** @type {HTMLElement} */ (list.querySelectorAll("a")[before])?.focus();
    } catch (error) {
      if (!signal.aborted && mine === asked) fill(list, errorNotice(error, { again: look }));
    }
  }

  function show() {
    const filtered = wanted.q || wanted.tag.length;
    tools.offer(new Set(people.flatMap((one) => one.tags)));
    fill(told, filtered ? t(cursor ? "people.found.more" : "people.found", { n: people.length }) : t("people.of", { count: number(people.length), n: collection.people }));
    fill(list, people.length ? VIEWS[view](people, collection.name, shelf) : empty({ icon: "search", title: t("people.none"), text: t("people.none.text"), action: showAll() }));
    fill(more, cursor && h("button.button", { type: "button", onclick: fetchMore }, t("people.more")));
  }

  function showAll() {
    const all = () => {
      replace({ collection: collection.name, q: null, tags: null });
      query.delete("q");
      query.delete("tags");
      again();
    };
    return h("button.button", { type: "button", onclick: all }, t("people.all"));
  }

  function see(now) {
    view = now;
    remember("people.view", now);
    show();
  }
}

/** Whom to show, and how; `wanted` follows what is entered. */
function toolbar({ wanted, view, look, see }) {
  const tags = tagsField({
    label: t("people.tags"), placeholder: t("people.tags"), bare: true, tags: wanted.tag,
    onchange: (now) => {
      wanted.tag = now;
      look();
    },
  });
  const name = h("input.input", {
    type: "search", value: wanted.q, placeholder: t("people.name"), "aria-label": t("people.name"), autocomplete: "off",
    oninput: later(() => {
      wanted.q = name.value.trim();
      look();
    }),
  });
  const views = VIEW_NAMES.map((value) => ({ value, label: icon(value), says: t(`people.view.${value}`) }));
  const element = h("div.toolbar", h("div.searching", icon("search"), name), tags.element, choice({ label: t("people.view"), options: views, value: view, onchange: see }));
  return { element, offer: tags.offer };
}

function nobody(enrolButton) {
  return empty({ icon: "people", title: t("people.empty"), text: t(allowed(["enroll"]) ? "people.empty.text" : "people.empty.others"), action: enrolButton() });
}

function gridOf(people, collection, shelf) {
  return h("ul.people", people.map((person) =>
    h("li", h("a.person-card", { href: personHash(collection, person.id) },
      shelf.person(collection, person.id),
      h("span.who", h("span.name", nameOf(person)), h("span.soft.small", t("faces.count", { n: person.faces }))),
      h("span.chips", consentChip(person.consent_until), tagChips(person.tags))))));
}

function tableOf(people, collection, shelf) {
  const titles = ["person.name", "person.tags", "person.faces", "person.consent", "person.created"];
  const rows = people.map((person) => h("tr",
    h("th", { scope: "row" }, h("a.row.fixed", { href: personHash(collection, person.id) }, shelf.person(collection, person.id), h("span", nameOf(person)))),
    h("td", h("span.chips", tagChips(person.tags))),
    h("td", { "data-label": t("person.faces") }, number(person.faces)),
    h("td", { "data-label": t("person.consent") }, consent(person)),
    h("td.soft", { "data-label": t("person.created") }, day(person.created))));
  return h("div.card.flush", h("div.scroll",
    h("table.table.hovers.folds.people-table",
      h("thead", h("tr", titles.map((title) => h("th", { scope: "col" }, t(title))))),
      h("tbody", rows))));
}

function consent(person) {
  if (!person.consent_until) return h("span.soft", t("consent.unlimited"));
  return consentChip(person.consent_until) || day(person.consent_until);
}
