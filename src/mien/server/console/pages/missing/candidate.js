// Somebody who may be the person who is looked for: both side by side, what speaks for it, and what a person says.

import { put, segment } from "../../js/api.js";
import { decisionChip } from "../../js/candidates.js";
import { fill, h } from "../../js/dom.js";
import { choice } from "../../js/fields.js";
import { distanceScale, facts } from "../../js/figures.js";
import { day, moment, number, percent, t } from "../../js/i18n.js";
import { errorNotice } from "../../js/notices.js";
import { personHash, photoName } from "../../js/people.js";
import { allowed } from "../../js/session.js";
import { casePath, picturePath } from "./paths.js";

const SAYS = ["yes", "no", "unsure"];

/**
 * @param {object} about
 * @param {any} about.found CaseRow of the API, with a run.
 * @param {any} about.one Candidate of it.
 * @param {string} about.collection
 * @param {import("../../js/pictures.js").Shelf} about.shelf
 * @param {(found: any) => void} about.reviewed The case after somebody said something.
 * @param {AbortSignal} about.signal
 * @returns {HTMLElement}
 */
export function candidateCard({ found, one, collection, shelf, reviewed, signal }) {
  const { run } = found;
  const name = one.person || t("person.unnamed");
  const card = h("li.card.suspect",
    h("div.top-line",
      h("span.rank", { "aria-label": t("case.rank", { rank: one.rank }) }, one.rank),
      h("h3", h("a", { href: personHash(collection, one.person_id) }, name)),
      decisionChip(one.decision)),
    h("div.evidence",
      sideBySide({ found, one, collection, shelf, name }),
      h("div.stack",
        distanceScale({ distance: one.score, threshold: run.threshold }),
        h("p", explained(run, one)),
        h("div.row.apart", figures(one), others({ found, one, collection, shelf })))),
    review({ found, one, collection, signal, reviewed, card: () => card }),
    comparisons(found, one));
  mark(card, found.reviews[one.person_id]);
  return card;
}

/** The nearest face beside the photograph that it is nearest to. */
function sideBySide({ found, one, collection, shelf, name }) {
  const first = one.faces[0];
  const probe = found.probes[first.probe];
  const says = t("case.probe", { number: first.probe + 1 });
  return h("div.two",
    h("figure", shelf.path(picturePath(collection, found.id, `probe-${first.probe + 1}.jpg`), says), h("figcaption.small", h("span", says), h("span.soft", probe.taken || t("case.undated")))),
    h("figure", faceOf({ found, face: first, collection, shelf }, name), h("figcaption.small", h("span.clip", name), h("span.soft", first.taken || t("case.undated")))));
}

/** The faces that come next. */
function others({ found, one, collection, shelf }) {
  return one.faces.length > 1 && h("ul.others", { "aria-label": t("case.others") }, one.faces.slice(1).map((face) =>
    h("li", { title: face.taken }, faceOf({ found, face, collection, shelf }, t("case.other", { distance: number(face.distance, 3) })))));
}

/** The case has pictures of its own, which stay as they were when it was run. */
function faceOf({ found, face, collection, shelf }, alt) {
  return face.picture ? shelf.path(picturePath(collection, found.id, `face-${face.face_id}.jpg`), alt) : shelf.face(collection, face.face_id, alt);
}

function figures(one) {
  const rows = [
    one.probability !== null && [t("compare.probability"), percent(one.probability)],
    one.log10_evidence !== null && [t("case.evidence"), t("case.evidence.value", { power: number(one.log10_evidence, 1) })],
    [t("case.gap"), gap(one.gap_years)],
    [t("case.margin"), one.margin === null ? t("case.margin.none") : t("case.margin.value", { distance: number(one.margin, 3) })],
  ];
  return facts(/** @type {[any, any][]} */ (rows.filter(Boolean)));
}

const gap = (years) => (years === null ? t("case.gap.unknown") : years ? t("case.gap.years", { n: years }) : t("case.gap.none"));

/** Why a candidate counts as what, and what that does not mean. */
function explained(run, one) {
  const within = one.score <= run.threshold;
  if (one.decision === "known") return t("case.says.known");
  if (within) return t("case.says.rivalled");
  const apart = one.far_apart ? [" ", one.gap_years === null ? t("case.apart.unknown") : t("case.apart", { n: one.gap_years })] : [];
  if (one.decision === "uncertain") return [t("case.says.uncertain"), ...apart];
  return [one.far_apart ? t("case.says.beyond") : t("case.says.unknown"), ...apart];
}

function review({ found, one, collection, signal, reviewed, card }) {
  const before = found.reviews[one.person_id];
  if (!allowed(["enroll"])) return before && h("p.review", t(`case.says.${before.says}`), before.note && [": ", before.note]);
  let says = before?.says ?? "";
  const told = h("span.soft.small", { role: "status" }, before && t("case.reviewed.at", { when: moment(before.made) }));
  const said = h("div");
  const note = h("input.input", { value: before?.note ?? "", placeholder: t("case.note"), "aria-label": t("case.note"), maxlength: 10_000, autocomplete: "off", onchange: () => says && save(says) });

  async function save(now) {
    says = now;
    fill(said);
    try {
      const done = await put(casePath(collection, found.id, `reviews/${segment(one.person_id)}`), { json: { says, note: note.value.trim() }, signal });
      fill(told, t("case.reviewed.at", { when: moment(done.reviews[one.person_id].made) }));
      mark(card(), done.reviews[one.person_id]);
      reviewed(done);
    } catch (error) {
      if (!signal.aborted) fill(said, errorNotice(error, { again: () => save(now) }));
    }
  }

  return h("div.review",
    h("span.strong", t("case.is-it")),
    choice({ label: t("case.is-it"), options: SAYS.map((value) => ({ value, label: t(`case.says.${value}`) })), value: says, onchange: save }),
    note, told, said);
}

/** What was said is seen from afar. */
function mark(card, review) {
  for (const says of SAYS) card.classList.toggle(`said-${says}`, review?.says === says);
}

/** Every figure, for who wants them. */
function comparisons(found, one) {
  const place = new Map(one.faces.map((face) => [face.face_id, face]));
  const titles = ["case.photograph", "case.distance", "case.gap", "case.nearest"];
  const source = (id) => {
    const face = place.get(id);
    return face?.source ? [photoName(face.source), face.taken && ` (${face.taken.length > 4 ? day(face.taken) : face.taken})`] : h("code", id);
  };
  return h("details.more",
    h("summary", t("case.comparisons", { n: one.probes.length })),
    h("div.scroll", h("table.table.folds",
      h("thead", h("tr", titles.map((title) => h("th", { scope: "col" }, t(title))))),
      h("tbody", one.probes.map((probe) => h("tr",
        h("th", { scope: "row" }, number(probe.probe + 1)),
        h("td", { "data-label": t("case.distance") }, number(probe.distance, 4)),
        h("td", { "data-label": t("case.gap") }, gap(probe.gap_years)),
        h("td", { "data-label": t("case.nearest") }, source(probe.face_id))))))));
}
