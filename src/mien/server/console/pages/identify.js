// Identify: who is in a photograph, among the people of a collection?

import { form, post, within } from "../js/api.js";
import { KINDS, candidate, decisionChip, ruleFacts } from "../js/candidates.js";
import { collectionPage } from "../js/collection-page.js";
import { fill, h } from "../js/dom.js";
import { choice } from "../js/fields.js";
import { jsonView, renamed } from "../js/files.js";
import { number, t } from "../js/i18n.js";
import { empty, errorNotice, skeleton } from "../js/notices.js";
import { faceOverlay } from "../js/overlay.js";
import { photoInput } from "../js/photo-input.js";
import { cutOut, takePhoto } from "../js/photos.js";
import { pictureShelf } from "../js/pictures.js";
import { tabbed } from "../js/tabs.js";
import { tagsField } from "../js/tags.js";
import { nobodyYet } from "./people/nobody.js";

const MOST = ["1", "3", "5", "10"];

export function mount(root, page) {
  // The photograph stays when another collection is chosen.
  const kept = { photo: null, k: MOST[1], tag: [] };
  return collectionPage({
    root,
    head: { title: t("identify.title"), lede: t("identify.lede") },
    icon: "identify",
    ...page,
    show: (shown) => showIdentify(shown, kept, page.signal),
  });
}

function showIdentify({ collection, body, signal }, kept, pageSignal) {
  if (!collection.faces) return fill(body, nobodyYet(collection.name));
  let asked = 0;
  const input = h("div");
  const options = h("div");
  const view = h("div");
  const told = h("p.quiet-reader", { role: "status" });
  fill(body, input, options, view, told);
  showInput();
  fill(options, h("details.more", h("summary", t("identify.options")), h("div.toolbar",
    h("div.row", h("span.small", t("identify.candidates")), choice({ label: t("identify.candidates"), options: MOST.map((value) => ({ value, label: value })), value: kept.k, onchange: (now) => change({ k: now }) })),
    tagsField({ label: t("people.tags"), placeholder: t("people.tags"), bare: true, tags: kept.tag, onchange: (now) => change({ tag: now }) }).element)));
  if (kept.photo) return identify();

  function showInput() {
    fill(input, photoInput({ take: ([file]) => take(file), signal, slim: Boolean(kept.photo) }));
  }

  async function take(file) {
    kept.photo = await takePhoto(file, pageSignal);
    showInput();
    await identify();
  }

  function change(now) {
    Object.assign(kept, now);
    if (kept.photo) identify();
  }

  async function identify() {
    const mine = (asked += 1);
    const { photo, k, tag } = kept;
    const waiting = faceOverlay({ photo, signal });
    fill(view, h("div.split", h("div.held", waiting.element), h("div.card", skeleton(6))));
    try {
      const found = await post(within(collection.name, "identify"), { form: form({ photo: photo.file, k, tag }), signal });
      if (mine !== asked) return; // Another photograph was put in meanwhile.
      fill(view, result({ found, photo, collection, signal }));
      fill(told, t("identify.told", { n: found.people.length, known: found.people.filter((one) => one.decision === "known").length }));
    } catch (error) {
      if (signal.aborted || mine !== asked) return;
      fill(view, h("div.split", h("div.held", waiting.element), errorNotice(error, { again: identify })));
    }
  }
}

/** A photograph beside those who are in it. */
function result({ found, photo, collection, signal }) {
  const shelf = pictureShelf(signal);
  const cards = [];
  const overlay = faceOverlay({ photo, size_wh: found.size_wh, chosen: (i) => choose(i, true), signal });
  overlay.show(found.people.map((one) => one.face), found.people.map((one, i) => one.person ?? i + 1), found.people.map((one) => KINDS[one.decision]));
  overlay.draw([]);

  function choose(index, scroll) {
    overlay.select(index);
    cards.forEach((card, i) => card.classList.toggle("chosen", i === index));
    if (scroll) cards[index].scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  cards.push(...found.people.map((one, index) => {
    const card = whoCard({ one, index, found, photo, collection: collection.name, shelf, choose: () => choose(index, false) });
    card.addEventListener("pointerenter", () => overlay.hint(index));
    card.addEventListener("pointerleave", () => overlay.hint(null));
    return card;
  }));
  const people = cards.length
    ? h("div.stack", h("ul.stack", cards), h("section.card", h("h2", t("rule.title")), ruleFacts(found, collection.people)))
    : empty({ icon: "identify", title: t("analyze.none"), text: t("analyze.none.text") });
  const json = h("div");
  return h("div.split",
    h("div.held", overlay.element),
    tabbed({
      label: t("analyze.results"),
      tabs: [
        { title: cards.length ? t("analyze.found", { n: cards.length }) : t("analyze.faces"), panel: people },
        { title: "JSON", panel: json, shown: () => json.firstChild || fill(json, jsonView(found, renamed(photo.name, ".json"))) },
      ],
    }));
}

function whoCard({ one, index, found, photo, collection, shelf, choose }) {
  const { decision, candidates, margin, face } = one;
  const nearest = candidates[0];
  const says = decision === "unknown" || !nearest ? t("identify.nobody") : decision === "known" ? nearest.person : t("identify.perhaps", { name: nearest.person });
  return h("li.card.face-card",
    h("div.top-line",
      h("button", { type: "button", onclick: choose, "aria-label": t("face.show", { number: index + 1 }) }, cutOut(photo, face.box, found.size_wh, 72)),
      h("div.grow",
        h("h2", t("face.number", { number: index + 1 })),
        h("p.says", says),
        h("div.row", decisionChip(decision)))),
    candidates.length > 0
      ? h("ol.candidates", { "aria-label": t("identify.candidates") }, candidates.map((match) => candidate({ match, collection, threshold: found.threshold, shelf })))
      : h("p.soft.small", t("identify.no-candidates")),
    margin !== null && decision !== "unknown" && h("p.soft.small", t("identify.margin", { distance: number(margin, 3) })));
}
