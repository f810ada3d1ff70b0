// @ts-check
// The table of answers: what every way comes to where one input or two are moved.
import { bilinear, isWithin, monotone } from "./interpolate.js";
import { plain } from "./format.js";
import { filled } from "./texts.js";
import { measured } from "./verdict.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").PageInput} PageInput */
/** @typedef {import("./page.js").Changes} Changes */
/** @typedef {import("./page.js").Levels} Levels */
/** @typedef {import("./page.js").LevelsByWay} LevelsByWay */
/** @typedef {import("./page.js").Crossed} Crossed */
/** @typedef {import("./page.js").Answers} Answers */
/** @typedef {{byTotal: boolean, byCost: boolean}} Forms */
/** @typedef {{[curve: string]: number[]}} Curves */
/** @typedef {(changes: Changes) => Answers | undefined} Reader */
/** @typedef {import("./page.js").Control} Control */
/** @typedef {import("./page.js").FlipAt} FlipAt */

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
    name: input.label, low: plain(input.low), high: measured(page.texts, input.high, input.unit),
  });
}

/**
 * Place of a value on its input's own scale.
 * @param {number} value
 * @param {boolean} isLog
 * @returns {number}
 */
function placeOf(value, isLog) {
  return isLog ? Math.log(value) : value;
}

/**
 * Totals at each value of a table.
 * @param {Levels} levels of one way
 * @returns {number[]}
 */
function totalsOf(levels) {
  return levels.cash.map((cash, k) => cash + levels.unserved[k] + levels.risk[k]);
}

/**
 * Whether totals, and costs of a query, are read by their logarithm: all are above 0.
 * @param {LevelsByWay[]} tables
 * @returns {Forms}
 */
function formsOf(tables) {
  return {
    byTotal: tables.every((levels) => totalsOf(Object.values(levels)[0]).every((total) => total > 0)),
    byCost: tables.every((levels) => Object.values(levels).every((way) => way.cents.every((cost) => cost > 0))),
  };
}

/**
 * What is read between the values of a table: total and cost of a query of the first way, and of
 * every way what it is apart from that, its unserved demand, risk and missing share.
 * @param {LevelsByWay} levels
 * @param {Forms} forms
 * @returns {Curves}
 */
function curvesOf(levels, { byTotal, byCost }) {
  const first = Object.values(levels)[0];
  const totals = totalsOf(first);
  /** @type {Curves} */
  const curves = {
    total: byTotal ? totals.map(Math.log) : totals,
    cost: byCost ? first.cents.map(Math.log) : first.cents,
  };
  for (const [way, own] of Object.entries(levels)) {
    curves[`total ${way}`] = totalsOf(own).map((total, k) => total - totals[k]);
    curves[`cost ${way}`] = own.cents.map((cost, k) => (
      byCost ? Math.log(cost / first.cents[k]) : cost - first.cents[k]));
    curves[`unserved ${way}`] = own.unserved;
    curves[`risk ${way}`] = own.risk;
    curves[`missing ${way}`] = own.missing;
  }
  return curves;
}

/**
 * Every way out of the values of the curves; its parts add up to its total.
 * @param {string[]} ways
 * @param {(curve: string) => number} read
 * @param {Forms} forms
 * @returns {Answers}
 */
function composed(ways, read, { byTotal, byCost }) {
  const total = byTotal ? Math.exp(read("total")) : read("total");
  const cost = byCost ? Math.exp(read("cost")) : read("cost");
  return Object.fromEntries(ways.map((way) => {
    const unserved = Math.max(read(`unserved ${way}`), 0);
    const risk = read(`risk ${way}`);
    const apart = read(`cost ${way}`);
    const cash = total + read(`total ${way}`) - unserved - risk;
    return [way, {
      cash, unserved, risk, total: cash + unserved + risk, cents: byCost ? cost * Math.exp(apart) : cost + apart,
      missing: Math.min(Math.max(read(`missing ${way}`), 0), 1),
    }];
  }));
}

/**
 * Reader of the table for one moved input.
 * @param {Control} control
 * @returns {Reader}
 */
export function lineReader(control) {
  const forms = formsOf([control.levels]);
  const curves = curvesOf(control.levels, forms);
  const places = control.x.map((value) => placeOf(value, control.log));
  return (changes) => {
    const value = changes[control.name];
    if (!isWithin(control.x, value)) return undefined;
    const at = placeOf(value, control.log);
    return composed(Object.keys(control.levels), (curve) => monotone(at, places, curves[curve]), forms);
  };
}

