// Tables that are readable on small screens too: there each row becomes a small card.

import { h } from "./dom.js";

/**
 * @typedef {object} Column
 * @property {any} title
 * @property {"number" | "tools"} [kind] Numbers stand at the right; tools have a title for screen readers only.
 */

/**
 * @param {{label: any, columns: Column[], rows: (any[] | Node)[], folds?: boolean}} about A row is what its cells hold,
 *   the first of them its heading; or what tableRow() made. Tables of few short columns need not fold.
 */
export function table({ label, columns, rows, folds = true }) {
  return h("div.scroll", { tabindex: "0", role: "group", "aria-label": label },
    h(`table.table${folds ? ".folds" : ""}`,
      h("thead", h("tr", columns.map(({ title, kind }) => h(kind === "number" ? "th.n" : "th", { scope: "col" }, kind === "tools" ? h("span.quiet-reader", title) : title)))),
      h("tbody", rows.map((row) => (Array.isArray(row) ? tableRow(columns, row) : row)))));
}

/** @param {Column[]} columns @param {any[]} cells */
export function tableRow(columns, cells) {
  return h("tr", cells.map((cell, i) => {
    if (i === 0) return h("th", { scope: "row" }, cell);
    const { title, kind } = columns[i];
    return h(kind ? `td.${kind === "number" ? "n" : kind}` : "td", { "data-label": kind === "tools" ? null : title }, cell);
  }));
}
