// @ts-check
// A case file that takes everything from another case but the numbers that were moved. The Python
// twin is `fabless.links`.
import { inputOf } from "./answers.js";
import { decimal } from "./link.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").PageInput} PageInput */
/** @typedef {import("./page.js").Changes} Changes */

/** Digits with which ends of a range are written: more than anybody states, fewer than rounding shows in. */
const DIGITS = 12;

/**
 * Range of an input that is moved: a range above zero is multiplied, any other shifted; both are
 * kept within what such a number can be.
 * @param {PageInput} input
 * @param {number} value in the input's unit
 * @returns {{low: number, mode: number, high: number}}
 */
export function movedRange(input, value) {
  const least = input.least === null ? -Infinity : input.least;
  const most = input.most === null ? Infinity : input.most;
  if (value === input.value) return { low: input.low, mode: value, high: input.high };
  const factor = value / input.value;
  const low = input.low > 0 ? input.low * factor : input.low + (value - input.value);
  const high = input.low > 0 ? input.high * factor : input.high + (value - input.value);
  return {
    low: Math.min(Math.max(low, Math.min(least, value)), value),
    mode: value,
    high: Math.max(Math.min(high, Math.max(most, value)), value),
  };
}
