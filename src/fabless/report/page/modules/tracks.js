// @ts-check
// What moves it: a control an input, its track in the colour of the way that wins at each value.
import { answersAt } from "./answers.js";
import { magnitudeOf, plain, shortened, tenTo } from "./format.js";
import { moveInput, moveTyped, standing } from "./moving.js";
import { areaBetween, html, lineThrough, numberAt, scaleOf, svg, wayColour } from "./scale.js";
import { filled } from "./texts.js";
import { costText, decimalsOf, unitWords } from "./unit.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").View} View */
/** @typedef {import("./page.js").Store} Store */
/** @typedef {import("./page.js").Control} Control */
/** @typedef {import("./page.js").FlipAt} FlipAt */
/** @typedef {{from: number, to: number, way: string}} Stretch */

/** @typedef {{at: number[], cents: {[way: string]: number[]}}} Curves */

/** Points of a curve. */
const POINTS = 41;
/** Steps of a slider from end to end. */
const STEPS = 1000;
/** Steps of an arrow key, and of page up and down. */
const ARROW = 10;
const PAGE_KEY = 100;
const CURVE = 60;
const TRACK_TOP = 76;
const TRACK = 8;

/**
 * The track by the way that wins: one stretch between two flips.
 * @param {Control} control
 * @param {FlipAt[]} flips in the order of their values
 * @param {string} recommended winner where there is no flip
 * @returns {Stretch[]}
 */
export function stretchesOf(control, flips, recommended) {
  const ends = [control.low, ...flips.map((flip) => flip.at), control.high];
  return ends.slice(1).map((to, place) => ({
    from: ends[place], to, way: flips.length === 0 ? recommended : place === 0 ? flips[0].below : flips[place - 1].above,
  }));
}

/**
 * Flips in words, each with its value: what wins on the far side of the present value.
 * @param {Page} page
 * @param {Control} control
 * @param {FlipAt[]} flips
 * @param {number} value present
 * @returns {{at: number, text: string}[]}
 */
export function flipWords(page, control, flips, value) {
  const name = (/** @type {string} */ key) => page.ways.find((way) => way.key === key)?.name || key;
  const above = flips.filter((flip) => flip.at >= value).length;
  return flips.map((flip) => {
    const isAbove = flip.at >= value;
    const several = isAbove ? above > 1 : flips.length - above > 1;
    const key = isAbove ? (several ? "flip_from" : "flip_above") : (several ? "flip_until" : "flip_below");
    return { at: flip.at, text: filled(page.texts[key], { way: name(isAbove ? flip.above : flip.below), value: `${plain(Number(flip.at.toPrecision(2)))} ${unitWord(page, control)}`.trim() }) };
  });
}

/**
 * Cost of a query under every way along a control, everything else as the case has it.
 * @param {Page} page
 * @param {Control} control
 * @returns {Curves}
 */
export function trackCurves(page, control) {
  const range = /** @type {[number, number]} */ ([control.low, control.high]);
  const at = Array.from({ length: POINTS }, (_, place) => (place === POINTS - 1 ? control.high : numberAt(range, control.log, place / (POINTS - 1))));
  const answers = at.map((value) => answersAt(page, { [control.name]: value }));
  return { at, cents: Object.fromEntries(page.ways.map((way) => [way.key, answers.map((answer) => (answer ? answer[way.key].cents : NaN))])) };
}

/**
 * Cost at a value, on the straight line between two points of a curve.
 * @param {Curves} curves
 * @param {string} way
 * @param {number} value
 * @returns {number}
 */
export function costAt(curves, way, value) {
  const next = Math.max(curves.at.findIndex((at) => at >= value), 1);
  const share = (value - curves.at[next - 1]) / (curves.at[next] - curves.at[next - 1]);
  return curves.cents[way][next - 1] + (curves.cents[way][next] - curves.cents[way][next - 1]) * Math.min(Math.max(share, 0), 1);
}

/**
 * Costs of a query along one stretch of a track.
 * @param {Curves} curves
 * @param {Stretch} stretch
 * @returns {[number, number][]}
 */
function curveOf(curves, stretch) {
  if (!curves.cents[stretch.way]) return [];
  const inside = curves.at.filter((at) => at > stretch.from && at < stretch.to);
  return /** @type {[number, number][]} */ ([stretch.from, ...inside, stretch.to].map((at) => [at, costAt(curves, stretch.way, at)]).filter(([, cost]) => cost > 0));
}

/**
 * One log scale of cost for all curves.
 * @param {Page} page
 * @returns {[number, number]}
 */
function costRange(page) {
  const costs = page.controls.slice(0, 6).flatMap((control) => control.levels[page.recommended]?.cents || []);
  const [low, high] = [Math.min(...costs), Math.max(...costs)];
  return [low / (high / low) ** 0.15, high * (high / low) ** 0.02];
}

