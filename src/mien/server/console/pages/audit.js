// Audit: who did what, and whether the log is as it was written.

import { get, parts } from "../js/api.js";
import { keyNames, sentence, who } from "../js/audit-sentences.js";
import { fill, h } from "../js/dom.js";
import { field } from "../js/fields.js";
import { copyButton, pretty } from "../js/files.js";
import { moment, number, t, tOr } from "../js/i18n.js";
import { icon } from "../js/icons.js";
import { empty, errorNotice, notice, skeleton } from "../js/notices.js";
import { pageHead } from "../js/router.js";
import { table, tableRow } from "../js/tables.js";

const PORTION = 100;
const COLUMNS = [{ title: t("audit.when") }, { title: t("audit.who") }, { title: t("audit.what") }, { title: t("audit.more"), kind: /** @type {const} */ ("tools") }];

export async function mount(root, { signal, query, replace }) {
  const entries = [];
  const wanted = { action: query.get("action") ?? "", actor: query.get("actor") ?? "" };
  const checked = h("div", { "aria-live": "polite" });
  const filters = h("div.fields");
  const view = h("div.stack", skeleton(10));
  const check = h("button.button", { type: "button", onclick: verify }, icon("check"), t("audit.verify"));
  root.append(pageHead({ title: t("audit.title"), lede: t("audit.lede"), actions: [check] }), checked, filters, view);

  const [keys, portions] = [await keyNames(signal), parts("audit", { query: { order: "desc", limit: PORTION }, signal })];
  let ended = false;
  await older();

  async function older() {
    const { value, done } = await portions.next();
    entries.push(...(value ?? []));
    ended = done || value.length < PORTION;
    showFilters();
    show();
  }

  function showFilters() {
    const actions = [...new Set(entries.map((one) => one.action))].sort();
    const actors = [...new Set(entries.map((one) => one.actor))].sort();
    fill(filters,
      filter("action", t("audit.what"), actions.map((one) => [one, tOr(`audit.action.${one}`, one)])),
      filter("actor", t("audit.who"), actors.map((one) => [one, who(one, keys)])));
  }

  /** What is chosen stays on offer, also while no entry of it was loaded. */
  function filter(name, label, options) {
    const missing = wanted[name] && !options.some(([value]) => value === wanted[name]) ? [[wanted[name], wanted[name]]] : [];
    const control = h("select.input", {
      onchange: (event) => {
        wanted[name] = event.target.value;
        replace({ [name]: wanted[name] });
        show();
      },
    }, [["", t("audit.all")], ...missing, ...options].map(([value, text]) => h("option", { value, selected: value === wanted[name] }, text)));
    return field({ label, control });
  }

  function show() {
    const shown = entries.filter((one) => (!wanted.action || one.action === wanted.action) && (!wanted.actor || one.actor === wanted.actor));
    fill(view,
      shown.length > 0
        ? h("section.card.flush", table({ label: t("audit.title"), columns: COLUMNS, rows: shown.map((one) => row(one, keys)) }))
        : empty({ icon: "audit", title: t(entries.length ? "audit.none-such" : "audit.none"), text: t(entries.length ? "audit.none-such.text" : "audit.none.text") }),
      h("div.row.apart",
        h("p.soft.small", { role: "status" }, t(ended ? "audit.shown" : "audit.shown.more", { n: shown.length, count: number(shown.length), of: number(entries.length) })),
        !ended && moreButton()));
  }

  function moreButton() {
    const button = h("button.button", { type: "button", onclick: press }, t("audit.older"));
    async function press() {
      button.setAttribute("aria-busy", "true");
      try {
        await older();
      } catch (error) {
        button.removeAttribute("aria-busy");
        if (!signal.aborted) button.after(errorNotice(error));
      }
    }
    return button;
  }

  async function verify() {
    check.setAttribute("aria-busy", "true");
    try {
      const { entries: count, end } = await get("audit/verify", { signal });
      fill(checked, notice({
        kind: "good",
        title: t("audit.whole", { n: count, count: number(count) }),
        text: t("audit.whole.text"),
        more: h("div.row", h("code.small", end), copyButton(end)),
      }));
    } catch (error) {
      if (!signal.aborted) fill(checked, errorNotice(error));
    } finally {
      check.removeAttribute("aria-busy");
    }
  }
}

function row(entry, keys) {
  const made = tableRow(COLUMNS, [
    [moment(entry.time), h("small", t("audit.number", { number: number(entry.seq) }))],
    h("span", who(entry.actor, keys)),
    [sentence(entry), entry.collection_id && h("small", t("audit.collection"), " ", h("code", entry.collection_id))],
    h("button.button.plain.small", { type: "button", "aria-expanded": "false", onclick: turn }, t("audit.more")),
  ]);
  const { mac, detail } = entry;
  const more = h("tr.unfolded", { hidden: true }, h("td", { colspan: COLUMNS.length }, h("pre.code-block", { tabindex: "0", "aria-label": t("audit.more") }, pretty({ action: entry.action, actor: entry.actor, detail, mac }))));
  function turn(event) {
    more.hidden = !more.hidden;
    event.currentTarget.setAttribute("aria-expanded", String(!more.hidden));
  }
  const both = document.createDocumentFragment();
  both.append(made, more);
  return both;
}
