// @ts-check
// What the page shows in a state: the case at rest, rough numbers from the table of answers, or
// that the page carries no answer. Numbers that are not new are named, never guessed.
import { answersAt, firstOf, flipsAlong } from "./answers.js";
import { linkOf } from "./link.js";
import { firstPair, sameChanges } from "./state.js";
import { filled } from "./texts.js";
import { verdictOf } from "./verdict.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").Pair} Pair */
/** @typedef {import("./page.js").State} State */
/** @typedef {import("./page.js").View} View */
/** @typedef {import("./page.js").Way} Way */
/** @typedef {import("./page.js").WayView} WayView */
/** @typedef {import("./page.js").WayNumber} WayNumber */
/** @typedef {import("./page.js").Answers} Answers */

/** Standard errors within which two ways are a tie. */
export const TIE_ERRORS = 2;

/** @type {WayNumber[]} */
const NOT_IN_TABLE = ["p10", "p90", "mean", "short", "meets", "more_error", "same_as", "own", "dots"];

/**
 * What the page shows in a state.
 * @param {Page} page
 * @param {State} state
 * @returns {View}
 */
export function viewOf(page, state) {
  const moved = Object.keys(state.changes);
  if (moved.length === 0) return restView(page);
  if (page.served && sameChanges(page.served.moved, state.changes)) return page.served.view;
  const answers = answersAt(page, state.changes);
  return answers ? roughView(page, state, answers) : beyondView(page, state);
}

/**
 * The page at rest.
 * @param {Page} page
 * @returns {View}
 */
export function restView(page) {
  return {
    level: "base",
    ways: page.ways.map((way) => ({ ...way, base: way, stale: [] })),
    recommended: page.recommended,
    against: page.against,
    verdict: page.verdict,
    claims: page.claims,
    pairs: page.pairs,
    flips: Object.fromEntries(page.controls.map((control) => [control.name, control.flips])),
    stale: false,
    moved: [],
    mark: "",
    beyond: null,
  };
}

/**
 * The page where no answer is known: the case's numbers, all of them marked as not new.
 * @param {Page} page
 * @param {State} state
 * @returns {View}
 */
export function beyondView(page, state) {
  const rest = restView(page);
  /** @type {WayNumber[]} */
  const all = ["p50", "total", "cash", "unserved", "risk", "missing", "more", "tie", ...NOT_IN_TABLE];
  return {
    ...rest,
    level: "beyond",
    ways: rest.ways.map((way) => ({ ...way, stale: all })),
    flips: Object.fromEntries(page.controls.map((control) => [control.name, null])),
    stale: true,
    moved: Object.keys(state.changes),
    beyond: { text: page.texts.beyond, command: commandOf(page, state) },
  };
}

/**
 * Command line that answers what the page cannot.
 * @param {Page} page
 * @param {State} state
 * @returns {string}
 */
export function commandOf(page, state) {
  const link = linkOf(page, { ...state, unit: "cents", pair: firstPair(page) });
  return `fabless decide ${page.case.name} --link '${link}'`;
}

/**
 * Standard error of the difference of two ways; where the page does not hold the two side by side,
 * as if each stood by itself beside the recommended one.
 * @param {Page} page
 * @param {string} a
 * @param {string} b
 * @returns {number}
 */
function errorOf(page, a, b) {
  const pair = page.pairs[`${a}|${b}`];
  if (pair) return pair.error;
  return Math.hypot(...page.ways.filter((way) => way.key === a || way.key === b).map((way) => way.more_error));
}

/** @type {("cash" | "unserved" | "risk")[]} */
const ROUGH_PARTS = ["cash", "unserved", "risk"];

/**
 * Difference of two ways in three parts that add up to it; what decides it is the part that takes
 * its side the most.
 * @param {Page} page
 * @param {Answers} answers
 * @param {string} a
 * @param {string} b
 * @returns {Pair}
 */
function roughPair(page, answers, a, b) {
  const error = errorOf(page, a, b);
  const bridge = ROUGH_PARTS.map((part) => ({
    part, usd: answers[a][part] - answers[b][part], how: page.texts[`bridge_${part}`],
  }));
  const difference = answers[a].total - answers[b].total;
  const decides = bridge.reduce((most, row) => (row.usd * Math.sign(difference) > most.usd * Math.sign(difference) ? row : most));
  return { difference, error, tie: Math.abs(difference) <= TIE_ERRORS * error, decides: decides.part, bridge };
}

/**
 * Whether two ways come to the same.
 * @param {Answers} answers
 * @param {string} a
 * @param {string} b
 * @returns {boolean}
 */
function areSame(answers, a, b) {
  return answers[a].total === answers[b].total && answers[a].cents === answers[b].cents;
}

/**
 * Ways that cannot be told from the first and are not the same as it.
 * @param {Answers} answers
 * @param {string} first
 * @param {{[pair: string]: Pair}} pairs
 * @returns {string[]}
 */
function tiedWith(answers, first, pairs) {
  return Object.keys(answers).filter(
    (key) => key !== first && !areSame(answers, key, first) && pairs[`${key}|${first}`].tie);
}

/**
 * A way at its answer, beside the first.
 * @param {Way} way
 * @param {Answers} answers
 * @param {string} first
 * @param {string[]} tied
 * @returns {WayView}
 */
function roughWay(way, answers, first, tied) {
  const { cash, unserved, risk, total, cents, missing } = answers[way.key];
  return {
    ...way, p50: cents, total, cash, unserved, risk, missing, more: total - answers[first].total,
    tie: way.key === first ? tied.length > 0 : tied.includes(way.key), first: way.key === first,
    base: way, stale: NOT_IN_TABLE,
  };
}

/**
 * The page with rough numbers.
 * @param {Page} page
 * @param {State} state
 * @param {Answers} answers
 * @returns {View}
 */
export function roughView(page, state, answers) {
  const keys = page.ways.map((way) => way.key);
  const first = firstOf(page, answers);
  const pairs = Object.fromEntries(keys.flatMap((a) => keys.filter((b) => b !== a).map(
    (b) => [`${a}|${b}`, roughPair(page, answers, a, b)])));
  const tied = tiedWith(answers, first, pairs);
  const ways = page.ways.map((way) => roughWay(way, answers, first, tied))
    .sort((a, b) => Number(b.first) - Number(a.first) || a.total - b.total);
  const against = againstOf(page, answers, first);
  return {
    level: "rough",
    ways,
    recommended: first,
    against,
    verdict: verdictOf({ texts: page.texts, ways, recommended: first, against, pairs }),
    claims: page.claims,
    pairs,
    flips: Object.fromEntries(page.controls.map(
      (control) => [control.name, flipsAlong(page, state.changes, control)])),
    stale: true,
    moved: Object.keys(state.changes),
    mark: filled(page.texts.rough, { n: page.check ? page.check.leaves : 0 }),
    beyond: null,
  };
}

/**
 * Way that the verdict is held against: the case's; where that comes first now, the one that came
 * first in the case; where that is the same as the first, the next that is not.
 * @param {Page} page
 * @param {Answers} answers
 * @param {string} first
 * @returns {string}
 */
export function againstOf(page, answers, first) {
  const others = [page.against, page.recommended, ...page.ways.map((way) => way.key)];
  return others.find((key) => key in answers && key !== first && !areSame(answers, key, first)) || "";
}
