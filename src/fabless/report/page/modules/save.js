// @ts-check
// A case file that takes everything from another case but the inputs that were moved.
// `fabless.links.case_yaml` states its form and writes the same text.
import { inputOf } from "./answers.js";
import { shortened } from "./format.js";
import { decimal } from "./link.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").PageInput} PageInput */
/** @typedef {import("./page.js").Changes} Changes */

/** Digits with which the ends of a moved range are written. */
export const END_DIGITS = 12;

/** Words that YAML reads as something else than themselves. */
const NO_PLAIN_KEYS = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/**
 * Range of an input that is moved: a range above zero is multiplied, any other shifted; both are
 * kept within what such a number can be.
 * @param {PageInput} input
 * @param {number} value in the input's unit
 * @returns {{low: number, high: number}}
 */
export function movedRange(input, value) {
  if (value === input.value) return { low: input.low, high: input.high };
  const least = Math.min(input.least === null ? -Infinity : input.least, value);
  const most = Math.max(input.most === null ? Infinity : input.most, value);
  const factor = value / input.value;
  const low = input.low > 0 ? input.low * factor : input.low + (value - input.value);
  const high = input.low > 0 ? input.high * factor : input.high + (value - input.value);
  return { low: Math.min(Math.max(low, least), value), high: Math.max(Math.min(high, most), value) };
}

/**
 * A key as YAML takes it.
 * @param {string} text
 * @returns {string}
 */
function keyText(text) {
  const isPlain = /^[A-Za-z_][A-Za-z0-9_-]*$/.test(text) && !NO_PLAIN_KEYS.includes(text.toLowerCase());
  return isPlain ? text : JSON.stringify(text);
}

/**
 * A number written with the digits of an end.
 * @param {number} value
 * @returns {string}
 */
function endText(value) {
  return decimal(shortened(value, END_DIGITS));
}

/**
 * A moved number as a case file states it.
 * @param {PageInput} input
 * @param {number} value
 * @returns {string}
 */
function numberText(input, value) {
  const { low, high } = movedRange(input, value);
  const note = `moved from ${endText(input.value)}`;
  return [
    `low: ${decimal(Math.min(shortened(low, END_DIGITS), value))}`,
    `mode: ${decimal(value)}`,
    `high: ${decimal(Math.max(shortened(high, END_DIGITS), value))}`,
    `unit: ${JSON.stringify(input.unit)}`,
    ...(input.log ? ["scale: log"] : []),
    "beyond: 0",
    ...(input.news ? [`news: ${input.news}`] : []),
    `note: ${JSON.stringify(note)}`,
  ].join(", ");
}

/**
 * Order of names by code point, as Python sorts.
 * @param {string} one
 * @param {string} other
 * @returns {number}
 */
function byCodePoint(one, other) {
  const [left, right] = [[...one], [...other]];
  const k = left.findIndex((sign, i) => sign !== right[i]);
  if (k < 0) return left.length - right.length;
  return k >= right.length ? 1 : /** @type {number} */ (left[k].codePointAt(0)) - /** @type {number} */ (right[k].codePointAt(0));
}

/**
 * Name of the case file that `caseFileText` writes.
 * @param {Page} page
 * @returns {string}
 */
export function savedName(page) {
  return `${page.case.name}-moved`;
}

/**
 * Text of a case file of what was moved; its answer is that of the link.
 * @param {Page} page
 * @param {Changes} changes
 * @returns {string}
 */
export function caseFileText(page, changes) {
  const lines = [
    `# What differs from ${page.case.name}; everything else is taken from there.`,
    `from: ${keyText(page.case.name)}`,
    `name: ${savedName(page)}`,
    `title: ${JSON.stringify(`${page.case.title}, moved`)}`,
  ];
  /** @type {string[]} */
  let above = [];
  for (const name of Object.keys(changes).sort(byCodePoint)) {
    const input = inputOf(page, name);
    if (!input) continue;
    const sections = name.split(".");
    const last = sections[sections.length - 1];
    sections.pop();
    const differing = sections.findIndex((section, k) => section !== above[k]);
    const shared = differing < 0 ? sections.length : differing;
    for (let k = shared; k < sections.length; k += 1) lines.push(`${"  ".repeat(k)}${keyText(sections[k])}:`);
    lines.push(`${"  ".repeat(sections.length)}${keyText(last)}: {${numberText(input, changes[name])}}`);
    above = sections;
  }
  return `${lines.join("\n")}\n`;
}
