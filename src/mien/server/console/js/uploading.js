// Photographs to a job that was not started: portion after portion, each on the server's disk before the next.

import { ApiError, freshKey, post, segment } from "./api.js";
import { pathOf } from "./folders.js";
import { portionsOf } from "./portions.js";

const TRIES = 6;
const LONGEST_WAIT_S = 20;
/** Of these the server recovers by itself; status 0: it does not answer. */
const PASSING = new Set([0, 429, 502, 503, 504]);

/**
 * @typedef {object} Upload
 * @property {() => Promise<any>} goOn Sends what was not sent; the job as it is then. Throws ApiError, after which it
 *   may be called again: no photograph is taken in twice.
 * @property {() => {files: number, bytes: number, ofFiles: number, ofBytes: number}} sent
 */

/**
 * @param {object} about
 * @param {string} about.job Identifier.
 * @param {File[]} about.files
 * @param {{max_body_bytes: number, max_photographs: number}} about.limits Of the server.
 * @param {() => void} about.told More was sent.
 * @param {AbortSignal} about.signal
 * @returns {Upload}
 */
export function uploadTo({ job, files, limits, told, signal }) {
  // One key for each portion, also when it is sent again.
  const portions = portionsOf(files, limits).map((portion) => ({ portion, idempotencyKey: freshKey() }));
  const sent = { files: 0, bytes: 0, ofFiles: files.length, ofBytes: bytesOf(files) };
  let row = null;
  return {
    sent: () => ({ ...sent }),
    async goOn() {
      while (portions.length) {
        const { portion, idempotencyKey } = portions[0];
        const send = () => post(`jobs/${segment(job)}/photographs`, { form: withFolders(portion), idempotencyKey, signal });
        row = await patiently(send, signal);
        portions.shift();
        sent.files += portion.length;
        sent.bytes += bytesOf(portion);
        told();
      }
      return row;
    },
  };
}

const bytesOf = (files) => files.reduce((sum, file) => sum + file.size, 0);

function withFolders(files) {
  const made = new FormData();
  for (const file of files) made.append("photo", file, pathOf(file));
  return made;
}

/** Again, as long as the server may recover by itself. */
async function patiently(send, signal) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send();
    } catch (error) {
      // The portion may still be being taken in, from when its answer was lost.
      const passing = error instanceof ApiError && (PASSING.has(error.status) || error.code === "request_in_progress");
      if (!passing || tries === TRIES || signal.aborted) throw error;
      const waitS = Math.max(error.waitS ?? 0, Math.min(2 ** (tries - 1), LONGEST_WAIT_S));
      await new Promise((resolve) => setTimeout(resolve, 1000 * waitS));
    }
  }
}