/**
 * Reader of the table for two moved inputs: both alone, and what they do together.
 * @param {Crossed} grid
 * @param {[Control, Control]} singles the controls of its two inputs
 * @returns {Reader}
 */
function gridReader(grid, singles) {
  const [one, two] = singles;
  const forms = formsOf([grid.levels, one.levels, two.levels]);
  const together = curvesOf(grid.levels, forms);
  const [alone, other] = [curvesOf(one.levels, forms), curvesOf(two.levels, forms)];
  const [places, otherPlaces] = singles.map((single) => single.x.map((value) => placeOf(value, single.log)));
  /** @type {[number[], number[]]} */
  const grids = [grid.x[0].map((value) => placeOf(value, one.log)), grid.x[1].map((value) => placeOf(value, two.log))];
  const present = one.x.indexOf(one.value);
  /** @param {string} curve @param {number} s @param {number} t */
  const apart = (curve, s, t) => (
    monotone(s, places, alone[curve]) + monotone(t, otherPlaces, other[curve]) - alone[curve][present]);
  /** @type {{[curve: string]: number[]}} */
  const interactions = Object.fromEntries(Object.entries(together).map(([curve, values]) => [curve, values.map(
    (value, k) => value - apart(curve, grids[0][Math.floor(k / grids[1].length)], grids[1][k % grids[1].length]))]));
  return (changes) => {
    const values = grid.names.map((name) => changes[name]);
    if (!values.every((value, side) => isWithin(grid.x[side], value))) return undefined;
    /** @type {[number, number]} */
    const at = [placeOf(values[0], one.log), placeOf(values[1], two.log)];
    return composed(Object.keys(grid.levels), (curve) => apart(curve, ...at)
      + bilinear(at, grids, (i, j) => interactions[curve][i * grids[1].length + j]), forms);
  };
}

/**
 * Reader of the table for these moved inputs; undefined where it does not reach.
 * @param {Page} page
 * @param {string[]} names
 * @returns {Reader | undefined}
 */
export function readerFor(page, names) {
  /** @param {string} name */
  const controlOf = (name) => page.controls.find((control) => control.name === name);
  if (names.length === 0) return () => presentAnswers(page);
  if (names.length > 2) return undefined;
  const control = controlOf(names[0]);
  if (names.length === 1) return control && lineReader(control);
  const grid = page.crossed.find((candidate) => names.every((name) => candidate.names.includes(name)));
  const [one, two] = grid ? grid.names.map(controlOf) : [];
  return grid && one && two ? gridReader(grid, [one, two]) : undefined;
}

/**
 * @param {Page} page
 * @returns {Answers}
 */
function presentAnswers(page) {
  return Object.fromEntries(page.ways.map((way) => [way.key, {
    cash: way.cash, unserved: way.unserved, risk: way.risk, total: way.total, cents: way.p50, missing: way.missing,
  }]));
}

/**
 * What every way comes to at moved inputs: total, its three parts, cost of a query and missing
 * share. Undefined where the table does not reach; nothing is read beyond its ends.
 * @param {Page} page
 * @param {Changes} changes
 * @returns {Answers | undefined}
 */
export function answersAt(page, changes) {
  const reader = readerFor(page, Object.keys(changes));
  return reader && reader(changes);
}

/**
 * Way that comes first; of equal ones that which leaves the least open.
 * @param {Page} page
 * @param {Answers} answers
 * @returns {string}
 */
export function firstOf(page, answers) {
  const simplest = page.ways.slice().sort((left, right) => left.open - right.open);
  return simplest.map((way) => way.key).reduce((best, key) => (answers[key].total < answers[best].total ? key : best));
}

/** Values of a control at which the winner is looked up between its ends. */
const LOOKED_AT = 96;

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
  const reader = readerFor(page, [...Object.keys(others), control.name]);
  if (!reader) return null;
  const low = control.x[0];
  const high = control.x[control.x.length - 1];
  /** @param {number} share */
  const valueAt = (share) => Math.min(high, Math.max(low,
    control.log ? low * (high / low) ** share : low + (high - low) * share));
  /** @param {number} share */
  const winner = (share) => {
    const answers = reader({ ...others, [control.name]: valueAt(share) });
    return answers ? firstOf(page, answers) : "";
  };
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
