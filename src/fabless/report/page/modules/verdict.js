// @ts-check
// Sentences that change when something is moved, from the page's data alone.
// `fabless.report.page.sentences` states the rules and says the same in Python.
import { centDecimals, cents, fixed, listed, plain, shortened, significant, withUnit } from "./format.js";
import { filled } from "./texts.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").Way} Way */
/** @typedef {import("./page.js").Ranked} Ranked */
/** @typedef {import("./page.js").Verdict} Verdict */
/** @typedef {import("./page.js").Texts} Texts */
/** @typedef {import("./page.js").Control} Control */

/** @type {[number, string][]} Chance up to which each word holds: the first under it, others with it. */
const CHANCES = [[1 / 20, "very_unlikely"], [1 / 3, "unlikely"], [2 / 3, "even"], [19 / 20, "likely"]];

/** @type {[number, string][]} */
const AMOUNTS = [[1e12, "trillion"], [1e9, "billion"], [1e6, "million"]];

/**
 * Key of the word for a chance.
 * @param {number} chance
 * @returns {string}
 */
export function chanceWord(chance) {
  const [first, ...others] = CHANCES;
  if (chance < first[0]) return first[1];
  const found = others.find(([limit]) => chance <= limit);
  return found ? found[1] : "very_likely";
}

/**
 * A chance as a number of a hundred futures; what is not quite none or all says so.
 * @param {number} chance
 * @returns {string}
 */
export function ofHundred(chance) {
  if (chance > 1e-9 && chance < 0.005) return "<1";
  return chance > 0.995 && chance < 1 - 1e-9 ? ">99" : fixed(100 * chance, 0);
}

/**
 * @param {number} value
 * @returns {string}
 */
function shortText(value) {
  const text = significant(shortened(value, 3), 3);
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

/**
 * A number of things in words from a million on, with at most three digits that count.
 * @param {Texts} texts
 * @param {number} value
 * @returns {string}
 */
export function amount(texts, value) {
  const found = AMOUNTS.find(([scale]) => Math.abs(value) >= scale * 0.9995);
  return found ? filled(texts[`amount_${found[1]}`], { n: shortText(value / found[0]) }) : shortText(value);
}

/**
 * An amount of money in words.
 * @param {Texts} texts
 * @param {number} usd
 * @returns {string}
 */
export function money(texts, usd) {
  return filled(texts.money, { amount: amount(texts, usd) });
}

/**
 * A value of an input with its unit in words, where the language has words for the unit.
 * @param {Texts} texts
 * @param {number} value
 * @param {string} unit
 * @returns {string}
 */
export function measured(texts, value, unit) {
  const template = texts[`in_${unit}`];
  if (template === undefined) return withUnit(value, unit);
  return filled(template, { value: Math.abs(value) >= 1e6 ? amount(texts, value) : plain(value) });
}

/**
 * A quarter as it is read: 2025 Q4.
 * @param {string} quarter
 * @returns {string}
 */
export function quarterWords(quarter) {
  return quarter.replaceAll("Q", " Q");
}

/**
 * A date in words, with its year where asked.
 * @param {Texts} texts
 * @param {string} day
 * @param {boolean} withYear
 * @returns {string}
 */
export function dayWords(texts, day, withYear = false) {
  const [year, month, number] = day.split("-").map(Number);
  return filled(withYear ? texts.date_year : texts.date, { day: number, month: texts[`month_${month}`], year });
}

/**
 * A text that begins a sentence.
 * @param {string} text
 * @returns {string}
 */
function capital(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/**
 * A way by its key.
 * @param {{ways: Way[]}} page
 * @param {string} key
 * @returns {Way | undefined}
 */
export function wayOf(page, key) {
  return page.ways.find((way) => way.key === key);
}

/**
 * What to do, and what a query then costs beside the other way; `costs` are the numbers as written,
 * each with the way that it belongs to.
 * @param {Ranked} page
 * @returns {Verdict}
 */
export function verdictOf(page) {
  const texts = page.texts;
  const first = /** @type {Way} */ (wayOf(page, page.recommended));
  const other = wayOf(page, page.against);
  const decimals = centDecimals(page.ways.map((way) => way.p50));
  const cost = cents(first.p50, decimals);
  if (!other) {
    const total = money(texts, first.total);
    const template = page.ways.length > 1 ? texts.verdict_same : texts.verdict_alone;
    return { action: first.action, costs: [[cost, first.key]], numbers: filled(template, { cost, total }) };
  }
  const otherCost = cents(other.p50, decimals);
  const pair = page.pairs[`${first.key}|${other.key}`];
  const key = pair.tie ? "tie" : first.p50 < other.p50 && cost !== otherCost ? "less" : pair.decides;
  return {
    action: first.action,
    costs: [[cost, first.key], [otherCost, other.key]],
    numbers: filled(texts[`verdict_${key}`], {
      cost, other_cost: otherCost, other: other.said, heading: capital(other.said),
    }),
  };
}

/**
 * Where along an input another way comes first, seen from its present value.
 * @param {Ranked} page
 * @param {Control} control
 * @returns {string[]}
 */
export function flipSentences(page, control) {
  if (!control.flips.length) return [page.texts.flip_never];
  return control.flips.map((flip) => {
    const side = flip.at > control.value ? "above" : "below";
    const value = measured(page.texts, shortened(flip.at, 2), control.unit);
    const way = /** @type {Way} */ (wayOf(page, flip[side]));
    return filled(page.texts[`flip_${side}`], { way: way.name, value });
  });
}

/**
 * What kind of future one is: its demand, and how long supply stays scarce.
 * @param {Page} page
 * @param {number | string} future
 * @returns {string}
 */
export function futureName(page, future) {
  const about = page.futures.about[String(future)];
  const key = `future_${about.demand}_${about.scarce_until ? "scarce" : "free"}`;
  return filled(page.texts[key], { quarter: quarterWords(about.scarce_until) });
}

/**
 * The question that the page answers, in one line.
 * @param {Page} page
 * @returns {string}
 */
export function questionLine(page) {
  const known = Object.fromEntries(page.inputs.map((input) => [input.name, input]));
  const queries = known[page.question.queries];
  const growth = known[page.question.growth];
  const title = page.case.title;
  const day = dayWords(page.texts, page.case.as_of, true);
  if (!queries || !growth) return filled(page.texts.question_bare, { title, day });
  return filled(page.texts.question, {
    title, day, queries: amount(page.texts, queries.value), growth: plain(growth.value),
  });
}

/**
 * Ways that cannot be told from the recommended one, named; empty where there are none.
 * @param {Ranked} page
 * @returns {string}
 */
export function toldApart(page) {
  return listed(page.ways.filter((way) => way.tie && way.key !== page.recommended).map((way) => way.name));
}
