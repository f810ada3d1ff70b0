// @ts-check
// The address of a page that was moved: `#v1&c=6242b62d&demand.growth=5`. `fabless.links` reads and
// writes the same.
import { refusalOf } from "./answers.js";
import { filled } from "./texts.js";
import { UNITS } from "./unit.js";
import { stateAtRest, withChange } from "./state.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").State} State */

export const LINK_VERSION = "v1";

/** Characters of a case's digest that a link carries. */
export const DIGEST_LENGTH = 8;

/** Longest link that is read [characters]. */
export const LONGEST_LINK = 4096;

/**
 * Whether what stands behind an address's hash is a link to a state, of this version or another.
 * @param {string} hash
 * @returns {boolean}
 */
export function isLink(hash) {
  return /^#?v\d+(&|$)/.test(hash);
}

/**
 * A name or value as it stands in a link: all but letters, digits and `-._~` by percent.
 * @param {string} text
 * @returns {string}
 */
export function encoded(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * The text behind a part of a link; undefined where it is no percent-encoded UTF-8.
 * @param {string} part
 * @returns {string | undefined}
 */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/**
 * A number as a plain decimal: the shortest that reads back as the same number, no exponent.
 * @param {number} value
 * @returns {string}
 */
export function decimal(value) {
  const text = String(value);
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign, whole, part = "", power] = match;
  const point = whole.length + Number(power);
  return point <= 0 ? `${sign}0.${"0".repeat(-point)}${whole}${part}` : `${sign}${(whole + part).padEnd(point, "0")}`;
}

/**
 * Link of a state: the case, every changed input by name, then how the page is looked at where
 * that is not as at rest. Empty where nothing differs.
 * @param {Page} page
 * @param {State} state
 * @returns {string}
 */
export function linkOf(page, state) {
  const rest = stateAtRest(page);
  const changes = Object.keys(state.changes).sort().map((name) => [name, decimal(state.changes[name])]);
  const looks = [
    ["unit", state.unit, rest.unit], ["a", state.pair[0], rest.pair[0]],
    ["b", state.pair[1], rest.pair[1]], ["future", state.future, rest.future],
  ].filter(([, value, atRest]) => value !== atRest);
  if (!changes.length && !looks.length) return "";
  const parts = [["c", page.case.digest.slice(0, DIGEST_LENGTH)], ...changes, ...looks];
  return `#${LINK_VERSION}${parts.map(([key, value]) => `&${encoded(key)}=${encoded(value)}`).join("")}`;
}

/**
 * State that a link asks for, and in words what of it could not be followed. What still fits is
 * applied.
 * @param {Page} page
 * @param {string} link with its hash
 * @returns {{state: State, faults: string[]}}
 */
export function stateOfLink(page, link) {
  const rest = stateAtRest(page);
  const [version, ...parts] = link.replace(/^#/, "").split("&");
  if (link.length > LONGEST_LINK) return { state: rest, faults: [page.texts.link_too_long] };
  if (version !== LINK_VERSION) return { state: rest, faults: [filled(page.texts.link_version, { version })] };
  let state = rest;
  /** @type {string[]} */
  const faults = [];
  /** @type {Set<string>} */
  const seen = new Set();
  for (const part of parts) {
    const cut = part.indexOf("=");
    const key = cut < 0 ? undefined : decoded(part.slice(0, cut));
    const value = cut < 0 ? undefined : decoded(part.slice(cut + 1));
    if (!key || value === undefined) faults.push(filled(page.texts.link_part, { part }));
    else if (seen.has(key)) faults.push(filled(page.texts.link_twice, { name: key }));
    else {
      seen.add(key);
      const followed = withPart(page, state, key, value);
      state = followed.state;
      if (followed.fault) faults.push(followed.fault);
    }
  }
  return { state, faults };
}

/**
 * @param {Page} page
 * @param {State} state
 * @param {string} key
 * @param {string} value
 * @returns {{state: State, fault: string}}
 */
function withPart(page, state, key, value) {
  const ways = page.ways.map((way) => way.key);
  /** @param {boolean} fits @param {Partial<State>} part */
  const look = (fits, part) => fits
    ? { state: { ...state, ...part }, fault: "" } : { state, fault: filled(page.texts.link_part, { part: `${key}=${value}` }) };
  if (key === "c") {
    const same = value === page.case.digest.slice(0, DIGEST_LENGTH);
    return { state, fault: same ? "" : page.texts.link_other_case };
  }
  if (key === "unit") return look(UNITS.includes(value), { unit: value });
  if (key === "a") return look(ways.includes(value), { pair: [value, state.pair[1]] });
  if (key === "b") return look(ways.includes(value), { pair: [state.pair[0], value] });
  if (key === "future") return look(page.futures.shown.some((shown) => shown.key === value), { future: value });
  const number = /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
  const fault = refusalOf(page, key, number);
  return { state: fault ? state : { ...state, changes: withChange(page, state.changes, key, number) }, fault };
}
