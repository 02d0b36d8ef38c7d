// Everything that was found out about one face.

import { h } from "./dom.js";
import { chip, facts, meters } from "./figures.js";
import { number, t, tOr, whole } from "./i18n.js";
import { icon } from "./icons.js";
import { cutOut } from "./photos.js";

const THUMB = 72;
const POOR = 0.5;

/**
 * @param {object} about
 * @param {any} about.face FaceRow of the API.
 * @param {number} about.index
 * @param {import("./photos.js").Photo} about.photo
 * @param {[number, number]} about.size_wh
 * @param {number} [about.liveFrom] Threshold of `live`; without it the probability stands alone.
 * @param {boolean} about.open Whether details are shown from the beginning.
 * @param {() => void} about.choose
 */
export function faceCard({ face, index, photo, size_wh, liveFrom, open, choose }) {
  const label = t("face.number", { number: index + 1 });
  return h("li.card.face-card",
    h("div.top-line",
      h("button", { type: "button", onclick: choose, "aria-label": t("face.show", { number: index + 1 }) }, cutOut(photo, face.box, size_wh, THUMB)),
      h("div.grow",
        h("h2", label),
        h("p.says", summary(face) ?? t("face.found")),
        h("div.row", verdicts(face, liveFrom)))),
    face.advice.length > 0 && h("ul.advice", { "aria-label": t("face.advice") }, face.advice.map((one) => h("li", icon("warning"), h("span", tOr(`advice.${one.code}`, one.text))))),
    h("div", meters(shares(face, liveFrom))),
    details(face, open));
}

/** The most a glance should tell: "Woman, about 34, happy". */
export function summary(face) {
  const parts = [
    face.gender_label && face.gender_label !== "uncertain" && t(`gender.${face.gender_label}`),
    typeof face.age === "number" && t("face.age", { age: number(face.age) }),
    face.expression_label && face.expression_label !== "uncertain" && t(`expression.${face.expression_label}`),
  ].filter(Boolean);
  return parts.length ? parts.flatMap((part, i) => (i ? [t("face.comma"), part] : [part])) : null;
}

export function verdicts(face, liveFrom) {
  const live = typeof face.live === "number" && typeof liveFrom === "number";
  const masked = typeof face.mask === "number" && face.mask >= 0.5;
  return [
    live && (face.live >= liveFrom ? chip(t("live.live"), "good") : chip(t("live.spoof"), "bad")),
    masked && chip(t("mask.on"), "warn"),
  ];
}

function shares(face, liveFrom) {
  const rows = [];
  if (typeof face.quality === "number") rows.push({ name: t("column.quality"), share: face.quality, kind: face.quality < POOR ? "warn" : undefined });
  if (typeof face.live === "number") rows.push({ name: t("column.live"), share: face.live, kind: face.live < (liveFrom ?? 0) ? "bad" : undefined });
  if (typeof face.mask === "number") rows.push({ name: t("column.mask"), share: face.mask });
  return [...rows, { name: t("column.score"), share: face.score, kind: "faint" }];
}

function details(face, open) {
  const parts = [
    face.gender && section("gender", face),
    face.expression && section("expression", face),
    measured(face),
    ...["quality_parts", "blendshapes"].filter((column) => face[column]).map((column) => long(column, face[column])),
  ].filter(Boolean);
  return parts.length > 0 && h("details.more", { open }, h("summary", t("face.details")), h("div.stack", parts));
}

/** What a column decides between, the most probable first. */
function section(column, face) {
  const label = face[`${column}_label`];
  const sorted = Object.entries(face[column]).sort(([, a], [, b]) => b - a);
  return h("div",
    h("h3", t(`column.${column}`), label === "uncertain" && h("span.soft", " · ", t("face.uncertain"))),
    meters(sorted.slice(0, 4).map(([name, share]) => ({ name: t(`${column}.${name}`), share, best: name === label }))));
}

function measured(face) {
  const degrees = (value) => [number(value), "°"];
  const rows = [
    ...Object.entries(face.pose ?? {}).map(([name, value]) => [t(`pose.${name}`), degrees(value)]),
    ...Object.entries(face.eyes_open ?? {}).map(([name, value]) => [t(`eyes.${name}`), whole(value)]),
    ...(typeof face.mouth_open === "number" ? [[t("column.mouth_open"), whole(face.mouth_open)]] : []),
  ];
  return rows.length > 0 && facts(/** @type {[any, any][]} */ (rows));
}

function long(column, values) {
  return h("details.more",
    h("summary", t(`column.${column}`)),
    meters(Object.entries(values).map(([name, share]) => ({ name: tOr(`${column}.${name}`, name), share, kind: "faint" }))));
}
