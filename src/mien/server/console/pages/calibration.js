// Calibration: by which distance two faces count as one person here, and how often that goes wrong.

import { get, post, remove, segment } from "../js/api.js";
import { calibrationFigures } from "../js/calibration-figures.js";
import { collectionField, listCollections, usualCollection } from "../js/collections.js";
import { confirmed, filledIn } from "../js/dialog.js";
import { amongMany } from "../js/distances.js";
import { fill, h } from "../js/dom.js";
import { facts } from "../js/figures.js";
import { choice } from "../js/fields.js";
import { jsonView } from "../js/files.js";
import { number, percent, t, tOr } from "../js/i18n.js";
import { icon } from "../js/icons.js";
import { empty, notice, skeleton } from "../js/notices.js";
import { pageHead } from "../js/router.js";
import { toast } from "../js/toast.js";

const RATES = ["0.01", "0.001", "0.0001"];
/** Of pairs of strangers, so that a rate is a number of pairs one can imagine. */
const PAIRS = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];

export async function mount(root, { signal }) {
  const begin = h("button.button.primary", { type: "button", onclick: calibrate }, icon("measure"), t("calibration.do"));
  const drop = h("button.button", { type: "button", hidden: true, onclick: forget }, icon("trash"), t("calibration.drop"));
  const view = h("div.stack.loose", skeleton(8));
  root.append(pageHead({ title: t("calibration.title"), lede: t("calibration.lede"), actions: [drop, begin] }), view);
  let leaving = new AbortController(); // What draws itself anew.
  const collections = await listCollections(signal);
  show(await get("calibration", { signal }));

  /** @param {any} found @param {any} [report] Of the calibration that was just made. */
  function show(found, report) {
    leaving.abort();
    leaving = new AbortController();
    signal.addEventListener("abort", () => leaving.abort(), { signal: leaving.signal });
    drop.hidden = found.calibration === null;
    fill(view,
      rule(found.decision, largest(collections)),
      explained(),
      found.calibration === null
        ? empty({ icon: "measure", title: t("calibration.none"), text: t("calibration.none.text") })
        : [calibrationFigures({ decision: found.decision, calibration: found.calibration, report, signal: leaving.signal }),
          h("details.more", h("summary", t("json")), jsonView(found.calibration, "calibration.json"))]);
  }

  async function calibrate() {
    let made = null;
    let fmr = RATES[1];
    let name = usualCollection(collections);
    const fields = collections.length === 0
      ? notice({ kind: "warn", title: t("calibration.nobody"), text: t("calibration.nobody.text") })
      : [
        collectionField({ collections, value: name, onchange: (value) => (name = value), help: t("calibration.who") }),
        h("div.field",
          h("span.label", t("calibration.rate")),
          h("div", choice({ label: t("calibration.rate"), options: RATES.map((value) => ({ value, label: percent(Number(value)) })), value: fmr, onchange: (value) => (fmr = value) })),
          h("p.help", t("calibration.rate.help"))),
        h("p.soft.small", t("calibration.effect")),
      ];
    const done = await filledIn({
      title: t("calibration.do"),
      body: fields,
      action: t("calibration.measure"),
      act: async () => {
        if (name !== null) made = await post(`collections/${segment(name)}/calibrate`, { json: { fmr: Number(fmr) }, signal });
      },
      signal,
    });
    if (!done || !made) return;
    toast(t("calibration.done"));
    show(made, made.report);
  }

  async function forget() {
    const act = () => remove("calibration", { signal });
    if (!(await confirmed({ title: t("calibration.drop.title"), text: t("calibration.drop.text"), action: t("calibration.drop"), act, signal }))) return;
    toast(t("calibration.dropped"));
    show(await get("calibration", { signal }));
  }
}

const largest = (collections) => collections.reduce((most, one) => (one.people > (most?.people ?? 0) ? one : most), null);

function rule(decision, collection) {
  const { distance, review_distance: review, fmr } = decision;
  return h("section.card.stack",
    h("div.card-head",
      h("h2", t("calibration.rule")),
      h("span.soft.small", t("system.decided-by", { source: tOr(`source.${decision.source}`, decision.source) }))),
    ruler(decision),
    facts([
      [t("system.threshold"), number(distance, 3)],
      [t("compare.fmr"), fmr === null ? h("span.unmeasured", t("compare.unmeasured")) : percent(fmr)],
      [t("system.review"), review === null ? h("span.unmeasured", t("none")) : number(review, 3)],
      [t("compare.metric"), h("span.capital", t(`metric.${decision.metric}`))],
    ], true),
    fmr !== null && h("p", pairs(fmr), collection && [" ", t("calibration.among", { n: collection.people, name: collection.name, share: percent(amongMany(fmr, collection.people)) })]));
}

/** "Of 1,000 pairs of strangers, about 3 are taken for one person." */
function pairs(fmr) {
  const of = PAIRS.find((many) => many * fmr >= 1) ?? PAIRS.at(-1);
  return t("calibration.pairs", { n: Math.round(of * fmr), count: number(of * fmr), of: number(of) });
}

/** The distances that count as one person, as two, and those in between. */
function ruler({ distance, review_distance: review }) {
  const end = 1.6 * (review ?? distance);
  const share = (value) => `${(100 * value) / end}%`;
  const zones = [
    { kind: "same", from: 0, to: distance, says: t("calibration.same") },
    ...(review === null ? [] : [{ kind: "unsure", from: distance, to: review, says: t("calibration.unsure") }]),
    { kind: "other", from: review ?? distance, to: end, says: t("calibration.other") },
  ];
  return h("div.ruler", { role: "img", "aria-label": t("calibration.ruler", { distance: number(distance, 3) }) },
    h("div.zones", zones.map((zone) => h(`span.zone.${zone.kind}`, { style: { width: share(zone.to - zone.from) } }, zone.says))),
    h("div.marks", h("span", "0"), [distance, review].filter((at) => at !== null).map((at) => h("span.at", { style: { left: share(at) } }, number(at, 3)))));
}

function explained() {
  return h("details.card.more.explained",
    h("summary", t("calibration.what")),
    h("div.stack.tight", ["distance", "rate", "trade", "own"].map((part) => h("p", t(`calibration.what.${part}`)))));
}
