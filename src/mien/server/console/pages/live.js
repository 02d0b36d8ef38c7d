// Live: what a camera sees, and what the server says about it.

import { form, get, post, segment } from "../js/api.js";
import { answerable, columnsOf } from "../js/aspects.js";
import { snapshot, startCamera, whyNot } from "../js/camera.js";
import { collectionField, listCollections, usualCollection } from "../js/collections.js";
import { fill, h } from "../js/dom.js";
import { chip } from "../js/figures.js";
import { choice, field, pills } from "../js/fields.js";
import { askFrames } from "../js/frames.js";
import { number, t } from "../js/i18n.js";
import { icon } from "../js/icons.js";
import { labelOf, liveFaces, placed } from "../js/live-faces.js";
import { empty, errorNotice, skeleton } from "../js/notices.js";
import { faceOverlay } from "../js/overlay.js";
import { pageHead } from "../js/router.js";
import { allowed } from "../js/session.js";

const QUALITY = 0.8;
const USUAL = ["live", "age", "expression"];
/** What is worth asking several times a second. */
const OFFERED = new Set(["live", "age", "gender", "expression", "mask", "quality", "landmarks"]);

export async function mount(root, { signal }) {
  const stage = h("div.stack");
  const panel = h("div.stack.live-panel", h("div.card", skeleton(5)));
  const told = h("p.quiet-reader", { role: "status" });
  const buttons = h("div.row");
  root.append(pageHead({ title: t("live.title"), lede: t("live.lede"), actions: [buttons] }), h("div.split", stage, panel), told);

  /** What is asked. */
  const asked = { mode: "look", chosen: new Set(USUAL), collection: null };
  let running = null; // AbortController while the camera is on.
  let paused = null; // Function that goes on, while nothing is asked.
  let device;
  let last = ""; // What screen readers were told.

  off();
  const [system, collections] = await Promise.all([get("system", { signal }), allowed(["search"]) ? listCollections(signal) : []]);
  const aspects = answerable(system.available).filter((one) => OFFERED.has(one.name));
  asked.chosen = new Set(aspects.map((one) => one.name).filter((name) => USUAL.includes(name)));
  asked.collection = usualCollection(collections);
  const faces = h("div");
  fill(panel, settings(), faces);

  // Nobody wants to be filmed by a page that nobody looks at.
  let resume = false;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      resume = running !== null && paused === null;
      stop();
    } else if (resume) start();
  }, { signal });

  function settings() {
    const detail = h("div");
    const options = ["look", "who"].map((value) => ({ value, label: t(`live.mode.${value}`) }));
    const turn = (mode) => {
      asked.mode = mode;
      fill(detail, mode === "look" ? lookOptions(aspects, asked) : whoOptions(collections, asked));
    };
    turn(asked.mode);
    return h("section.card.stack", collections.length > 0 && h("div", choice({ label: t("live.mode"), options, value: asked.mode, onchange: turn })), detail);
  }

  function off() {
    fill(buttons);
    fill(stage, empty({
      icon: "live", title: t("live.off"), text: t("live.off.text"),
      action: h("button.button.primary", { type: "button", onclick: start }, icon("camera"), t("live.start")),
    }));
  }

  function stop() {
    running?.abort();
    running = null;
    paused = null;
    off();
  }

  async function start() {
    running?.abort();
    running = new AbortController();
    const mine = running.signal;
    signal.addEventListener("abort", () => running?.abort(), { signal: mine });
    fill(stage, h("div.skeleton", { style: { height: "min(50dvh, 24rem)" } }));
    try {
      const video = await startCamera(mine, device);
      if (mine.aborted) return;
      await watch(video, mine);
    } catch (error) {
      if (mine.aborted) return;
      stop();
      fill(stage, error instanceof DOMException ? whyNot(error) : errorNotice(error, { again: start }));
      if (error instanceof DOMException) stage.append(h("div.row", h("button.button", { type: "button", onclick: start }, icon("again"), t("again"))));
    }
  }

  async function watch(video, mine) {
    const [track] = video.srcObject.getVideoTracks();
    const mirrored = track.getSettings().facingMode !== "environment"; // As a mirror shows it.
    const size_wh = /** @type {[number, number]} */ ([video.videoWidth, video.videoHeight]);
    const overlay = faceOverlay({ picture: video, size_wh, signal: mine });
    overlay.draw(["landmarks"]);
    video.classList.toggle("mirrored", mirrored);
    const state = h("div.row.apart.live-state");
    const devices = h("div", { hidden: true });
    fill(stage, overlay.element, state, devices);
    fill(buttons, pauseButton(video, state), h("button.button", { type: "button", onclick: stop }, icon("close"), t("live.stop")));
    showDevices(devices, track);
    track.addEventListener("ended", () => {
      if (mine.aborted) return;
      stop();
      fill(stage, whyNot(new DOMException("", "NotFoundError")));
    });
    fill(state, chip(t("live.first")));

    await askFrames({
      signal: mine,
      take: async (side) => {
        if (paused) await new Promise((resolve) => {
          paused = resolve;
          mine.addEventListener("abort", resolve, { once: true });
        });
        return snapshot(video, { quality: QUALITY, most: side });
      },
      ask: (frame) => ask(frame, mine),
      told: (answer, pace) => {
        if (paused) return;
        const rows = answer.people ?? answer.faces.map((face) => ({ face }));
        overlay.show(
          rows.map(({ face }) => placed(face, answer.size_wh, size_wh, mirrored)),
          rows.map((row, i) => labelOf(row, i, system.thresholds.live)?.text),
          rows.map((row, i) => labelOf(row, i, system.thresholds.live)?.kind));
        fill(faces, liveFaces(rows, { liveFrom: system.thresholds.live, threshold: answer.threshold }));
        fill(state, chip(t("live.on"), "good"), pacing(pace));
        announce(rows);
      },
      busy: (waitS) => fill(state, chip(t("live.busy", { n: Math.ceil(waitS) }), "warn")),
    });
  }

  function ask(frame, mine) {
    if (asked.mode === "who") return post(`collections/${segment(asked.collection)}/identify`, { form: form({ photo: frame }), signal: mine });
    return post("analyze", { form: form({ photo: frame, columns: columnsOf(asked.chosen, system.available).join(",") || "box" }), signal: mine });
  }

  function pauseButton(video, state) {
    const button = h("button.button", { type: "button" }, icon("pause"), t("live.pause"));
    button.addEventListener("click", () => {
      if (paused) {
        const goOn = paused;
        paused = null;
        video.play();
        goOn();
        fill(button, icon("pause"), t("live.pause"));
      } else {
        paused = () => {};
        video.pause();
        fill(state, chip(t("live.paused")));
        fill(button, icon("play"), t("live.resume"));
      }
    });
    return button;
  }

  /** Which camera, where there are several; browsers name them once they may be used. */
  async function showDevices(place, track) {
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "videoinput");
    if (cameras.length < 2) return;
    place.hidden = false;
    const present = track.getSettings().deviceId;
    const turn = (event) => {
      device = event.target.value;
      start();
    };
    fill(place, field({ label: t("live.camera"), control: h("select.input", { onchange: turn }, cameras.map((one, i) => h("option", { value: one.deviceId, selected: one.deviceId === present }, one.label || t("live.camera.number", { number: i + 1 })))) }));
  }

  /** Only what changes: who came, who left. */
  function announce(rows) {
    const names = rows.map((row) => row.person).filter(Boolean);
    const now = [String(t("analyze.found", { n: rows.length })), ...names].join(", ");
    if (now !== last) told.textContent = last = now;
  }
}

function lookOptions(aspects, asked) {
  return h("div.field",
    h("span.label", t("analyze.options")),
    pills({ label: t("analyze.options"), options: aspects.map(({ name }) => ({ value: name, label: t(`aspect.${name}`) })), chosen: asked.chosen, onchange: (chosen) => (asked.chosen = chosen) }));
}

const whoOptions = (collections, asked) =>
  collectionField({ collections, value: asked.collection, onchange: (name) => (asked.collection = name), help: t("live.who.help") });

function pacing({ latencyMs, perSecond, side }) {
  return h("span.row.soft.small",
    h("span", t("live.rate", { rate: number(perSecond, 1) })),
    h("span", t("live.latency", { ms: number(latencyMs) })),
    h("span", t("live.size", { pixels: number(side) })));
}
