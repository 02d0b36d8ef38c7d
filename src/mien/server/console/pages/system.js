// System: what runs here, what it can do, and how busy it is.

import { get } from "../js/api.js";
import { fill, h } from "../js/dom.js";
import { chip, facts, meters } from "../js/figures.js";
import { duration, number, percent, size, t, tOr } from "../js/i18n.js";
import { empty, skeleton } from "../js/notices.js";
import { docsLink, pageHead } from "../js/router.js";
import { table } from "../js/tables.js";

const EVERY_MS = 5000;
const KINDS = { installed: "good", outdated: "warn", broken: "bad" };

export async function mount(root, { signal }) {
  const about = h("div.stack.loose", skeleton(5));
  root.append(pageHead({ title: t("system.title"), lede: t("system.lede"), actions: [docsLink()] }), about);
  const [system, packs] = await Promise.all([get("system", { signal }), get("packs", { signal })]);
  const busy = h("div");
  fill(about, overview(system, busy), decision(system), abilities(system, packs.items), packTable(packs.items));
  showBusy(busy, system);
  refresh(busy, signal);
}

/** Ask again while somebody looks. */
function refresh(busy, signal) {
  const timer = setInterval(async () => {
    if (document.hidden) return;
    try {
      showBusy(busy, await get("system", { signal }));
    } catch {
      // The figures stay as they were; the next answer brings them up to date.
    }
  }, EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

function overview(system, busy) {
  const store = system.store;
  return h("section.grid.two",
    h("div.card", h("h2", t("system.server")), facts([
      [t("system.version"), system.version],
      [t("system.device"), system.device],
      [t("system.machine"), system.machine],
      [t("system.workers"), number(system.workers)],
      ["Python", system.python],
      ["ONNX Runtime", system.onnxruntime],
    ])),
    h("div.card", h("h2", t("system.now")), busy),
    h("div.card", h("h2", t("system.limits")), facts([
      [t("system.body"), size(system.limits.max_body_bytes)],
      [t("system.pixels"), t("system.megapixels", { count: number(system.limits.max_pixels / 1e6) })],
      [t("system.photographs"), number(system.limits.max_photographs)],
      [t("system.timeout"), duration(system.limits.timeout_s)],
    ])),
    store && h("div.card", h("h2", t("system.store")), facts([
      [t("system.people"), number(store.people)],
      [t("system.faces"), number(store.faces)],
      [t("system.collections"), number(store.collections)],
      [t("system.store.name"), store.name],
    ])));
}

function showBusy(busy, { uptime_s, queue }) {
  const share = queue.capacity ? queue.waiting / queue.capacity : 0;
  fill(busy, h("div.stack",
    facts([[t("system.uptime"), duration(uptime_s)]]),
    meters([{ name: t("system.queue"), share, value: t("system.of", { count: number(queue.waiting), most: number(queue.capacity) }), kind: share > 0.8 ? "warn" : undefined }])));
}

function decision({ decision: rule }) {
  if (!rule) return empty({ icon: "compare", title: t("system.no-rule"), text: t("system.no-rule.text") });
  return h("section.card",
    h("div.card-head", h("h2", t("system.decision")), h("span.soft.small", t("system.decided-by", { source: tOr(`source.${rule.source}`, rule.source) }))),
    facts([
      [t("system.threshold"), number(rule.distance, 3)],
      [t("compare.fmr"), rule.fmr === null ? h("span.unmeasured", t("compare.unmeasured")) : percent(rule.fmr)],
      [t("system.review"), rule.review_distance === null ? h("span.unmeasured", t("none")) : number(rule.review_distance, 3)],
      [t("compare.metric"), h("span.capital", t(`metric.${rule.metric}`))],
    ], true));
}

/** Which network answers which question, and where it runs. */
function abilities(system, packs) {
  const known = new Map(packs.map((pack) => [pack.name, pack]));
  return h("section.card.flush",
    h("div.card-head.inset", h("h2", t("system.abilities"))),
    table({
      label: t("system.abilities"),
      columns: [{ title: t("system.column") }, { title: t("system.pack") }, { title: t("system.licence") }],
      rows: Object.entries(system.columns).map(([column, name]) => [tOr(`column.${column}`, column), h("code", name), known.get(name)?.licence]),
    }));
}

function packTable(packs) {
  return h("section.card.flush",
    h("div.card-head.inset", h("h2", t("system.packs")), h("span.soft.small", t("system.packs.count", { n: packs.filter((one) => one.state === "installed").length }))),
    table({
      label: t("system.packs"),
      columns: [{ title: t("system.pack") }, { title: t("system.gives") }, { title: t("system.licence") }, { title: t("system.state") }],
      rows: packs.map(packRow),
    }));
}

const packRow = (pack) => [
  [h("code", pack.name), " ", h("span.soft.small", pack.version), h("small", pack.summary)],
  pack.gives.flatMap((column, i) => [i ? ", " : null, tOr(`column.${column}`, column)]),
  [pack.licence, h("small", t(pack.commercial ? "system.commercial" : "system.restricted"))],
  h("span.row", chip(tOr(`pack.${pack.state}`, pack.state), KINDS[pack.state]), pack.chosen_for.length > 0 && chip(t("system.used"), "accent")),
];