/**
 * Put controls in their place; they are kept and brought up to date, so that a drag goes on.
 * @param {HTMLElement} place
 * @param {Page} page
 * @param {Store} store
 * @param {Control[]} controls
 * @returns {(view: View, unit: string) => void} brings them up to date
 */
export function mountTracks(place, page, store, controls) {
  const parts = controls.map((control) => controlPart(page, store, control));
  place.replaceChildren(...parts.map((part) => part.root));
  return (view, unit) => { for (const part of parts) part.refresh(view, unit); };
}

/**
 * @param {Page} page
 * @param {Store} store
 * @param {Control} control
 * @returns {{root: HTMLElement, refresh: (view: View, unit: string) => void}}
 */
function controlPart(page, store, control) {
  const id = `control-${control.name.replaceAll(/[^\w]/g, "-")}`;
  const box = html("input", { type: "text", id, inputmode: "decimal", autocomplete: "off", "aria-describedby": `${id}-fault` });
  const fault = html("div", { class: "fault", id: `${id}-fault`, role: "alert", hidden: true });
  const grade = html("span", { class: "grade", title: control.source });
  const reset = html("button", { type: "button", class: "link", hidden: true, click: () => store.reset(control.name) }, page.texts.reset);
  const slider = html("input", { type: "range", min: 0, max: STEPS, step: 1, "aria-label": control.label });
  const drawing = html("div", { "aria-hidden": "true" });
  const words = html("p", { class: "unseen", id: `${id}-flips` });
  slider.setAttribute("aria-describedby", words.id);
  const range = /** @type {[number, number]} */ ([control.low, control.high]);
  const curves = trackCurves(page, control);

  /** @param {string} text */
  const say = (text) => { fault.textContent = text; fault.hidden = !text; };
  /** @param {number} steps */
  const toValue = (steps) => shortened(numberAt(range, control.log, steps / STEPS), stepDigits(range));
  /** @param {number} steps */
  const slideTo = (steps) => say(moveInput(page, store, control.name, clamped(toValue(Math.min(Math.max(steps, 0), STEPS)), range)));
  const take = () => {
    delete box.dataset.typed;
    say(moveTyped(page, store, control.name, box.value));
  };
  box.addEventListener("input", () => { box.dataset.typed = "1"; });
  box.addEventListener("change", take);
  box.addEventListener("keydown", (event) => { if (event.key === "Enter") take(); });
  slider.addEventListener("input", () => slideTo(Number(slider.value)));
  slider.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: ARROW, ArrowUp: ARROW, ArrowLeft: -ARROW, ArrowDown: -ARROW, PageUp: PAGE_KEY, PageDown: -PAGE_KEY, Home: -STEPS, End: STEPS }[event.key];
    if (!steps) return;
    event.preventDefault();
    // From the value in the store: the slider itself follows with the next picture, keys may be faster.
    slideTo(Math.round(scaleOf(range, [0, STEPS], control.log)(standing(page, store, control.name))) + steps);
  });
  const root = html("div", { class: "control", "data-name": control.name },
    html("h3", {}, html("label", { for: id }, control.label)),
    html("div", { class: "entry" }, box, unitWord(page, control), grade, reset), fault,
    html("div", { class: "slide" }, drawing, slider), words);

  /** @param {View} view @param {string} unit */
  function refresh(view, unit) {
    const value = standing(page, store, control.name);
    const isMoved = value !== control.value;
    if (document.activeElement !== box || !box.dataset.typed) {
      box.value = plain(value);
      say("");
    }
    slider.value = String(Math.round(scaleOf(range, [0, STEPS], control.log)(value)));
    slider.setAttribute("aria-valuetext", `${plain(value)} ${unitWord(page, control)}`.trim());
    root.classList.toggle("moved", isMoved);
    reset.hidden = !isMoved;
    grade.textContent = isMoved ? page.texts[`grade_${control.grade}`] || control.grade : filled(page.texts.grade_range, {
      grade: page.texts[`grade_${control.grade}`] || control.grade, low: plain(inward(control.low, Math.ceil)), high: plain(inward(control.high, Math.floor)) });
    const flips = view.flips[control.name];
    const said = flips ? flipWords(page, control, flips, value) : [];
    words.textContent = flips === null ? page.texts.flip_unknown : said.map((flip) => flip.text).join(". ") || page.texts.flip_never;
    drawing.replaceChildren(trackDrawing(page, view, unit, { control, curves }, value, Math.max(240, root.clientWidth || 336)));
    slider.style.top = `${TRACK_TOP + TRACK / 2 - 22}px`;
  }
  return { root, refresh };
}

/**
 * Digits in which the steps of a slider are told apart, three at least.
 * @param {[number, number]} range
 * @returns {number}
 */
