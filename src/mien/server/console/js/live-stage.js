// A camera that is on: its picture with the faces in it, how fast answers come, and a pause.

import { snapshot } from "./camera.js";
import { fill, h } from "./dom.js";
import { chip } from "./figures.js";
import { field } from "./fields.js";
import { askFrames } from "./frames.js";
import { number, t } from "./i18n.js";
import { icon } from "./icons.js";
import { labelOf, placed } from "./live-faces.js";
import { faceOverlay } from "./overlay.js";

const QUALITY = 0.8;

/**
 * @param {object} about
 * @param {HTMLVideoElement} about.video Playing.
 * @param {(frame: File) => Promise<any>} about.ask PhotoRow or RecognisedRow of the API.
 * @param {(rows: import("./live-faces.js").Row[], answer: any) => void} about.told
 * @param {number | undefined} about.liveFrom
 * @param {(device: string) => void} about.turn Another camera is wanted.
 * @param {AbortSignal} about.signal Ends it.
 * @returns {{element: HTMLElement, pause: HTMLElement, watch: () => Promise<void>}} `watch` goes on until it is ended, or
 *   throws what does not pass.
 */
export function liveStage({ video, ask, told, liveFrom, turn, signal }) {
  const [track] = /** @type {MediaStream} */ (video.srcObject).getVideoTracks();
  const mirrored = track.getSettings().facingMode !== "environment"; // As a mirror shows it.
  const size_wh = /** @type {[number, number]} */ ([video.videoWidth, video.videoHeight]);
  const overlay = faceOverlay({ picture: video, size_wh, signal });
  overlay.draw(["landmarks"]);
  video.classList.toggle("mirrored", mirrored);
  const state = h("div.row.apart.live-state", chip(t("live.first")));
  const gate = openGate(signal);

  function show(answer, pace) {
    if (gate.shut()) return;
    const rows = answer.people ?? answer.faces.map((face) => ({ face }));
    const labels = rows.map((row, i) => labelOf(row, i, liveFrom));
    overlay.show(rows.map(({ face }) => placed(face, answer.size_wh, size_wh, mirrored)), labels.map((one) => one.text), labels.map((one) => one.kind));
    fill(state, chip(t("live.on"), "good"), pacing(pace));
    told(rows, answer);
  }

  const pause = h("button.button", { type: "button", onclick: press }, icon("pause"), t("live.pause"));
  function press() {
    const shut = gate.turn();
    if (shut) video.pause();
    else video.play();
    if (shut) fill(state, chip(t("live.paused")));
    fill(pause, icon(shut ? "play" : "pause"), t(shut ? "live.resume" : "live.pause"));
  }

  return {
    element: h("div.stack", overlay.element, state, whichCamera(track, turn)),
    pause,
    watch: () => askFrames({
      signal,
      ready: gate.passed,
      take: (side) => snapshot(video, { quality: QUALITY, most: side }),
      ask,
      told: show,
      busy: (waitS) => fill(state, chip(t("live.busy", { n: Math.ceil(waitS) }), "warn")),
    }),
  };
}

/** Lets through, or holds until it is opened. @param {AbortSignal} signal Lets through for good. */
function openGate(signal) {
  let open = null; // While it is shut.
  let opened = Promise.resolve();
  signal.addEventListener("abort", () => open?.());
  return {
    shut: () => open !== null,
    /** @returns {Promise<boolean>} Whether somebody had to wait. */
    passed: async () => {
      const waited = open !== null;
      await opened;
      return waited;
    },
    /** @returns {boolean} Whether it is shut now. */
    turn() {
      if (open) {
        open();
        open = null;
      } else opened = new Promise((resolve) => (open = resolve));
      return open !== null;
    },
  };
}

function pacing({ latencyMs, perSecond, side }) {
  return h("span.row.soft.small",
    h("span", t("live.rate", { rate: number(perSecond, 1) })),
    h("span", t("live.latency", { ms: number(latencyMs) })),
    h("span", t("live.size", { pixels: number(side) })));
}

/** Where there are several cameras; browsers name them once they may be used. */
function whichCamera(track, turn) {
  const place = h("div", { hidden: true });
  navigator.mediaDevices.enumerateDevices().then((devices) => {
    const cameras = devices.filter((one) => one.kind === "videoinput");
    if (cameras.length < 2) return;
    const present = track.getSettings().deviceId;
    const options = cameras.map((one, i) => h("option", { value: one.deviceId, selected: one.deviceId === present }, one.label || t("live.camera.number", { number: i + 1 })));
    fill(place, field({ label: t("live.camera"), control: h("select.input", { onchange: (event) => turn(event.target.value) }, options) }));
    place.hidden = false;
  }, () => {}); // Then there is no choice.
  return place;
}
