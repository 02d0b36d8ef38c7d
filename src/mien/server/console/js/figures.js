// Numbers that are easier seen than read; screen readers get the number.

import { h } from "./dom.js";
import { number, t, whole } from "./i18n.js";

/**
 * Shares of one, below each other.
 * @param {{name: any, share: number, kind?: "good" | "warn" | "bad" | "faint", best?: boolean, value?: any}[]} rows
 *   `value`: said instead of the share in per cent.
 */
export function meters(rows) {
  return h("div.meters", rows.map(({ name, share, kind, best, value }) => {
    const says = value ?? whole(share);
    const made = h("div.meter",
      h("span.name", name),
      h("span.track", { role: "meter", "aria-label": name, "aria-valuemin": 0, "aria-valuemax": 1, "aria-valuenow": share, "aria-valuetext": says },
        h("span.fill", { style: { width: `${100 * Math.min(Math.max(share, 0), 1)}%` } })),
      h("span.value", { "aria-hidden": "true" }, says));
    if (kind) made.classList.add(kind);
    made.classList.toggle("best", Boolean(best));
    return made;
  }));
}

/**
 * Where a distance lies, and where the threshold.
 * @param {{distance: number, threshold: number}} found
 */
export function distanceScale({ distance, threshold }) {
  const end = Math.max(2 * threshold, 1.12 * distance);
  const at = distance / end;
  const limit = threshold / end;
  const text = number(distance, 3);
  const made = h("div.scale", { role: "img", "aria-label": t("scale.says", { distance: text, threshold: number(threshold, 3) }), style: { "--at": at, "--limit": limit } },
    h("div.axis",
      h(`span.tag.above${at < 0.12 ? ".low" : at > 0.88 ? ".high" : ""}`, { style: { left: `${100 * at}%` } }, text),
      h("span.limit"),
      h("span.tag.below", { style: { left: `${100 * limit}%` } }, t("scale.threshold"), " ", number(threshold, 3)),
      h("span.tag.below.first", t("scale.alike")),
      h("span.tag.below.last", t("scale.unlike")),
      h("span.dot")));
  made.classList.toggle("over", distance > threshold);
  return made;
}

/**
 * The same in little, for lists: the threshold is in the middle.
 * @param {{distance: number, threshold: number}} found
 */
export function distanceBar({ distance, threshold }) {
  const at = threshold > 0 ? Math.min(distance / (2 * threshold), 1) : 1;
  const says = t("scale.says", { distance: number(distance, 3), threshold: number(threshold, 3) });
  const made = h("span.distance", { role: "img", "aria-label": says, title: says, style: { "--at": at } }, h("span.axis", h("span.dot")), h("span.value", { "aria-hidden": "true" }, number(distance, 3)));
  made.classList.toggle("over", distance > threshold);
  return made;
}

/**
 * Names and values.
 * @param {[any, any][]} pairs
 * @param {boolean} [large]
 */
export function facts(pairs, large = false) {
  const list = h("dl.facts", pairs.map(([name, value]) => h("div", h("dt", name), h("dd", value))));
  list.classList.toggle("small", !large);
  return list;
}

/** @param {any} text @param {"accent" | "good" | "warn" | "bad"} [kind] */
export function chip(text, kind) {
  return h(kind ? `span.chip.${kind}` : "span.chip", text);
}
