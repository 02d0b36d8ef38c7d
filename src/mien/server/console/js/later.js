// Waiting until somebody has stopped typing.

const PAUSE_MS = 250;

/**
 * Call once nothing has happened for a moment.
 * @template {any[]} A
 * @param {(...given: A) => void} act
 * @returns {(...given: A) => void}
 */
export function later(act) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), PAUSE_MS);
  };
}
