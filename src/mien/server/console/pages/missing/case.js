// One case: whom to look for, who it may be, and what was said about them.

import { get, post, remove } from "../../js/api.js";
import { confirmed } from "../../js/dialog.js";
import { fill, h } from "../../js/dom.js";
import { choice } from "../../js/fields.js";
import { facts } from "../../js/figures.js";
import { moment, number, percent, t, tOr } from "../../js/i18n.js";
import { icon } from "../../js/icons.js";
import { empty, errorNotice, skeleton } from "../../js/notices.js";
import { photoName, tagChips } from "../../js/people.js";
import { pictureShelf } from "../../js/pictures.js";
import { hashTo } from "../../js/router.js";
import { allowed } from "../../js/session.js";
import { recall } from "../../js/storage.js";
import { toast } from "../../js/toast.js";
import { rate } from "../../js/verdict.js";
import { tellUnreached } from "../people/forget.js";
import { candidateCard } from "./candidate.js";
import { casePath, picturePath } from "./paths.js";

/** Which candidates are shown. @type {Record<string, (review: any) => boolean>} */
const FILTERS = { all: () => true, open: (review) => !review, yes: (review) => review?.says === "yes", unsure: (review) => review?.says === "unsure", no: (review) => review?.says === "no" };

export async function mount(root, { params: [id], query, signal }) {
  const collection = query.get("collection") ?? recall("collection") ?? "";
  const back = h("a.back", { href: hashTo("missing", { collection }) }, icon("back"), t("missing.title"));
  const head = h("div");
  const said = h("div.said");
  const body = h("div.stack.loose");
  const shelf = pictureShelf(signal);
  root.append(back, head, said, body);
  fill(head, h("h1", { tabindex: "-1" }, t("case.one")));
  fill(body, skeleton(6));
  show(await get(casePath(collection, id), { signal }));

  function show(found) {
    fill(head, headOf(found, run, drop));
    fill(body, probes(found, collection, shelf), found.run ? candidates({ found, collection, shelf, signal }) : notRun());
  }

  async function run(event) {
    const button = event.currentTarget;
    button.setAttribute("aria-busy", "true");
    fill(said);
    try {
      const found = await post(casePath(collection, id, "run"), { signal });
      show(found);
      toast(t("case.found", { n: found.run.candidates.length }));
      head.querySelector("button")?.focus();
    } catch (error) {
      if (!signal.aborted) fill(said, errorNotice(error));
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  async function drop() {
    let done = null;
    const act = async () => (done = await remove(casePath(collection, id), { signal }));
    if (!await confirmed({ title: t("case.delete.title"), text: t("case.delete.text"), action: t("case.delete"), act, signal })) return;
    toast(t("case.deleted"));
    await tellUnreached(done, signal);
    location.hash = back.hash;
  }

  function notRun() {
    return empty({ icon: "missing", title: t("case.unrun"), text: t("case.unrun.text"), action: h("button.button.primary", { type: "button", onclick: run }, icon("search"), t("case.run")) });
  }
}

/** Who it may be, with a choice of those that are left to review. */
function candidates({ found, collection, shelf, signal }) {
  const list = h("ol.stack.loose");
  const told = h("span.soft.small", { role: "status" });
  let reviews = found.reviews;
  const cards = found.run.candidates.map((one) => ({ id: one.person_id, element: candidateCard({ found, one, collection, shelf, signal, reviewed: (now) => {
    reviews = now.reviews;
    count();
  } }) }));
  const count = () => fill(told, t("case.counted", { n: cards.length, reviewed: Object.keys(reviews).length }));
  const sift = (filter) => {
    const left = cards.filter((one) => FILTERS[filter](reviews[one.id]));
    fill(list, left.length ? left.map((one) => one.element) : h("li", empty({ icon: "check", title: t("case.sifted") })));
  };
  if (!cards.length) return empty({ icon: "people", title: t("case.nobody"), text: t("case.nobody.text") });
  sift("all");
  count();
  return h("section.stack",
    h("div.row.apart",
      h("div", h("h2", t("case.candidates")), told),
      choice({ label: t("case.filter"), options: Object.keys(FILTERS).map((value) => ({ value, label: t(`case.filter.${value}`) })), value: "all", onchange: sift })),
    h("p.soft", t("case.candidates.text")),
    list,
    ruleCard(found));
}

function headOf(found, run, drop) {
  return h("header.page-head",
    h("div",
      h("h1", { tabindex: "-1" }, found.title || t("case.untitled")),
      found.notes && h("p.lede.lines", found.notes),
      found.tags.length > 0 && h("p.chips", tagChips(found.tags))),
    h("div.row",
      h("button.button.primary", { type: "button", onclick: run }, icon("search"), t(found.run ? "case.again" : "case.run")),
      allowed(["enroll"]) && h("button.button.danger", { type: "button", onclick: drop }, icon("trash"), t("case.delete"))));
}

function probes(found, collection, shelf) {
  return h("section.stack.tight",
    h("h2", t("case.who")),
    h("ul.probes", found.probes.map((probe, i) => {
      const says = t("case.probe", { number: i + 1 });
      return h("li",
        shelf.path(picturePath(collection, found.id, `probe-${i + 1}.jpg`), says),
        h("span.strong.small", takenWords(probe)),
        h("span.soft.small.clip", { title: photoName(probe.photograph) }, photoName(probe.photograph)));
    })));
}

function takenWords({ taken, taken_by: by }) {
  if (!taken) return t("case.undated");
  return by === "photograph" ? t("case.taken.camera", { taken }) : taken;
}

function ruleCard({ run }) {
  const band = (distance) => (distance === null ? h("span.unmeasured", t("none")) : number(distance, 3));
  return h("section.card.stack", h("h2", t("rule.title")),
    facts([
      [t("case.ran"), moment(run.made)],
      [t("scale.threshold"), number(run.threshold, 3)],
      [t("compare.fmr"), rate(run.fmr)],
      [t("system.review"), band(run.review_distance)],
      [t("case.far"), band(run.far_review_distance)],
      [t("compare.metric"), h("span.capital", t(`metric.${run.metric}`))],
    ]),
    h("p.soft.small", run.fmr === null ? t("rule.unmeasured") : t("case.rule", { rate: percent(run.fmr) }), " ", t("rule.source", { source: tOr(`source.${run.source}`, run.source) })));
}
