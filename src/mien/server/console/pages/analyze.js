// Analyze: photographs in, faces and what they show out.

import { form, get, post } from "../js/api.js";
import { anonymise } from "../js/anonymise.js";
import { ASPECTS, answerable, columnsOf } from "../js/aspects.js";
import { fill, h } from "../js/dom.js";
import { faceCard } from "../js/face-card.js";
import { pills } from "../js/fields.js";
import { jsonView, renamed } from "../js/files.js";
import { t } from "../js/i18n.js";
import { icon } from "../js/icons.js";
import { empty, errorNotice, skeleton } from "../js/notices.js";
import { LAYERS, faceOverlay } from "../js/overlay.js";
import { photoInput } from "../js/photo-input.js";
import { copyOf, takePhoto } from "../js/photos.js";
import { pageHead } from "../js/router.js";
import { tabbed } from "../js/tabs.js";

/** @typedef {{photo: import("../js/photos.js").Photo, answer: any, error: any}} Work One photograph; busy while it has neither. */

export async function mount(root, { signal }) {
  /** @type {Work[]} */
  const works = [];
  let current = 0;
  let leaving = new AbortController(); // The view of one photograph.

  const input = h("div");
  const strip = h("div.strip", { role: "group", "aria-label": t("analyze.photographs") });
  const view = h("div");
  const told = h("p.quiet-reader", { role: "status" });
  const options = h("div");
  root.append(pageHead({ title: t("analyze.title"), lede: t("analyze.lede") }), input, options, strip, view, told);
  showInput();

  // Photographs may be dropped before the server has said what it can answer; they wait for it.
  let aspects = [];
  let liveFrom;
  let chosen = new Set();
  const ready = get("system", { signal }).then((system) => {
    aspects = answerable(system.available);
    liveFrom = system.thresholds?.live;
    chosen = new Set(aspects.filter((one) => !one.costly).map((one) => one.name));
    showOptions();
    return system;
  });
  await ready;

  async function take(files) {
    const first = works.length;
    const photos = await Promise.all(files.map((file) => takePhoto(file, signal)));
    works.push(...photos.map((photo) => ({ photo, answer: null, error: null })));
    current = first;
    showInput();
    showOptions();
    show();
    await analyze(works.slice(first));
  }

  /** One after the other: the server has others to serve. @param {Work[]} some */
  async function analyze(some) {
    const system = await ready;
    const columns = columnsOf(chosen, system.available).join(",");
    for (const work of some) Object.assign(work, { answer: null, error: null });
    show();
    for (const work of some) {
      try {
        work.answer = await post("analyze", { form: form({ photo: work.photo.file, columns: columns || "box" }), signal });
      } catch (error) {
        if (signal.aborted) return;
        work.error = error;
      }
      if (work === works[current]) show();
      else showStrip();
    }
  }

  function showInput() {
    fill(input, photoInput({ take, signal, several: true, slim: works.length > 0 }));
  }

  function showOptions() {
    const lacking = ASPECTS.filter((one) => !one.costly && !aspects.includes(one)).map(({ name }) => t(`aspect.${name}`));
    fill(options, h("details.more", { open: !works.length && lacking.length > aspects.length },
      h("summary", t("analyze.options")),
      h("div.stack",
        pills({
          label: t("analyze.options"),
          options: aspects.map(({ name }) => ({ value: name, label: t(`aspect.${name}`) })),
          chosen,
          onchange: (now) => (chosen = now),
        }),
        lacking.length > 0 && h("p.hint.small", t("analyze.lacking", { names: lacking.join(", ") }), " ", h("code", "mien packs install open")),
        works.length > 0 && h("div", h("button.button.small", { type: "button", onclick: () => analyze(works) }, icon("again"), t("analyze.again"))))));
  }

  function showStrip() {
    strip.hidden = works.length < 2;
    fill(strip, works.map((work, i) => h("button", {
      type: "button", title: work.photo.name, "aria-current": String(i === current), onclick: () => {
        current = i;
        show();
      },
    }, copyOf(work.photo), h("span.quiet-reader", work.photo.name, " "), h("span.state", h("span.chip", work.error ? "!" : work.answer?.faces.length ?? "…")))));
  }

  function show() {
    showStrip();
    leaving.abort();
    leaving = new AbortController();
    signal.addEventListener("abort", () => leaving.abort(), { signal: leaving.signal });
    const work = works[current];
    fill(view, photoView(work, { signal: leaving.signal, liveFrom, again: () => analyze([work]) }));
    if (work.answer) told.textContent = String(t("analyze.found", { n: work.answer.faces.length }));
  }
}

/** One photograph beside what was found in it. */
function photoView(work, { signal, liveFrom, again }) {
  const { photo, answer, error } = work;
  const cards = [];
  const overlay = faceOverlay({ photo, size_wh: answer?.size_wh, chosen: (i) => choose(i, true), hinted: () => {}, signal });
  if (answer) overlay.show(answer.faces);

  function choose(index, scroll) {
    overlay.select(index);
    cards.forEach((card, i) => card.classList.toggle("chosen", i === index));
    cards[index].querySelector("details")?.setAttribute("open", "");
    if (scroll) cards[index].scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  cards.push(...(answer?.faces ?? []).map((face, index) => {
    const card = faceCard({ face, index, photo, size_wh: answer.size_wh, liveFrom, open: answer.faces.length === 1, choose: () => choose(index, false) });
    card.addEventListener("pointerenter", () => overlay.hint(index));
    card.addEventListener("pointerleave", () => overlay.hint(null));
    return card;
  }));
  return h("div.split",
    h("div.stack.held", overlay.element, answer && photoTools(photo, answer, overlay, signal)),
    error ? errorNotice(error, { again }) : answer ? results(photo, answer, cards) : h("div.card", skeleton(6)));
}

function photoTools(photo, answer, overlay, signal) {
  const layers = Object.keys(LAYERS).filter((name) => answer.faces.some((face) => face[name]));
  const first = new Set(layers.filter((name) => name === "landmarks" || !layers.includes("landmarks")).slice(0, 1));
  overlay.draw(first);
  return h("div.row.apart",
    layers.length > 0 && pills({
      label: t("overlay.layers"),
      options: layers.map((name) => ({ value: name, label: t(`layer.${name}`) })),
      chosen: first,
      onchange: (chosen) => overlay.draw(chosen),
    }),
    answer.faces.length > 0 && h("button.button.small", { type: "button", onclick: () => anonymise(photo, signal) }, icon("hide"), t("anonymise.button")));
}

function results(photo, answer, cards) {
  const faces = cards.length
    ? h("ul.stack", cards)
    : empty({ icon: "analyze", title: t("analyze.none"), text: t("analyze.none.text") });
  const json = h("div");
  return tabbed({
    label: t("analyze.results"),
    tabs: [
      { title: cards.length ? t("analyze.found", { n: cards.length }) : t("analyze.faces"), panel: faces },
      { title: "JSON", panel: json, shown: () => json.firstChild || fill(json, jsonView(answer, renamed(photo.name, ".json"))) },
    ],
  });
}
