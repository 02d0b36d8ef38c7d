// Faces before a camera: in few words, since they change several times a second.

import { h } from "./dom.js";
import { summary, verdicts } from "./face-card.js";
import { chip, meters } from "./figures.js";
import { number, t } from "./i18n.js";
import { icon } from "./icons.js";
import { empty } from "./notices.js";

const KINDS = { known: "good", uncertain: "warn", unknown: undefined };

/** @typedef {{face: any, person?: string | null, decision?: "known" | "uncertain" | "unknown", candidates?: any[]}} Row */

/**
 * A face of a frame as it lies in the picture that is shown.
 * @param {any} face FaceRow of the API.
 * @param {[number, number]} from Size of the frame.
 * @param {[number, number]} to Size of the picture.
 * @param {boolean} mirrored Whether the picture is shown as in a mirror.
 */
export function placed(face, from, to, mirrored) {
  const scale = to[0] / from[0];
  const x = (value) => (mirrored ? to[0] - value * scale : value * scale);
  const [x1, y1, x2, y2] = face.box;
  const edges = [x(x1), x(x2)].sort((a, b) => a - b);
  const moved = (points) => points?.map(([px, py]) => [x(px), py * scale]) ?? null;
  return { ...face, box: [edges[0], y1 * scale, edges[1], y2 * scale], points: moved(face.points), landmarks: moved(face.landmarks) };
}

/**
 * What stands at a face in the picture.
 * @param {Row} row @param {number} i @param {number | undefined} liveFrom
 */
export function labelOf({ face, person, decision, candidates }, i, liveFrom) {
  if (decision) return { text: person ?? (decision === "uncertain" ? t("live.perhaps", { name: candidates[0].person }) : t("decision.unknown")), kind: KINDS[decision] };
  if (typeof face.live === "number" && typeof liveFrom === "number") return face.live >= liveFrom ? { text: t("live.live"), kind: "good" } : { text: t("live.spoof"), kind: "bad" };
  return { text: i + 1, kind: undefined };
}

/**
 * @param {Row[]} rows
 * @param {{liveFrom?: number, threshold?: number}} about `threshold`: largest distance of one person.
 */
export function liveFaces(rows, { liveFrom, threshold }) {
  if (!rows.length) return empty({ icon: "face", title: t("live.nobody"), text: t("live.nobody.text") });
  return h("ul.stack.tight", rows.map((row, i) => h("li.card.live-face",
    row.decision ? whoIsIt(row, threshold) : looks(row.face, i, liveFrom))));
}

function looks(face, i, liveFrom) {
  const shares = [["live", face.live], ["quality", face.quality], ["mask", face.mask]].filter(([, share]) => typeof share === "number");
  return [
    h("div.row.apart", h("h2.small.soft", t("face.number", { number: i + 1 })), h("span.row", verdicts(face, liveFrom))),
    h("p.says", summary(face) ?? t("face.found")),
    shares.length > 0 && meters(shares.map(([name, share]) => ({ name: t(`column.${name}`), share, kind: name === "live" && share < (liveFrom ?? 0) ? "bad" : undefined }))),
    face.advice.length > 0 && h("p.small.soft.row", icon("warning"), t(`advice.${face.advice[0].code}`)),
  ];
}

/** @param {Row} row @param {number | undefined} threshold */
function whoIsIt({ person, decision, candidates = [] }, threshold = 0) {
  const nearest = candidates[0];
  return [
    h("div.row.apart", h("h2.says", person ?? t("decision.unknown")), chip(t(`decision.${decision}`), KINDS[decision])),
    nearest && h("p.small.soft", decision === "known"
      ? t("live.distance", { distance: number(nearest.distance, 2), threshold: number(threshold, 2) })
      : t("live.nearest", { name: nearest.person, distance: number(nearest.distance, 2), threshold: number(threshold, 2) })),
  ];
}
