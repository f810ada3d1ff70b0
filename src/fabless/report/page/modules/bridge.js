// @ts-check
// Why this and not that: the difference of two ways as steps that add up to it.
import { fixed, inSteps, plain } from "./format.js";
import { html, scaleOf, svg, wayColour } from "./scale.js";
import { filled } from "./texts.js";
import { money } from "./verdict.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").View} View */
/** @typedef {import("./page.js").State} State */
/** @typedef {{title: string, from: number, to: number, isEnd: boolean, how: string}} Step */

const HIGH = 30;
const BAR = 20;

/**
 * Step in which the parts of a bridge are written [USD]: ten million, finer where the difference is small.
 * @param {number} size largest part
 * @returns {number}
 */
function bridgeStep(size) {
  return size >= 2e8 ? 1e7 : size >= 2e7 ? 1e6 : 1e5;
}

/**
 * Steps from the total of one way down or up to that of another, in whole steps of `step` USD.
 * @param {Page} page
 * @param {View} view
 * @param {[string, string]} pair this way, and not that
 * @returns {{steps: Step[], step: number, unit: number, decimals: number}}
 */
export function bridgeOf(page, view, [key, otherKey]) {
  const [way, other] = [key, otherKey].map((name) => view.ways.find((item) => item.key === name) || view.ways[0]);
  const parts = (view.pairs[`${key}|${otherKey}`]?.bridge || []).slice();
  const step = bridgeStep(Math.max(...parts.map((part) => Math.abs(part.usd)), 1));
  const whole = inSteps(parts.map((part) => part.usd), step);
  let at = Math.round(other.total / step);
  /** @type {Step[]} */
  const steps = [{ title: other.name, from: 0, to: at, isEnd: true, how: "" }];
  for (const [place, part] of parts.entries()) {
    if (whole[place] === 0) continue;
    steps.push({ title: page.texts[`bridge_${part.part}`] || sentenceCase(part.part), from: at, to: at + whole[place], isEnd: false, how: part.how });
    at += whole[place];
  }
  steps.push({ title: way.name, from: 0, to: at, isEnd: true, how: "" });
  const unit = step >= 1e7 ? 1e9 : 1e6;
  return { steps, step, unit, decimals: Math.max(0, Math.round(Math.log10(unit / step))) };
}

/** @param {string} text @returns {string} */
function sentenceCase(text) {
  return text.charAt(0).toUpperCase() + text.slice(1).replaceAll("_", " ");
}

/** @param {number} value @param {number} decimals @param {boolean} isSigned @returns {string} */
function amountText(value, decimals, isSigned) {
  const text = fixed(Math.abs(value), decimals).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return isSigned ? `${value < 0 ? "−" : "+"}${text}` : text;
}

/**
 * Draw the bridge of the chosen two ways.
 * @param {HTMLElement} place
 * @param {Page} page
 * @param {View} view
 * @param {State} state
 * @returns {void}
 */
export function drawBridge(place, page, view, state) {
  const { steps, step, unit, decimals } = bridgeOf(page, view, state.pair);
  if (steps.length < 3) { // no step from one total to the other: the sentence says it
    place.replaceChildren();
    return;
  }
  const width = Math.max(280, place.clientWidth);
  const left = width < 420 ? 112 : 132;
  const all = steps.flatMap((item) => (item.isEnd ? [item.to] : [item.from, item.to]));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const start = Math.max(0, low - (high - low || high * 0.02) * 0.3);
  const x = scaleOf([start, high], [left + 10, width - 62], false);
  const [way, other] = state.pair.map((key) => view.ways.find((item) => item.key === key));
  const parts = steps.flatMap((item, at) => stepParts(item, at, x, left, {
    colour: wayColour(at === 0 ? other : way), text: amountText((item.to - (item.isEnd ? 0 : item.from)) * step / unit, decimals, !item.isEnd),
    isBroken: item.isEnd && start > 0, next: steps[at + 1],
  }));
  const bottom = steps.length * HIGH;
  const note = filled(page.texts.why_axis, { unit: page.texts[unit === 1e9 ? "bridge_bn" : "bridge_mn"], year: String(page.case.price_year), years: plain(Number(page.case.quarters) / 4), start: amountText(start * step / unit, unit === 1e9 ? 1 : 0, false) });
  place.replaceChildren(svg("svg", { width, height: bottom, role: "img", "aria-label": filled(page.texts.bridge_label, { way: way?.name || "", other: other?.name || "" }) },
    ...parts), html("p", { class: "note" }, note));
}

