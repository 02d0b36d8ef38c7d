// One frame after the other to the server, never two at once: as large as it keeps up with, and with pauses when
// it is busy.

import { ApiError } from "./api.js";

const SIDES = [320, 480, 640, 960, 1280]; // Of the longer side, in pixels.
const FIRST = 2;
const SLOW_MS = 700;
const QUICK_MS = 220;
const STEADY = 6; // Quick answers, before frames grow.
const LEAST_MS = 60; // From frame to frame: faces do not move faster.
const LONGEST_WAIT_S = 15;
const RECENT = 12; // Answers that the rate is counted from.
/** Of these the server recovers by itself; status 0: it does not answer. */
const PASSING = new Set([0, 429, 502, 503, 504]);

/**
 * @typedef {object} Pace
 * @property {number} latencyMs From the picture to its answer.
 * @property {number} perSecond Answers.
 * @property {number} side Of the frame.
 */

/**
 * @param {object} about
 * @param {() => Promise<boolean>} about.ready Waits until frames are wanted; whether it had to.
 * @param {(side: number) => Promise<File>} about.take
 * @param {(frame: File) => Promise<any>} about.ask
 * @param {(answer: any, pace: Pace) => void} about.told
 * @param {(waitS: number, error: ApiError) => void} about.busy The server is to be left alone for so long.
 * @param {AbortSignal} about.signal Ends it.
 * @returns {Promise<void>} When it was ended. Throws ApiError for what does not pass.
 */
export async function askFrames({ ready, take, ask, told, busy, signal }) {
  let step = FIRST;
  let steady = 0;
  let failures = 0;
  const times = [];
  while (!signal.aborted) {
    if (await ready()) times.length = 0;
    if (signal.aborted) return;
    const begun = performance.now();
    try {
      const answer = await ask(await take(SIDES[step]));
      if (signal.aborted) return;
      const now = performance.now();
      const latencyMs = now - begun;
      times.push(now);
      times.splice(0, times.length - RECENT);
      failures = 0;
      told(answer, { latencyMs, perSecond: times.length > 1 ? (1000 * (times.length - 1)) / (now - times[0]) : 0, side: SIDES[step] });
      steady = latencyMs < QUICK_MS ? steady + 1 : 0;
      if (latencyMs > SLOW_MS) step = Math.max(step - 1, 0);
      else if (steady >= STEADY) [step, steady] = [Math.min(step + 1, SIDES.length - 1), 0];
      await pause(LEAST_MS - latencyMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError && PASSING.has(error.status))) throw error;
      const waitS = Math.max(error.waitS ?? 0, Math.min(2 ** failures, LONGEST_WAIT_S));
      failures += 1;
      step = Math.max(step - 1, 0);
      times.length = 0;
      busy(waitS, error);
      await pause(1000 * waitS, signal);
    }
  }
}

/** @param {number} ms @param {AbortSignal} signal Ends it early. */
function pause(ms, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    signal.addEventListener("abort", resolve, { once: true });
  });
}
