// @ts-check
// The table of answers: what every way comes to where one input or two are moved.
import { between, betweenBoth, isWithin } from "./interpolate.js";
import { plain, withUnit } from "./format.js";
import { filled } from "./texts.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").PageInput} PageInput */
/** @typedef {import("./page.js").Changes} Changes */
/** @typedef {import("./page.js").Levels} Levels */
/** @typedef {import("./page.js").Answer} Answer */
/** @typedef {import("./page.js").Control} Control */
/** @typedef {import("./page.js").FlipAt} FlipAt */

/** @type {(keyof Levels)[]} */
export const LEVEL_NAMES = ["cash", "unserved", "risk", "cents", "missing"];

/**
 * An input by its name.
 * @param {Page} page
 * @param {string} name
 * @returns {PageInput | undefined}
 */
export function inputOf(page, name) {
  return page.inputs.find((input) => input.name === name);
}

/**
 * A typed number: digits with a point, thousands apart by commas or spaces, an exponent, or k, M,
 * B, T behind. NaN where it is none.
 * @param {string} text
 * @returns {number}
 */
export function typedNumber(text) {
  const bare = text.trim().replace(/[\u2212\u2013]/g, "-").replace(/(\d)[,\u00a0\u202f ](?=\d{3}(?!\d))/g, "$1");
  const match = /^([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([kMBT%]?)$/.exec(bare);
  if (!match) return NaN;
  const power = { k: 3, M: 6, B: 9, T: 12 }[match[2]] || 0;
  // As text, so that 0.3M is the number that 300000 is.
  const [digits, exponent = "0"] = match[1].toLowerCase().split("e");
  return Number(`${digits}e${Number(exponent) + power}`);
}

/** Share of a value within which another is taken for it. */
const SAME = 1e-9;

/**
 * Value that an input is moved to: an end of its range or the case's own where the value is written
 * as one of them.
 * @param {PageInput} input
 * @param {number} value
 * @returns {number}
 */
export function settledValue(input, value) {
  const near = [input.value, input.low, input.high].find(
    (point) => Math.abs(value - point) <= SAME * Math.max(Math.abs(value), Math.abs(point)));
  return near === undefined ? value : near;
}

/**
 * Why an input cannot take a value, in words; empty where it can. The stated range is the allowed
 * one, and its ends belong to it.
 * @param {Page} page
 * @param {string} name
 * @param {number} value in the input's unit
 * @returns {string}
 */
export function refusalOf(page, name, value) {
  const input = inputOf(page, name);
  if (!input) return filled(page.texts.no_such_input, { name });
  if (input.fixed) return filled(page.texts.input_fixed, { name: input.label, why: input.fixed });
  if (!Number.isFinite(value)) return filled(page.texts.not_a_number, { name: input.label });
  const settled = settledValue(input, value);
  if (settled >= input.low && settled <= input.high) return "";
  return filled(page.texts.outside_range, {
    name: input.label, low: plain(input.low), high: withUnit(input.high, input.unit),
  });
}

/**
 * Whether the table answers where these inputs are moved.
 * @param {Page} page
 * @param {Changes} changes
 * @returns {boolean}
 */
export function reaches(page, changes) {
  const names = Object.keys(changes);
  if (names.length === 0) return true;
  if (names.length === 1) return page.controls.some((control) => control.name === names[0]);
  return names.length === 2 && crossedOf(page, names) !== undefined;
}

/**
 * The grid of two inputs, whichever is named first.
 * @param {Page} page
 * @param {string[]} names
 * @returns {import("./page.js").Crossed | undefined}
 */
function crossedOf(page, names) {
  return page.crossed.find((grid) => names.every((name) => grid.names.includes(name)));
}

/**
 * What every way comes to at moved inputs: total, its three parts, cost of a query and missing
 * share. Undefined where the table does not reach; nothing is read beyond its ends.
 * @param {Page} page
 * @param {Changes} changes
 * @returns {{[way: string]: Answer} | undefined}
 */
export function answersAt(page, changes) {
  if (!reaches(page, changes)) return undefined;
  const names = Object.keys(changes);
  if (names.length === 0) {
    return Object.fromEntries(page.ways.map((way) => [way.key, {
      cash: way.cash, unserved: way.unserved, risk: way.risk, total: way.total, cents: way.p50, missing: way.missing,
    }]));
  }
  const read = names.length === 1 ? lineReader(page, names[0], changes[names[0]]) : gridReader(page, names, changes);
  if (!read) return undefined;
  return Object.fromEntries(page.ways.map((way) => {
    const [cash, unserved, risk, cents, missing] = LEVEL_NAMES.map((level) => read(way.key, level));
    return [way.key, { cash, unserved, risk, total: cash + unserved + risk, cents, missing }];
  }));
}

/**
 * @param {Page} page
 * @param {string} name
 * @param {number} value
 * @returns {((way: string, level: keyof Levels) => number) | undefined}
 */
function lineReader(page, name, value) {
  const control = page.controls.find((candidate) => candidate.name === name);
  if (!control || !isWithin(control.x, value)) return undefined;
  return (way, level) => between(control.x, control.levels[way][level], value, control.log);
}

/**
 * @param {Page} page
 * @param {string[]} names
 * @param {Changes} changes
 * @returns {((way: string, level: keyof Levels) => number) | undefined}
 */
function gridReader(page, names, changes) {
  const grid = crossedOf(page, names);
  if (!grid) return undefined;
  /** @type {[number, number]} */
  const at = [changes[grid.names[0]], changes[grid.names[1]]];
  /** @param {string} name */
  const isLogOf = (name) => page.controls.some((control) => control.name === name && control.log);
  /** @type {[boolean, boolean]} */
  const isLog = [isLogOf(grid.names[0]), isLogOf(grid.names[1])];
  if (!at.every((value, side) => isWithin(grid.x[side], value))) return undefined;
  return (way, level) => betweenBoth(grid.x, grid.levels[way][level], at, isLog);
}

/** Values of a control at which the winner is looked up between its ends. */
const LOOKED_AT = 96;

/**
 * Way that comes first at moved inputs; empty where the table does not reach.
 * @param {Page} page
 * @param {Changes} changes
 * @returns {string}
 */
export function winnerAt(page, changes) {
  const answers = answersAt(page, changes);
  if (!answers) return "";
  return page.ways.map((way) => way.key).reduce((best, key) => (answers[key].total < answers[best].total ? key : best));
}

/**
 * Where the winner changes along a control while the other changes hold; null where that is not
 * known. Alone, these are the flips of the page.
 * @param {Page} page
 * @param {Changes} changes
 * @param {Control} control
 * @returns {FlipAt[] | null}
 */
export function flipsAlong(page, changes, control) {
  const others = Object.fromEntries(Object.entries(changes).filter(([name]) => name !== control.name));
  if (Object.keys(others).length === 0) return control.flips;
  if (!reaches(page, { ...others, [control.name]: control.low })) return null;
  const low = control.x[0];
  const high = control.x[control.x.length - 1];
  /** @param {number} share */
  const valueAt = (share) => Math.min(high, Math.max(low,
    control.log ? low * (high / low) ** share : low + (high - low) * share));
  /** @param {number} share */
  const winner = (share) => winnerAt(page, { ...others, [control.name]: valueAt(share) });
  const seen = Array.from({ length: LOOKED_AT + 1 }, (_, k) => winner(k / LOOKED_AT));
  return seen.flatMap((above, k) => (k === 0 || above === seen[k - 1] ? [] : [{
    at: valueAt(borderBetween(winner, (k - 1) / LOOKED_AT, k / LOOKED_AT)), below: seen[k - 1], above,
  }]));
}

/**
 * Share at which a winner is no longer that of the lower end, by halving.
 * @param {(share: number) => string} winner
 * @param {number} low
 * @param {number} high
 * @returns {number}
 */
function borderBetween(winner, low, high) {
  const before = winner(low);
  for (let k = 0; k < 12; k += 1) {
    const middle = (low + high) / 2;
    if (winner(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}