export function stepDigits([low, high]) {
  const largest = magnitudeOf(Math.max(Math.abs(low), Math.abs(high)));
  return Math.max(3, largest - magnitudeOf((high - low) / STEPS * ARROW) + 1);
}

/**
 * What stands behind a value: its unit, or what a plain number is a share or a multiple of.
 * @param {Page} page
 * @param {{name: string, unit: string}} input
 * @returns {string}
 */
export function unitWord(page, { name, unit }) {
  const parts = name.split(".");
  if (unit === "1") return page.texts[`bare_${parts[0]}_${parts[parts.length - 1]}`] || "";
  const template = page.texts[`in_${unit}`];
  return template && template.startsWith("{value}") ? template.slice(7).trim() : unit;
}

/**
 * An end of a range with three digits, rounded so that it stays inside.
 * @param {number} value
 * @param {(value: number) => number} round
 * @returns {number}
 */
export function inward(value, round) {
  if (value === 0 || Number(value.toPrecision(3)) === value) return value;
  const step = tenTo(magnitudeOf(Math.abs(value)) - 2);
  return Number((round(value / step) * step).toPrecision(3));
}

/** @param {number} value @param {[number, number]} range @returns {number} */
function clamped(value, [low, high]) {
  return Math.min(Math.max(value, low), high);
}

/**
 * @param {Page} page
 * @param {View} view
 * @param {string} unit
 * @param {{control: Control, curves: Curves}} track
 * @param {number} value
 * @param {number} width
 * @returns {SVGSVGElement}
 */
function trackDrawing(page, view, unit, { control, curves }, value, width) {
  const range = /** @type {[number, number]} */ ([control.low, control.high]);
  const x = scaleOf(range, [0, width], control.log);
  const up = scaleOf(costRange(page), [TRACK_TOP, TRACK_TOP - CURVE], true);
  const flips = view.flips[control.name];
  const known = flips || [];
  const stretches = stretchesOf(control, known, view.recommended);
  const parts = stretches.flatMap((stretch) => stretchParts(page, { control, curves }, stretch, { x, up, isUnknown: flips === null }));
  const ways = page.ways;
  const decimals = decimalsOf(page.ways);
  const isSame = view.level === "base" || (view.moved.length === 1 && view.moved[0] === control.name);
  const ends = isSame ? [stretches[0], stretches[stretches.length - 1]].map((stretch, place) => {
    const way = ways.find((item) => item.key === stretch.way);
    const points = curveOf(curves, stretch);
    if (!way || !points.length) return null;
    const [at, cost] = points[place ? points.length - 1 : 0];
    // The words stand above the curve over their whole width.
    const beside = points.filter(([value]) => Math.abs(x(value) - x(at)) < 36).map(([, other]) => up(other));
    return svg("text", { class: "tick", x: x(at), y: Math.min(up(cost), ...beside) - 5, "text-anchor": place ? "end" : "start" }, costText(unit, cost, way, decimals));
  }) : [];
  const here = stretches.find((stretch) => value <= stretch.to) || stretches[stretches.length - 1];
  const cost = isSame && curves.cents[here.way] ? costAt(curves, here.way, value) : null;
  const said = flips === null ? [] : flipWords(page, control, known, value);
  const base = x(control.value);
  const height = TRACK_TOP + TRACK + 22 + Math.max(0, said.length - 1) * 16;
  return svg("svg", { width, height }, ...(isSame ? parts : parts.filter((part) => part.classList.contains("track") || part.classList.contains("hatched"))), ...ends,
    cost !== null && svg("line", { x1: x(value), x2: x(value), y1: up(cost), y2: TRACK_TOP + 4, stroke: "var(--ink)" }),
    cost !== null && svg("circle", { cx: x(value), cy: up(cost), r: 3, style: "fill:var(--ink)" }),
    value !== control.value && svg("circle", { class: "ghost", cx: base, cy: TRACK_TOP + TRACK / 2, r: 7, style: "stroke:var(--ink)" }),
    ...flipParts(page, said, x, width, flips));
}

/**
 * @param {Page} page
 * @param {{control: Control, curves: Curves}} track
 * @param {Stretch} stretch
 * @param {{x: (value: number) => number, up: (cost: number) => number, isUnknown: boolean}} look
 * @returns {SVGElement[]}
 */
