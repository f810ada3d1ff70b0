// @ts-check
// Four ways to state the same cost. Each is exact: a cost of a query is turned by the way's own
// tokens and power, and turned back.
import { cents, centDecimals, count, significant, usd } from "./format.js";
import { filled } from "./texts.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").Way} Way */
/** @typedef {import("./page.js").Served} Served */

/** Keys of the units, as state and links name them; the first is the page's at rest. */
export const UNITS = ["cents", "million-tokens", "tokens-a-usd", "mw-year"];

const MILLION = 1e6;

/**
 * A cost of a query in a unit: cents, USD a million tokens, tokens a USD, or USD a MW-year.
 * @param {string} unit
 * @param {number} costUsd of a query
 * @param {Served} way what a query and a MW-year come to under the way
 * @returns {number}
 */
export function inUnit(unit, costUsd, way) {
  if (unit === "million-tokens") return (costUsd / way.tokens_per_query) * MILLION;
  if (unit === "tokens-a-usd") return way.tokens_per_query / costUsd;
  if (unit === "mw-year") return costUsd * way.queries_per_mw_year;
  return costUsd * 100;
}

/**
 * Cost of a query [USD] that stands behind a value in a unit.
 * @param {string} unit
 * @param {number} value
 * @param {Served} way
 * @returns {number}
 */
export function outOfUnit(unit, value, way) {
  if (unit === "million-tokens") return (value / MILLION) * way.tokens_per_query;
  if (unit === "tokens-a-usd") return way.tokens_per_query / value;
  if (unit === "mw-year") return value / way.queries_per_mw_year;
  return value / 100;
}

/**
 * Text of a value in a unit, without the unit. Cents take the decimals of their column.
 * @param {string} unit
 * @param {number} value
 * @param {number} decimals
 * @returns {string}
 */
export function valueText(unit, value, decimals = 2) {
  if (unit === "tokens-a-usd") return count(value);
  if (unit === "mw-year") return usd(value);
  return unit === "million-tokens" ? significant(value, 3) : cents(value / 100, decimals);
}

/**
 * Text of a cost of a query in a unit.
 * @param {string} unit
 * @param {number} costUsd
 * @param {Served} way
 * @param {number} decimals of cents
 * @returns {string}
 */
export function costText(unit, costUsd, way, decimals = 2) {
  return unit === "cents" ? cents(costUsd, decimals) : valueText(unit, inUnit(unit, costUsd, way));
}

/**
 * Decimals of cents in which the middle costs of all ways are told apart.
 * @param {{p50: number}[]} ways
 * @returns {number}
 */
export function decimalsOf(ways) {
  return centDecimals(ways.map((way) => way.p50));
}

/**
 * Words of a unit: name for the menu and title of a picture.
 * @param {Page} page
 * @param {string} unit
 * @returns {{name: string, title: string}}
 */
export function unitWords(page, unit) {
  return { name: page.texts[`unit_${unit}`], title: page.texts[`unit_${unit}_title`] };
}

/**
 * A cost with its unit, as it stands in a sentence or a tooltip.
 * @param {Page} page
 * @param {string} unit
 * @param {number} costUsd of a query
 * @param {Served} served
 * @param {number} decimals of cents
 * @returns {string}
 */
export function costWords(page, unit, costUsd, served, decimals = 2) {
  return filled(page.texts[`unit_${unit}_of`], { value: costText(unit, costUsd, served, decimals) });
}

/**
 * What a query and a MW-year come to in the future of a dot.
 * @param {{t: number, q: number}} dot
 * @returns {Served}
 */
export function servedBy(dot) {
  return { tokens_per_query: dot.t, queries_per_mw_year: dot.q };
}
