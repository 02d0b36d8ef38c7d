// Live: what a camera sees, and what the server says about it.

import { form, get, post, segment } from "../js/api.js";
import { answerable, columnsOf } from "../js/aspects.js";
import { startCamera, whyNot } from "../js/camera.js";
import { collectionField, listCollections, usualCollection } from "../js/collections.js";
import { fill, h } from "../js/dom.js";
import { choice, pills } from "../js/fields.js";
import { t } from "../js/i18n.js";
import { icon } from "../js/icons.js";
import { liveFaces } from "../js/live-faces.js";
import { liveStage } from "../js/live-stage.js";
import { empty, errorNotice, skeleton } from "../js/notices.js";
import { pageHead } from "../js/router.js";
import { allowed } from "../js/session.js";

const USUAL = ["live", "age", "expression"];
/** What is worth asking several times a second. */
const OFFERED = new Set(["live", "age", "gender", "expression", "mask", "quality", "landmarks"]);

export async function mount(root, { signal }) {
  const stage = h("div.stack");
  const panel = h("div.stack.live-panel", h("div.card", skeleton(5)));
  const faces = h("div");
  const told = h("p.quiet-reader", { role: "status" });
  const buttons = h("div.row");
  root.append(pageHead({ title: t("live.title"), lede: t("live.lede"), actions: [buttons] }), h("div.split", stage, panel), told);

  /** @type {AbortController | null} While the camera is on. */
  let running = null;
  let device;
  let returns = false; // Whether the camera comes back with the page.
  off();

  // Nobody wants to be filmed by a page that nobody looks at.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && returns) return start();
    returns = document.hidden && running !== null;
    if (returns) stop();
  }, { signal });

  // The camera may be started before the server has said what it can answer; its frames wait for that.
  const ready = questions(signal);
  const { element } = await ready;
  fill(panel, element, faces);

  function off(shown = cameraOff(start)) {
    fill(buttons);
    fill(stage, shown);
  }

  function stop() {
    running?.abort();
    running = null;
    off();
  }

  async function start() {
    running?.abort();
    running = new AbortController();
    const mine = AbortSignal.any([signal, running.signal]);
    fill(stage, h("div.skeleton", { style: { height: "min(50dvh, 24rem)" } }));
    try {
      const [video, { ask, liveFrom }] = await Promise.all([startCamera(mine, device), ready]);
      if (mine.aborted) return;
      const [track] = /** @type {MediaStream} */ (video.srcObject).getVideoTracks();
      track.addEventListener("ended", () => mine.aborted || fail(new DOMException("", "NotFoundError")));
      const tell = (rows, { threshold }) => {
        fill(faces, liveFaces(rows, { liveFrom, threshold }));
        announce(told, rows);
      };
      const shown = liveStage({ video, ask: (frame) => ask(frame, mine), told: tell, liveFrom, turn, signal: mine });
      fill(stage, shown.element);
      fill(buttons, shown.pause, h("button.button", { type: "button", onclick: stop }, icon("close"), t("live.stop")));
      await shown.watch();
    } catch (error) {
      if (!mine.aborted) fail(error);
    }
  }

  function fail(error) {
    stop();
    if (!(error instanceof DOMException)) return off(errorNotice(error, { again: start }));
    off([whyNot(error), h("div", h("button.button", { type: "button", onclick: start }, icon("again"), t("again")))]);
  }

  function turn(wanted) {
    device = wanted;
    start();
  }
}

const cameraOff = (start) => empty({
  icon: "live", title: t("live.off"), text: t("live.off.text"),
  action: h("button.button.primary", { type: "button", onclick: start }, icon("camera"), t("live.start")),
});

/** Only what changes: who came, who left. */
function announce(told, rows) {
  const names = rows.map((row) => row.person).filter(Boolean);
  const now = [String(t("analyze.found", { n: rows.length })), ...names].join(", ");
  if (told.textContent !== now) told.textContent = now;
}

/**
 * What to ask about each frame, as the user chooses.
 * @param {AbortSignal} signal
 * @returns {Promise<{element: HTMLElement, liveFrom: number | undefined, ask: (frame: File, signal: AbortSignal) => Promise<any>}>}
 */
async function questions(signal) {
  const [system, collections] = await Promise.all([get("system", { signal }), allowed(["search"]) ? listCollections(signal) : []]);
  const aspects = answerable(system.available).filter((one) => OFFERED.has(one.name));
  let mode = "look";
  let chosen = new Set(aspects.map((one) => one.name).filter((name) => USUAL.includes(name)));
  let collection = usualCollection(collections);
  const detail = h("div");
  const details = {
    look: () => h("div.field", h("span.label", t("analyze.options")), pills({
      label: t("analyze.options"), options: aspects.map(({ name }) => ({ value: name, label: t(`aspect.${name}`) })), chosen, onchange: (now) => (chosen = now),
    })),
    who: () => collectionField({ collections, value: collection, onchange: (name) => (collection = name), help: t("live.who.help") }),
  };
  const turn = (value) => {
    mode = value;
    fill(detail, details[mode]());
  };
  turn(mode);
  const options = Object.keys(details).map((value) => ({ value, label: t(`live.mode.${value}`) }));
  const asking = {
    look: (frame, ended) => post("analyze", { form: form({ photo: frame, columns: columnsOf(chosen, system.available).join(",") || "box" }), signal: ended }),
    who: (frame, ended) => post(`collections/${segment(collection)}/identify`, { form: form({ photo: frame }), signal: ended }),
  };
  return {
    element: h("section.card.stack", collections.length > 0 && h("div", choice({ label: t("live.mode"), options, value: mode, onchange: turn })), detail),
    liveFrom: system.thresholds?.live,
    ask: (frame, ended) => asking[mode](frame, ended),
  };
}