function stretchParts(page, { control, curves }, stretch, { x, up, isUnknown }) {
  const way = page.ways.find((item) => item.key === stretch.way);
  const colour = isUnknown ? "var(--rule)" : wayColour(way);
  const [from, to] = [x(stretch.from), x(stretch.to)];
  const points = /** @type {[number, number][]} */ (curveOf(curves, stretch).map(([at, cost]) => [x(at), up(cost)]));
  const floor = /** @type {[number, number][]} */ ([[points.length ? points[0][0] : from, TRACK_TOP], [points.length ? points[points.length - 1][0] : to, TRACK_TOP]]);
  const [left, right] = [from + (stretch.from > control.low ? 1 : 0), to - (stretch.to < control.high ? 1 : 0)];
  return [
    svg("path", { d: points.length ? areaBetween(points, floor) : "", style: `fill:${colour}`, "fill-opacity": 0.16 }),
    svg("path", { d: points.length ? lineThrough(points) : "", fill: "none", style: `stroke:${colour}`, "stroke-width": 1.75 }),
    svg("rect", { class: "track", x: left, y: TRACK_TOP, width: Math.max(0, right - left), height: TRACK, style: `fill:${colour}`, "data-way": stretch.way }),
    svg("rect", { class: "hatched", x: left, y: TRACK_TOP, width: Math.max(0, right - left), height: TRACK, fill: `url(#pattern-${way ? way.slot : 0})` }),
  ];
}

/**
 * Ticks and words at the flips, one line each where they would touch.
 * @param {Page} page
 * @param {{at: number, text: string}[]} said
 * @param {(value: number) => number} x
 * @param {number} width
 * @param {FlipAt[] | null} flips
 * @returns {SVGElement[]}
 */
function flipParts(page, said, x, width, flips) {
  const below = TRACK_TOP + TRACK;
  if (!said.length) return [svg("text", { x: 0, y: below + 18 }, flips === null ? page.texts.flip_unknown : page.texts.flip_never)];
  return said.flatMap((flip, place) => {
    const at = x(flip.at);
    const isRight = at > width / 2;
    return [
      svg("line", { x1: at, x2: at, y1: TRACK_TOP - 4, y2: below + 8 + place * 16, stroke: "var(--ink)", "stroke-width": 1.5 }),
      svg("text", { x: at + (isRight ? -5 : 5), y: below + 18 + place * 16, "text-anchor": isRight ? "end" : "start" }, flip.text),
    ];
  });
}

/**
 * What a track shows, as a table: values, winner and cost.
 * @param {Page} page
 * @param {string} unit
 * @returns {import("./frame.js").Tabled}
 */
export function tracksTable(page, unit) {
  const decimals = decimalsOf(page.ways);
  return {
    caption: page.texts.moves_caption,
    head: ["inputs_input", "inputs_value", "moves_low", "moves_high", "moves_cost_low", "moves_cost_high", "moves_flips"].map((key) => filled(page.texts[key], { unit: unitWords(page, unit).title })),
    rows: page.controls.map((control) => {
      const stretches = stretchesOf(control, control.flips, page.recommended);
      const [first, last] = [stretches[0], stretches[stretches.length - 1]].map((stretch) => ({ stretch, way: page.ways.find((way) => way.key === stretch.way) || page.ways[0] }));
      const cost = (/** @type {typeof first} */ end, /** @type {number} */ place) => costText(unit, control.levels[end.way.key].cents[place], end.way, decimals);
      return [control.label, `${plain(control.value)} ${unitWord(page, control)}`.trim(), plain(control.low), plain(control.high), cost(first, 0), cost(last, control.x.length - 1),
        flipWords(page, control, control.flips, control.value).map((flip) => flip.text).join("; ") || page.texts.flip_never];
    }),
    data: [["input", "unit", "value", "way", "cash_usd", "unserved_usd", "risk_usd", "usd_a_query", "missing_share"],
      ...page.controls.flatMap((control) => control.x.flatMap((value, place) => Object.entries(control.levels).map(([way, levels]) => [
        control.name, control.unit, value, way, levels.cash[place], levels.unserved[place], levels.risk[place], levels.cents[place], levels.missing[place]])))],
  };
}

/**
 * Patterns that tell the ways apart where colour is not printed.
 * @returns {SVGSVGElement}
 */
export function wayPatterns() {
  const strokes = ["", "M0 0L8 8", "M0 8L8 0", "M4 0V8", "M0 4H8", "M0 0L8 8M0 8L8 0", "M4 0V8M0 4H8", "M2 0V8M6 0V8"];
  return svg("svg", { width: 0, height: 0, "aria-hidden": "true", style: "position:absolute" }, svg("defs", {}, ...strokes.map((d, slot) => svg("pattern", {
    id: `pattern-${slot}`, width: 8, height: 8, patternUnits: "userSpaceOnUse",
  }, svg("path", { d, stroke: "#FFFFFF", "stroke-width": 1.6, fill: "none" })), ), svg("pattern", { id: "pattern-missing", width: 6, height: 6, patternUnits: "userSpaceOnUse" },
    svg("path", { d: "M-1 7L7 -1M-1 1L1 -1M5 7L7 5", style: "stroke:var(--bad)", "stroke-width": 1.2, fill: "none" }))));
}
