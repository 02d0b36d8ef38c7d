// Photographs to enrol somebody by, portion by portion, and what came of all of them.

import { form, get, post } from "../../js/api.js";
import { portionsOf } from "../../js/portions.js";

/**
 * @typedef {object} Report
 * @property {string[]} faces Identifiers of those that are kept.
 * @property {number} repeated How many were known already.
 * @property {any[]} resembles MatchRows of the API.
 * @property {{file: File | null, error: any, name?: string}[]} failures Photographs that gave no face; without an error:
 *   that were not looked at.
 * @property {any} error Why the rest was not looked at.
 */

/**
 * @param {object} about
 * @param {string} about.path Of the API.
 * @param {File[]} about.files
 * @param {Record<string, any>} about.fields Besides the photographs.
 * @param {(sent: number) => void} about.told
 * @param {AbortSignal} about.signal
 * @returns {Promise<Report>}
 */
export async function sendPhotographs({ path, files, fields, told, signal }) {
  /** @type {Report} */
  const report = { faces: [], repeated: 0, resembles: [], failures: [], error: null };
  const left = [...files];
  try {
    const { limits } = await get("system", { signal });
    for (const portion of portionsOf(files, limits)) {
      told(files.length - left.length);
      take(report, portion, await post(path, { form: form({ photo: portion, ...fields }), signal }).catch(withoutFaces));
      left.splice(0, portion.length);
    }
  } catch (error) {
    // What was not sent may be sent once more.
    report.error = error;
    report.failures.push(...left.map((file) => ({ file, error: null })));
  }
  return report;
}

/** A portion of which no photograph gave a face is an error, and tells of each. */
function withoutFaces(error) {
  if (!error.details?.failures) throw error;
  return { faces: [], repeated: 0, resembles: [], ...error.details };
}

/** Add what came of a portion; failures are told of in its order, by the names of the photographs. */
function take(report, portion, done) {
  report.faces.push(...done.faces);
  report.repeated += done.repeated;
  report.resembles.push(...done.resembles);
  const left = [...portion];
  for (const failure of done.failures) {
    const at = left.findIndex((file) => failure.source.endsWith(file.name));
    report.failures.push({ file: at < 0 ? null : left.splice(at, 1)[0], error: failure.error, name: failure.source });
  }
}
