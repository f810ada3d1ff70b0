// @ts-check
// Reading between the values of a table: monotone cubic pieces (Fritsch and Butland 1984, ends as
// Moler 2004), which never pass a value that stands in the table.

/**
 * Slope at an end of a curve from its first two steps, kept monotone.
 * @param {number} width of the outer step
 * @param {number} nextWidth
 * @param {number} slope of the outer step
 * @param {number} nextSlope
 * @returns {number}
 */
function endSlope(width, nextWidth, slope, nextSlope) {
  const tangent = ((2 * width + nextWidth) * slope - width * nextSlope) / (width + nextWidth);
  if (Math.sign(tangent) !== Math.sign(slope)) return 0;
  if (Math.sign(slope) !== Math.sign(nextSlope) && Math.abs(tangent) > 3 * Math.abs(slope)) return 3 * slope;
  return tangent;
}

/**
 * Slope of the curve at each value: the weighted harmonic mean of the slopes at both sides, none
 * at a peak.
 * @param {number[]} x rising
 * @param {number[]} y
 * @returns {number[]}
 */
export function monotoneSlopes(x, y) {
  const widths = x.slice(1).map((value, k) => value - x[k]);
  const slopes = widths.map((width, k) => (y[k + 1] - y[k]) / width);
  const last = slopes.length - 1;
  if (last === 0) return [slopes[0], slopes[0]];
  return x.map((_, k) => {
    if (k === 0) return endSlope(widths[0], widths[1], slopes[0], slopes[1]);
    if (k > last) return endSlope(widths[last], widths[last - 1], slopes[last], slopes[last - 1]);
    if (slopes[k - 1] * slopes[k] <= 0) return 0;
    const left = 2 * widths[k] + widths[k - 1];
    const right = widths[k] + 2 * widths[k - 1];
    return (left + right) / (left / slopes[k - 1] + right / slopes[k]);
  });
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

/**
 * Value of the monotone curve through points, within their ends.
 * @param {number[]} x rising, at least two
 * @param {number[]} y
 * @param {number} at within the ends of `x`
 * @returns {number}
 */
export function monotone(x, y, at) {
  if (!isWithin(x, at)) throw new RangeError(`${at} is outside ${x[0]} to ${x[x.length - 1]}`);
  const exact = x.indexOf(at);
  if (exact >= 0) return y[exact];
  const slopes = monotoneSlopes(x, y);
  const k = x.findIndex((value) => value > at) - 1;
  const width = x[k + 1] - x[k];
  const t = (at - x[k]) / width;
  const s = 1 - t;
  return y[k] * s * s * (1 + 2 * t) + slopes[k] * width * t * s * s
    + y[k + 1] * t * t * (3 - 2 * t) - slopes[k + 1] * width * t * t * s;
}

/**
 * Value between the points of a table, read by logarithms where the table says so for its values
 * and wherever all answers are above 0. A value of the table gives its answer exactly.
 * @param {number[]} x rising
 * @param {number[]} y
 * @param {number} at within the ends of `x`
 * @param {boolean} isLog whether values lie by their logarithm
 * @returns {number}
 */
export function between(x, y, at, isLog) {
  const exact = x.indexOf(at);
  if (exact >= 0) return y[exact];
  const placed = isLog ? x.map(Math.log) : x;
  const place = isLog ? Math.log(at) : at;
  return y.every((value) => value > 0)
    ? Math.exp(monotone(placed, y.map(Math.log), place)) : monotone(placed, y, place);
}

/**
 * Value between the points of a grid: along its second side first, then along its first.
 * @param {[number[], number[]]} x values of both sides, rising
 * @param {number[]} y row by row
 * @param {[number, number]} at
 * @param {[boolean, boolean]} isLog
 * @returns {number}
 */
export function betweenBoth(x, y, at, isLog) {
  const width = x[1].length;
  const along = x[0].map((_, row) => between(x[1], y.slice(row * width, (row + 1) * width), at[1], isLog[1]));
  return between(x[0], along, at[0], isLog[0]);
}
