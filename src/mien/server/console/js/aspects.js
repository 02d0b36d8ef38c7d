// What can be asked about a face, in the words of users: several columns of the API may answer one question.

/** @typedef {{name: string, columns: readonly string[], costly?: boolean}} Aspect */

/** @type {readonly Aspect[]} */
export const ASPECTS = Object.freeze([
  { name: "age", columns: ["age"] },
  { name: "gender", columns: ["gender"] },
  { name: "expression", columns: ["expression"] },
  { name: "live", columns: ["live"] },
  { name: "mask", columns: ["mask"] },
  { name: "quality", columns: ["quality", "quality_parts"] },
  { name: "pose", columns: ["pose"] },
  { name: "open", columns: ["eyes_open", "mouth_open"] },
  { name: "landmarks", columns: ["landmarks"] },
  { name: "landmarks_106", columns: ["landmarks_106"], costly: true },
  { name: "mesh", columns: ["mesh"], costly: true },
  { name: "blendshapes", columns: ["blendshapes"], costly: true },
]);

/** Those that the installed packs can answer. @param {string[]} available Columns. */
export const answerable = (available) => ASPECTS.filter((one) => one.columns.some((column) => available.includes(column)));

/** The columns that answer the chosen questions. @param {Set<string>} chosen @param {string[]} available */
export const columnsOf = (chosen, available) =>
  ASPECTS.filter((one) => chosen.has(one.name)).flatMap((one) => one.columns).filter((column) => available.includes(column));
