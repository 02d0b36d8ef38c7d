// A calibration as pictures and tables, with a threshold to try.

import { probabilityAt, rateAt, thresholdAt } from "./distances.js";
import { give, fill, h } from "./dom.js";
import { freshId } from "./fields.js";
import { day, number, percent, t, tOr } from "./i18n.js";
import { plot } from "./plot.js";
import { table } from "./tables.js";

const LISTED = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
const EVEN = [0, 0.25, 0.5, 0.75, 1];
const STEPS = 400; // Of the slider.

/**
 * @param {{decision: any, calibration: any, report?: any, signal: AbortSignal}} about Of the API.
 * @returns {HTMLElement[]}
 */
export function calibrationFigures({ decision, calibration, report, signal }) {
  const x = distanceAxis(calibration);
  const verticals = [{ at: decision.distance, title: t("scale.threshold") }];
  const try_ = h("input", { type: "range", id: freshId(), min: x.from, max: x.to, step: (x.to - x.from) / STEPS, oninput: () => point(Number(try_.value)) });
  const says = h("p.says");
  const rates = plot({
    says: t("calibration.chart.rates.says"), x, y: rateAxis(calibration), signal, pointed: point,
    curve: calibration.distances.map((distance, i) => [distance, calibration.rates[i]]),
    verticals: [{ at: calibration.distances[0], title: t("calibration.least"), left: true, faint: true }, ...verticals],
  });
  const chances = plot({
    says: t("calibration.chart.chances.says"), x, verticals, signal, pointed: point,
    y: { title: t("calibration.probability"), from: 0, to: 1, ticks: EVEN, format: percent },
    curve: calibration.evidence_distances.filter((distance) => distance <= x.to).map((distance) => [distance, probabilityAt(calibration, distance)]),
  });

  /** Show what a threshold there would mean. */
  function point(distance) {
    const rate = rateAt(calibration, distance);
    const chance = probabilityAt(calibration, distance);
    rates.mark(distance, rate);
    chances.mark(distance, chance);
    try_.value = String(distance);
    const values = { distance: number(distance, 3), rate: rate === null ? "" : percent(rate), least: percent(calibration.rates[0]), chance: percent(chance) };
    const said = t(rate === null ? "calibration.try.below" : "calibration.try.says", values);
    fill(says, said);
    give(try_, "aria-valuetext", said);
  }
  point(decision.distance);

  return [
    h("section.card.stack",
      h("h2", t("calibration.measured")),
      h("div.grid.two",
        h("figure.stack.tight", h("figcaption.strong", t("calibration.chart.rates")), rates.element),
        h("figure.stack.tight", h("figcaption.strong", t("calibration.chart.chances")), chances.element)),
      h("div.try", h("label.strong", { for: try_.id }, t("calibration.try")), try_, says)),
    h("div.grid.two.level", measured(calibration, report), thresholds(calibration)),
  ];
}

function distanceAxis({ distances, metric }) {
  const to = Math.ceil(distances.at(-1) * 10) / 10;
  const step = to > 1 ? 0.2 : 0.1;
  const ticks = Array.from({ length: Math.floor(to / step + 1e-9) + 1 }, (_, i) => i * step);
  return { title: t("calibration.distance", { metric: t(`metric.${metric}`) }), from: 0, to, ticks, format: (value) => number(value, 1) };
}

function rateAxis({ rates }) {
  const least = Math.floor(Math.log10(rates[0]));
  const ticks = Array.from({ length: 1 - least }, (_, i) => 10 ** -i);
  return { title: t("compare.fmr"), from: 10 ** least, to: 1, log: true, ticks, format: percent };
}

function measured(found, report) {
  const { behind } = found;
  const rows = [
    [t("calibration.made"), day(found.made)],
    [t("calibration.people"), number(behind.people)],
    [t("calibration.photographs"), number(behind.photographs)],
    [t("calibration.genuine"), number(behind.genuine)],
    [t("calibration.impostor"), number(behind.impostor)],
    [t("compare.fmr"), interval(found.fmr)],
    [t("calibration.fnmr"), interval(found.fnmr)],
    [t("calibration.least.long"), percent(found.rates[0])],
    [t("calibration.cllr"), [number(found.cllr, 4), h("small", tOr(`calibration.method.${found.method}`, found.method))]],
    ...(report ? [[t("calibration.error"), percent(report.calibration_error)]] : []),
  ];
  return h("section.card.flush",
    h("div.card-head.inset", h("h2", t("calibration.report"))),
    table({ label: t("calibration.report"), columns: [{ title: t("calibration.measure.name") }, { title: t("calibration.value"), kind: "number" }], rows, folds: false }),
    h("p.soft.small.inset", t("calibration.intervals")));
}

const interval = ({ value, low, high }) => [percent(value), h("small", t("calibration.interval", { low: percent(low), high: percent(high) }))];

function thresholds(found) {
  const supported = LISTED.filter((rate) => rate >= found.rates[0] && rate <= found.rates.at(-1));
  const rows = supported.map((rate) => {
    const distance = thresholdAt(found, rate);
    return [percent(rate), number(distance, 3), percent(probabilityAt(found, distance))];
  });
  return h("section.card.flush",
    h("div.card-head.inset", h("h2", t("calibration.thresholds"))),
    table({
      label: t("calibration.thresholds"),
      columns: [{ title: t("compare.fmr") }, { title: t("system.threshold"), kind: "number" }, { title: t("calibration.probability"), kind: "number" }],
      rows,
      folds: false,
    }),
    h("p.soft.small.inset", t("calibration.even")));
}