/**
 * @param {Step} item @param {number} at @param {(value: number) => number} x @param {number} left
 * @param {{colour: string, text: string, isBroken: boolean, next: Step | undefined}} look
 * @returns {SVGElement[]}
 */
function stepParts(item, at, x, left, { colour, text, isBroken, next }) {
  const top = at * HIGH;
  const from = item.isEnd ? left + 10 : Math.min(x(item.from), x(item.to));
  const to = item.isEnd ? x(item.to) : Math.max(x(item.from), x(item.to));
  const isDearer = !item.isEnd && item.to > item.from;
  const fill = isDearer ? "fill:none;stroke:var(--bad);stroke-width:2" : `fill:${colour}`;
  const inset = isDearer ? 1 : 0;
  const bar = svg("rect", { x: from + inset, y: top + inset, width: Math.max(to - from - 2 * inset, 1), height: BAR - 2 * inset, style: fill, "data-step": item.title });
  if (item.how) bar.append(svg("title", {}, item.how));
  const isLeft = !item.isEnd && !isDearer && from - left > 64;
  return [
    svg("text", { class: item.isEnd ? "strong" : "ink", x: left, y: top + 15, "text-anchor": "end" }, item.title), bar,
    ...(isBroken ? [svg("path", { d: `M${left + 14} ${top - 1}l6 7l-6 6l6 9`, fill: "none", style: "stroke:var(--ground)", "stroke-width": 3 })] : []),
    svg("text", { class: item.isEnd ? "strong" : "ink", x: isLeft ? from - 6 : to + 6, y: top + 15, "text-anchor": isLeft ? "end" : "start" }, text),
    ...(next ? [svg("line", { x1: x(item.to), x2: x(item.to), y1: top + BAR, y2: top + HIGH, style: "stroke:var(--third)" })] : []),
  ];
}

/**
 * The sentence with its two menus.
 * @param {HTMLElement} place
 * @param {Page} page
 * @param {import("./page.js").Store} store
 * @returns {(view: View, state: State) => void} brings it up to date
 */
export function mountPair(place, page, store) {
  const menus = [0, 1].map((side) => {
    const menu = html("select", { "aria-label": page.texts[side ? "why_menu_other" : "why_menu_way"], change: () => choose(side) },
      ...page.ways.map((way) => html("option", { value: way.key }, way.name)));
    return menu;
  });
  /** @param {number} side */
  function choose(side) {
    const [way, other] = store.get().pair;
    const value = menus[side].value;
    // The same way on both sides: the two change places.
    const next = side ? [value === way ? other : way, value] : [value, value === other ? way : other];
    store.set({ pair: /** @type {[string, string]} */ (next) });
  }
  return (view, state) => {
    const pair = view.pairs[state.pair.join("|")];
    if (!pair) return;
    const key = Math.abs(pair.difference) < 1 ? "why_same" : pair.tie ? "why_tie" : pair.difference < 0 ? "why_less" : "why_more";
    const held = menus.find((menu) => menu === document.activeElement);
    const amounts = { money: money(page.texts, Math.abs(pair.difference)), error: money(page.texts, pair.error) };
    // The menus stand in the sentence where the names of the ways do.
    const parts = page.texts[key].split(/(\{way\}|\{other\})/).map((part) => (part === "{way}" ? menus[0] : part === "{other}" ? menus[1] : filled(part, amounts)));
    place.replaceChildren(...parts);
    menus.forEach((menu, side) => { menu.value = state.pair[side]; });
    held?.focus();
  };
}

/**
 * @param {Page} page
 * @param {View} view
 * @param {State} state
 * @returns {import("./frame.js").Tabled}
 */
export function bridgeTable(page, view, state) {
  const { steps, step, unit, decimals } = bridgeOf(page, view, state.pair);
  return {
    caption: page.texts[unit === 1e9 ? "bridge_caption_bn" : "bridge_caption_mn"],
    head: [page.texts.bridge_step, page.texts.amount, page.texts.bridge_how],
    rows: steps.map((item) => [item.title, amountText((item.to - (item.isEnd ? 0 : item.from)) * step / unit, decimals, !item.isEnd), item.how]),
    data: [["part", "usd"], ...(view.pairs[state.pair.join("|")]?.bridge || []).map((part) => [part.part, part.usd])],
  };
}
