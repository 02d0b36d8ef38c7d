// The API, from the document that the server gives out: what can be asked, with what, and what comes back.

import { fill, h } from "../dom.js";
import { announce, t, tOr } from "../i18n.js";
import { icon } from "../icons.js";
import { later } from "../later.js";
import { errorNotice, skeleton } from "../notices.js";
import { languageButton, themeChoice } from "../preferences.js";
import { introduction } from "./introduction.js";
import { operationCard } from "./operation.js";
import { schemaCard } from "./schema.js";

/** @typedef {{id: string, method: string, path: string, told: any}} Operation */

const METHODS = ["get", "post", "put", "patch", "delete"];

async function start() {
  const main = h("main.outlet", { id: "page", tabindex: "-1" }, h("div.page", skeleton(8)));
  const side = h("div");
  fill(document.body,
    h("a.skip", { href: "#page", onclick: (event) => (event.preventDefault(), main.focus()) }, t("frame.skip")),
    h("aside.side", brand(), side, h("div.side-foot", h("div.row.apart.fixed", themeChoice(), languageButton()))),
    h("header.top", brand(), languageButton()), main);
  try {
    const answer = await fetch("/openapi.json", { credentials: "omit" });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    show(await answer.json(), main, side);
  } catch (error) {
    fill(main, h("div.page", errorNotice(error, { again: start })));
  }
}

function brand() {
  return h("a.brand", { href: "/" }, icon("mark"), h("span", "Mien ", h("small", "API")));
}

function show(document_, main, side) {
  const groups = byTag(document_);
  const schemas = Object.entries(document_.components.schemas).sort(([a], [b]) => a.localeCompare(b));
  const none = h("p.soft", { hidden: true, role: "status" }, t("docs.none"));
  const sections = groups.map(([tag, operations]) => h("section.stack.tight", { id: `tag-${slug(tag)}` },
    h("h2", tagName(tag)), operations.map((one) => operationCard(one, document_))));
  const shapes = h("section.stack.tight", { id: "schemas" }, h("h2", t("docs.schemas")), h("p.soft", t("docs.schemas.text")), schemas.map(([name, schema]) => schemaCard(name, schema)));
  fill(main, h("div.page.docs",
    introduction(document_), filter((words) => narrow(words, [...sections, shapes], none)), none, sections, shapes));
  fill(side, h("nav.menu", { "aria-label": t("docs.sections") }, h("h2", t("docs.sections")),
    h("ul", groups.map(([tag, operations]) => entry(`#tag-${slug(tag)}`, tagName(tag), operations.length)), entry("#schemas", t("docs.schemas"), schemas.length))));
  window.addEventListener("hashchange", unfold);
  unfold();
}

const entry = (href, name, count) => h("li", h("a", { href }, h("span.clip.grow", name), h("span.soft.small", count)));

function filter(changed) {
  const input = h("input.input", { type: "search", placeholder: t("docs.filter"), "aria-label": t("docs.filter"), autocomplete: "off" });
  const narrowed = later(() => changed(input.value.toLowerCase().split(/\s+/).filter(Boolean)));
  input.addEventListener("input", narrowed);
  return h("div.docs-filter", input);
}

/** Leave what holds all words. */
function narrow(words, sections, none) {
  let shown = 0;
  for (const section of sections) {
    const cards = [...section.querySelectorAll("details.entry")];
    const left = cards.filter((card) => {
      const fits = words.every((word) => card.dataset.text.includes(word));
      card.hidden = !fits;
      return fits;
    });
    section.hidden = left.length === 0;
    shown += left.length;
  }
  none.hidden = shown > 0;
}

/** Open what the address names. */
function unfold() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!named) return;
  if (named instanceof HTMLDetailsElement) named.open = true;
  named.hidden = false;
  named.scrollIntoView({ block: "start" });
}

/** @returns {[string, Operation[]][]} */
function byTag(document_) {
  const groups = new Map();
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const method of METHODS.filter((one) => methods[one])) {
      const told = methods[method];
      const [tag] = told.tags ?? ["other"];
      groups.set(tag, [...(groups.get(tag) ?? []), { id: slug(`${method} ${path}`), method, path, told }]);
    }
  }
  return [...groups];
}

const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
const tagName = (tag) => tOr(`docs.tag.${tag}`, tag);

announce();
start();
