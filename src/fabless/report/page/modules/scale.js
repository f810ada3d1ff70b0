// @ts-check
// Elements, and the way from numbers to places: scales, ticks, lines and areas.

/** @typedef {(value: number) => number} Scale */
/** @typedef {Node | string | null | undefined | false} Child */
/** @typedef {{[name: string]: string | number | boolean | null | undefined | ((event: any) => void)}} Attributes */

const SVG_SPACE = "http://www.w3.org/2000/svg";

/**
 * @template {Element} T
 * @param {T} made
 * @param {Attributes} attributes
 * @param {Child[]} children
 * @returns {T}
 */
function dressed(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  for (const child of children) if (child) made.append(child);
  return made;
}

/**
 * An HTML element; attributes that are functions listen to the event of their name.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} attributes
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function html(tag, attributes = {}, ...children) {
  return dressed(document.createElement(tag), attributes, children);
}

/**
 * An SVG element.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} attributes
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, attributes = {}, ...children) {
  return dressed(document.createElementNS(SVG_SPACE, tag), attributes, children);
}

/**
 * A scale from numbers to places, even in the number or in its logarithm.
 * @param {[number, number]} from
 * @param {[number, number]} to
 * @param {boolean} isLog
 * @returns {Scale}
 */
export function scaleOf(from, to, isLog) {
  const read = isLog ? Math.log : Number;
  const [start, end] = [read(from[0]), read(from[1])];
  const slope = end === start ? 0 : (to[1] - to[0]) / (end - start);
  return (value) => to[0] + (read(value) - start) * slope;
}

/**
 * The number at a place of a scale.
 * @param {[number, number]} from
 * @param {boolean} isLog
 * @param {number} share of the way from the scale's start to its end
 * @returns {number}
 */
export function numberAt(from, isLog, share) {
  if (!isLog) return from[0] + (from[1] - from[0]) * share;
  return from[0] * (from[1] / from[0]) ** share;
}

/**
 * Round numbers within a range, at most as many as asked for: 1, 2, 5 and their tens on a log
 * scale, even steps of such a number on a linear one.
 * @param {[number, number]} range
 * @param {boolean} isLog
 * @param {number} most
 * @returns {number[]}
 */
export function roundTicks([low, high], isLog, most) {
  return isLog ? logTicks(low, high, most) : evenTicks(low, high, most);
}

/** @param {number} low @param {number} high @param {number} most @returns {number[]} */
function logTicks(low, high, most) {
  const kinds = [[1, 2, 5], [1, 3], [1]];
  for (const kind of kinds) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      for (const digit of kind) {
        const tick = Number(`${digit}e${power}`);
        if (tick >= low && tick <= high) ticks.push(tick);
      }
    }
    if (ticks.length <= most || kind.length === 1) {
      const every = Math.ceil(ticks.length / most);
      return ticks.filter((_, place) => place % every === 0);
    }
  }
  return [];
}

/** @param {number} low @param {number} high @param {number} most @returns {number[]} */
function evenTicks(low, high, most) {
  if (!(high > low)) return [low];
  const rough = (high - low) / most;
  const power = Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => Number(`${digit}e${power}`)).find((size) => size >= rough) || rough;
  const ticks = [];
  for (let count = Math.ceil(low / step - 1e-9); count * step <= high + step * 1e-9; count += 1) ticks.push(Number((count * step).toPrecision(12)));
  return ticks;
}

/**
 * A line through points.
 * @param {[number, number][]} points
 * @returns {string}
 */
export function lineThrough(points) {
  return points.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

/**
 * The area between two lines of the same places.
 * @param {[number, number][]} upper
 * @param {[number, number][]} lower
 * @returns {string}
 */
export function areaBetween(upper, lower) {
  return `${lineThrough(upper)}${lineThrough([...lower].reverse()).replace("M", "L")}Z`;
}

/**
 * Places that keep a least distance, each as near as may be to where it wants to stand.
 * @param {number[]} wanted in any order
 * @param {number} apart
 * @param {number} lowest place allowed
 * @param {number} highest place allowed
 * @returns {number[]}
 */
export function keptApart(wanted, apart, lowest, highest) {
  const order = wanted.map((_, place) => place).sort((a, b) => wanted[a] - wanted[b]);
  const placed = wanted.slice();
  let least = lowest;
  for (const place of order) {
    placed[place] = Math.max(placed[place], least);
    least = placed[place] + apart;
  }
  let most = highest;
  for (const place of order.reverse()) {
    placed[place] = Math.min(placed[place], most);
    most = placed[place] - apart;
  }
  return placed;
}

/**
 * A quarter as people write it.
 * @param {string} quarter such as 2027Q3
 * @returns {string}
 */
export function quarterText(quarter) {
  return quarter.replace("Q", " Q");
}

/**
 * The colour of a way, as a style.
 * @param {{slot: number} | undefined} way
 * @returns {string}
 */
export function wayColour(way) {
  return `var(--way-${way ? way.slot % 8 : 2})`;
}
