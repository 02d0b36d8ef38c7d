// What distances mean, by a calibration of the API: the same arithmetic as mien.gallery.calibration.

/** @typedef {{distances: number[], rates: number[], evidence_distances: number[], evidence: number[], threshold: number, requested_fmr: number}} Calibration */

/** How often strangers come so near; null below what the data supports. @param {Calibration} found @param {number} distance */
export function rateAt(found, distance) {
  if (distance < found.distances[0]) return null;
  return Math.exp(between(distance, found.distances, found.rates.map(Math.log)));
}

/** The largest distance of one person at a false-match rate. @param {Calibration} found @param {number} rate */
export const thresholdAt = (found, rate) =>
  rate === found.requested_fmr ? found.threshold : between(Math.log(rate), found.rates.map(Math.log), found.distances);

/** Of one person, if one and two were equally probable before looking. @param {Calibration} found @param {number} distance */
export const probabilityAt = (found, distance) => 1 / (1 + 10 ** -between(distance, found.evidence_distances, found.evidence));

/** How probable it is that a stranger is taken for one of so many people. @param {number} rate @param {number} people */
export const amongMany = (rate, people) => -Math.expm1(people * Math.log1p(-rate));

/** Between the two nearest of rising places; beyond the ends the value there. */
function between(at, places, values) {
  const next = places.findIndex((place) => place >= at);
  if (next === -1) return values.at(-1);
  if (next === 0) return values[0];
  const share = (at - places[next - 1]) / (places[next] - places[next - 1]);
  return values[next - 1] + share * (values[next] - values[next - 1]);
}
