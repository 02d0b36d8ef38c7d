// The answer to "one person or two?", with everything it rests on.

import { h } from "./dom.js";
import { distanceScale, facts } from "./figures.js";
import { jsonView } from "./files.js";
import { number, percent, t, tOr } from "./i18n.js";
import { icon } from "./icons.js";

const EVEN = 0.5;

/**
 * @param {any} found VerifyRow or PersonVerifyRow of the API.
 * @param {{same: any, other: any}} words The two answers.
 */
export function verdict(found, { same, other }) {
  const metric = t(`metric.${found.metric}`);
  return h("div.card.stack",
    h("div",
      h(`p.verdict.${found.verified ? "same" : "other"}`, icon(found.verified ? "check" : "differ"), found.verified ? same : other),
      h("p.soft", t(found.verified ? "compare.same.text" : "compare.different.text", { metric }))),
    distanceScale(found),
    facts([
      [t("compare.fmr"), rate(found.fmr)],
      [t("compare.probability"), rate(found.probability)],
      [t("compare.similarity"), number(found.similarity, 3)],
    ], true),
    odd(found) && h("p.soft.small", t("compare.odd")),
    h("p.soft.small", t("compare.source", { source: tOr(`source.${found.source}`, found.source), space: found.space })),
    h("details.more", h("summary", t("json")), jsonView(found, "comparison.json")));
}

/** A share of one, which may not have been measured. @param {number | null} share */
export const rate = (share) => (share === null ? h("span.unmeasured", t("compare.unmeasured")) : percent(share));

/** The threshold lies where the false-match rate is, which need not be where odds are even. */
const odd = (found) => found.probability !== null && found.verified !== found.probability >= EVEN;
