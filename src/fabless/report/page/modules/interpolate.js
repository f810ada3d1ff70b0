// @ts-check
// Curves through the values of a table. `fabless.decide.questions.between` states the rule and is
// its Python.

/**
 * Index of the step between two places of a rising row in which a place lies.
 * @param {number[]} places rising
 * @param {number} at
 * @returns {number}
 */
export function stepAt(places, at) {
  const above = places.findIndex((place) => place > at);
  return Math.min(Math.max((above < 0 ? places.length : above) - 1, 0), places.length - 2);
}

/**
 * Slope at an end of a curve from its first two steps, kept monotone.
 * @param {number} width of the outer step
 * @param {number} nextWidth
 * @param {number} rise slope of the outer step
 * @param {number} nextRise
 * @returns {number}
 */
function endSlope(width, nextWidth, rise, nextRise) {
  const slope = ((2 * width + nextWidth) * rise - width * nextRise) / (width + nextWidth);
  if (slope * rise <= 0) return 0;
  return rise * nextRise <= 0 && Math.abs(slope) > 3 * Math.abs(rise) ? 3 * rise : slope;
}

/**
 * Slope of the curve at one of its places: a weighted harmonic mean of the slopes beside it, none
 * at a peak.
 * @param {number[]} widths
 * @param {number[]} rises
 * @param {number} k
 * @returns {number}
 */
function slopeAt(widths, rises, k) {
  const last = widths.length;
  if (last === 1) return rises[0];
  if (k === 0) return endSlope(widths[0], widths[1], rises[0], rises[1]);
  if (k === last) return endSlope(widths[last - 1], widths[last - 2], rises[last - 1], rises[last - 2]);
  if (rises[k - 1] * rises[k] <= 0) return 0;
  const left = 2 * widths[k] + widths[k - 1];
  const right = widths[k] + 2 * widths[k - 1];
  return (left + right) / (left / rises[k - 1] + right / rises[k]);
}

/**
 * Value of the monotone cubic curve through points (Fritsch and Butland 1984), which never passes
 * the values on both sides.
 * @param {number} at within the ends of `places`
 * @param {number[]} places rising
 * @param {number[]} values
 * @returns {number}
 */
export function monotone(at, places, values) {
  if (places.length === 1) return values[0];
  const k = stepAt(places, at);
  const widths = places.slice(1).map((place, i) => place - places[i]);
  const rises = widths.map((width, i) => (values[i + 1] - values[i]) / width);
  const u = (at - places[k]) / widths[k];
  const left = slopeAt(widths, rises, k);
  const right = slopeAt(widths, rises, k + 1);
  return values[k] * (1 + 2 * u) * (1 - u) ** 2 + values[k + 1] * u * u * (3 - 2 * u)
    + widths[k] * u * (1 - u) * (left * (1 - u) - right * u);
}

/**
 * Value between the four corners of a cell of a grid.
 * @param {[number, number]} at
 * @param {[number[], number[]]} grids places of both sides, rising
 * @param {(i: number, j: number) => number} value at a corner
 * @returns {number}
 */
export function bilinear(at, grids, value) {
  const i = stepAt(grids[0], at[0]);
  const j = stepAt(grids[1], at[1]);
  const u = (at[0] - grids[0][i]) / (grids[0][i + 1] - grids[0][i]);
  const v = (at[1] - grids[1][j]) / (grids[1][j + 1] - grids[1][j]);
  return (1 - u) * (1 - v) * value(i, j) + u * (1 - v) * value(i + 1, j)
    + (1 - u) * v * value(i, j + 1) + u * v * value(i + 1, j + 1);
}

/**
 * Whether a value lies within the ends of a table's values.
 * @param {number[]} x rising
 * @param {number} at
 * @returns {boolean}
 */
export function isWithin(x, at) {
  return at >= x[0] && at <= x[x.length - 1];
}
