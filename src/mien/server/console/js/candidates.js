// Who a face may be: the candidates of the API, each with a picture, and where its distance lies.

import { h } from "./dom.js";
import { chip, distanceBar, facts } from "./figures.js";
import { number, percent, t, tOr } from "./i18n.js";
import { personHash } from "./people.js";
import { rate } from "./verdict.js";

/** @type {Record<string, "good" | "warn" | undefined>} */
export const KINDS = { known: "good", uncertain: "warn" };

/** @param {"known" | "uncertain" | "unknown"} decision */
export const decisionChip = (decision) => chip(t(`decision.${decision}`), KINDS[decision]);

/**
 * One of several candidates.
 * @param {object} about
 * @param {any} about.match MatchRow of the API.
 * @param {string} about.collection
 * @param {number} about.threshold
 * @param {import("./pictures.js").Shelf} about.shelf
 */
export function candidate({ match, collection, threshold, shelf }) {
  const picture = match.face_id ? shelf.face(collection, match.face_id) : shelf.person(collection, match.person_id);
  return h("li.candidate",
    picture,
    h("div.grow",
      h("a.name.clip", { href: personHash(collection, match.person_id) }, match.person || t("person.unnamed")),
      distanceBar({ distance: match.distance, threshold }),
      match.probability !== null && h("span.soft.small", t("candidate.probability", { share: percent(match.probability) }))));
}

/**
 * By which rule was decided.
 * @param {{threshold: number, fmr: number | null, metric: string, rule?: string}} found
 * @param {number} people Among how many.
 */
export function ruleFacts({ threshold, fmr, metric, rule }, people) {
  return h("div.stack.tight",
    facts([
      [t("scale.threshold"), number(threshold, 3)],
      [t("compare.fmr"), rate(fmr)],
      [t("compare.metric"), h("span.capital", t(`metric.${metric}`))],
      [t("rule.people"), number(people)],
    ]),
    h("p.soft.small", fmr === null ? t("rule.unmeasured") : t("rule.text", { rate: percent(fmr), n: people }), " ", rule && t("rule.source", { source: tOr(`source.${rule}`, rule) })));
}
