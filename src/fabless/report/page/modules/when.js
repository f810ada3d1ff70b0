// @ts-check
// When: one future through time. Compute by source below the demand, spend, cost of a query.
import { count, fixed, grouped } from "./format.js";
import { areaBetween, html, keptApart, lineThrough, roundTicks, scaleOf, svg, wayColour } from "./scale.js";
import { filled } from "./texts.js";
import { costText, decimalsOf, inUnit, unitWords } from "./unit.js";
import { tickText } from "./dots.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").View} View */
/** @typedef {import("./page.js").State} State */
/** @typedef {{wanted: number[], missing: number[], compute: {[key: string]: number[]}, spend: {[key: string]: number[]}, cents: number[]}} CoursePart */
/** @typedef {{key: string, name: string, slot: number}} Line */
/** @typedef {{width: number, left: number, right: number, isNarrow: boolean}} Place */

/** Tabs of the picture, in their order. */
export const WHEN_TABS = ["compute", "spend", "cents"];
const TALL = 270;
/** Compute is shown in thousands of chips. */
const THOUSAND = 1e3;
/** Height from which an area can bear its name [px]. */
const NAMED = 15;
/** Mean width of a letter of a name [px]. */
const LETTER = 6.6;

/** @param {Page} page @param {View} view @param {State} state @returns {CoursePart} */
function courseOf(page, view, state) {
  const course = page.when.courses[view.recommended] || page.when.courses[page.recommended];
  return course[state.future] || course[page.when.futures[0].key];
}

/** @param {Line} line @returns {string} */
function lineColour(line) {
  return `var(--line-${line.slot % 12})`;
}

/**
 * Lines that a course has anything of, in the page's order.
 * @param {Page} page
 * @param {{[key: string]: number[]}} values
 * @returns {Line[]}
 */
export function linesWith(page, values) {
  const known = /** @type {Line[]} */ (page.when.lines).filter((line) => (values[line.key] || []).some((value) => value > 0));
  const rest = Object.keys(values).filter((key) => !known.some((line) => line.key === key) && values[key].some((value) => value > 0));
  return [...known, ...rest.map((key, place) => ({ key, name: page.texts[`spend_${key}`] || key, slot: known.length + place }))];
}

/**
 * Draw the open tab.
 * @param {HTMLElement} place
 * @param {Page} page
 * @param {View} view
 * @param {State} state
 * @returns {void}
 */
export function drawWhen(place, page, view, state) {
  const width = Math.max(280, place.clientWidth);
  const isNarrow = width < 700;
  const longest = Math.max(...page.when.lines.map((/** @type {Line} */ line) => line.name.length));
  const spot = { width, left: isNarrow ? 44 : 52, right: isNarrow ? width - 4 : width - Math.max(184, 16 + LETTER * longest), isNarrow };
  const course = courseOf(page, view, state);
  const drawn = state.tab === "spend" ? spendDrawing(page, course, spot) : state.tab === "cents" ? centsDrawing(page, view, state, course, spot) : computeDrawing(page, view, state, course, spot);
  place.classList.toggle("stale", view.stale);
  place.replaceChildren(drawn);
}

/**
 * @param {Page} page @param {number} top @param {(value: number) => number} x places of quarters @param {Place} spot
 * @returns {SVGElement[]} years below a picture of quarters
 */
function yearLabels(page, top, x, spot) {
  const quarters = /** @type {string[]} */ (page.when.quarters);
  return quarters.flatMap((quarter, at) => (quarter.endsWith("Q1") || (at === 0 && x(quarters.findIndex((other) => other.endsWith("Q1"))) - x(0) > 40) ? [svg("text", {
    class: "tick", x: x(at), y: top, "text-anchor": at === 0 ? "start" : "middle",
  }, spot.isNarrow || (at === 0 && !quarter.endsWith("Q1")) ? `’${quarter.slice(2, 4)}` : quarter.slice(0, 4))] : []));
}

/** @param {number[]} ticks @param {(value: number) => number} y @param {Place} spot @param {(value: number) => string} text @returns {SVGElement[]} */
function gridOf(ticks, y, spot, text) {
  return ticks.flatMap((tick) => [
    svg("line", { x1: spot.left, x2: spot.right, y1: y(tick), y2: y(tick), stroke: "var(--grid)" }),
    svg("text", { class: "tick", x: spot.left - 8, y: y(tick) + 4, "text-anchor": "end" }, text(tick)),
  ]);
}

/** @param {Page} page @param {View} view @param {State} state @param {CoursePart} course @param {Place} spot @returns {SVGSVGElement} */
function computeDrawing(page, view, state, course, spot) {
  const all = page.when.courses[view.recommended] || page.when.courses[page.recommended];
  const others = Object.entries(all).filter(([key]) => key !== state.future);
  const lines = linesWith(page, course.compute);
  const last = course.wanted.length - 1;
  const highest = Math.max(...course.wanted) * 1.6;
  const inView = Math.max(Math.max(...course.wanted) * 1.06, Math.min(highest, Math.max(...others.flatMap(([, other]) => other.wanted))));
  const x = scaleOf([0, last], [spot.left, spot.right], false);
  const y = scaleOf([0, inView], [TALL + 24, 24], false);
  /** @type {number[]} */
  let floor = course.wanted.map(() => 0);
  const label = /** @type {{at: number, text: string, kind: string}[]} */ ([]);
  const inside = /** @type {SVGElement[]} */ ([]);
  const areas = lines.map((line) => {
    const below = floor;
    const top = below.map((value, at) => value + (course.compute[line.key][at] || 0));
    const thick = top.map((value, at) => y(below[at]) - y(value));
    const peak = thick.indexOf(Math.max(...thick));
    floor = top;
    // A name stands at the right end where its area reaches it, else where its area is thickest.
    if (!spot.isNarrow && (thick[last] >= NAMED || thick[peak] < NAMED)) label.push({ at: y((top[last] + below[last]) / 2), text: line.name, kind: thick[last] >= NAMED ? "ink" : "" });
    else if (!spot.isNarrow) inside.push(svg("text", { class: "inside", x: Math.min(x(peak), spot.right - 60), y: (y(top[peak]) + y(below[peak])) / 2 + 4, "text-anchor": "middle" }, line.name));
    return svg("path", { d: areaBetween(pointsOf(top, x, y), pointsOf(below, x, y)), style: `fill:${lineColour(line)};stroke:var(--ground)`, "stroke-width": 0.75 },
      svg("title", {}, line.name));
  });
  const key = spot.isNarrow ? keyParts(lines, spot, TALL + 170) : { parts: [], height: 0 };
  label.push({ at: y(course.wanted[last]) - 4, text: page.texts.when_demand, kind: "strong" });
  const places = keptApart(label.map((item) => item.at), 17, 30, TALL + 24);
  const right = label.map((item, place) => svg("text", { class: item.kind, x: spot.isNarrow ? spot.right - 4 : spot.right + 12, y: places[place] + 4,
    "text-anchor": spot.isNarrow ? "end" : "start" }, item.text));
  const dashed = others.map(([key, other]) => svg("path", { d: lineThrough(pointsOf(other.wanted, x, y).slice(0, firstAbove(other.wanted, inView))), fill: "none", style: "stroke:var(--third)", "stroke-dasharray": "3 3" },
    svg("title", {}, filled(page.texts.when_demand_other, { future: page.texts[`future_${key}`] || key }))));
  return svg("svg", { width: spot.width, height: TALL + 150 + (key.height && key.height + 8), role: "img", "aria-label": filled(page.texts.when_label_compute, { future: page.texts[`future_${state.future}`] || state.future }) },
    svg("text", { class: "tick", x: spot.left, y: 12 }, page.texts.when_unit),
    ...gridOf(roundTicks([0, inView], false, 5), y, spot, (value) => grouped(value / THOUSAND, 0)), ...dashed, ...areas,
    svg("path", { d: areaBetween(pointsOf(course.wanted, x, y), pointsOf(floor, x, y)), fill: "url(#pattern-missing)" }, svg("title", {}, page.texts.when_missing)),
    svg("path", { d: lineThrough(pointsOf(course.wanted, x, y)), fill: "none", style: "stroke:var(--ink)", "stroke-width": 1.75 }),
    ...inside, ...right, ...key.parts, ...missingStrip(page, view, spot, TALL + 52));
}

/** @param {number[]} values @param {number} limit @returns {number} place of the first value above a limit, else their number */
function firstAbove(values, limit) {
  const at = values.findIndex((value) => value > limit);
  return at < 0 ? values.length : at;
}

/** @param {number[]} values @param {(value: number) => number} x @param {(value: number) => number} y @returns {[number, number][]} */
function pointsOf(values, x, y) {
  return values.map((value, at) => [x(at), y(value)]);
}

/**
 * Missing share by year with numbers: a mean of all futures, and named as one.
 * @param {Page} page @param {View} view @param {Place} spot @param {number} top
 * @returns {SVGElement[]}
 */
function missingStrip(page, view, spot, top) {
  const rows = /** @type {[number, number, number][]} */ (page.when.short_by_year[view.recommended] || page.when.short_by_year[page.recommended]);
  const quarters = /** @type {string[]} */ (page.when.quarters);
  const x = scaleOf([0, quarters.length - 1], [spot.left, spot.right], false);
  const most = Math.max(...rows.map((row) => row[2]), 1e-9);
  const floor = top + 68;
  const size = scaleOf([0, most], [0, 42], false);
  const bars = rows.flatMap(([year, , share]) => {
    const places = quarters.flatMap((quarter, at) => (quarter.startsWith(String(year)) ? [at] : []));
    if (!places.length) return [];
    const from = x(Math.max(places[0], 0)) + 1;
    const to = Math.min(x(places[places.length - 1] + 1), spot.right) - 1;
    return [svg("rect", { x: from, y: floor - size(share), width: Math.max(to - from, 2), height: size(share), fill: "url(#pattern-missing)" }),
      svg("line", { x1: from, x2: Math.max(to, from + 2), y1: floor - size(share), y2: floor - size(share), style: "stroke:var(--bad)" }),
      svg("text", { class: "tick", x: (from + Math.max(to, from + 2)) / 2, y: floor - size(share) - 4, "text-anchor": "middle" }, share >= 0.095 || share === 0 ? fixed(share * 100, 0) : fixed(share * 100, share < 0.0095 ? 1 : 0))];
  });
  return [svg("text", { class: "bad", x: spot.left, y: top }, filled(page.texts[spot.isNarrow ? "when_missing_narrow" : "when_missing_by_year"], { n: count(page.case.paths) })),
    ...bars, ...yearLabels(page, floor + 18, x, spot)];
}

/** @param {Page} page @param {CoursePart} course @param {Place} spot @returns {SVGSVGElement} */
function spendDrawing(page, course, spot) {
  const years = /** @type {number[]} */ (page.when.years);
  const lines = linesWith(page, course.spend);
  const totals = years.map((_, at) => lines.reduce((sum, line) => sum + (course.spend[line.key][at] || 0), 0));
  const y = scaleOf([0, Math.max(...totals, 1) * 1.06], [TALL + 24, 24], false);
  const scale = Math.max(...totals) >= 1e9 ? 1e9 : 1e6;
  const step = (spot.right - spot.left) / years.length;
  const bars = years.flatMap((year, at) => {
    let floor = 0;
    const left = spot.left + step * at + step * 0.14;
    const stack = lines.map((line) => {
      const value = Math.max(course.spend[line.key][at] || 0, 0);
      const bar = svg("rect", { x: left, width: step * 0.72, y: y(floor + value), height: Math.max(y(floor) - y(floor + value), 0), style: `fill:${lineColour(line)}` },
        svg("title", {}, `${line.name}, ${year}: ${filled(page.texts.bn, { n: fixed(value / 1e9, 2) })} USD`));
      floor += value;
      return bar;
    });
    return [...stack, svg("text", { class: "ink", x: left + step * 0.36, y: y(totals[at]) - 5, "text-anchor": "middle" }, fixed(totals[at] / scale, totals[at] >= 9.95 * scale ? 0 : 1)),
      svg("text", { class: "tick", x: left + step * 0.36, y: TALL + 42, "text-anchor": "middle" }, spot.isNarrow ? `’${String(year).slice(2)}` : String(year))];
  });
  const key = keyParts(lines, spot, TALL + 66);
  return svg("svg", { width: spot.width, height: TALL + 66 + key.height, role: "img", "aria-label": page.texts.when_label_spend },
    svg("text", { class: "tick", x: spot.left, y: 12 }, page.texts[scale === 1e9 ? "when_spend_bn" : "when_spend_mn"]),
    ...gridOf(roundTicks([0, Math.max(...totals, 1)], false, 5), y, spot, (value) => String(Number((value / scale).toPrecision(3)))), ...bars, ...key.parts);
}

/**
 * Names of the colours, in a column at the right or in rows below.
 * @param {Line[]} lines @param {Place} spot @param {number} top
 * @returns {{parts: SVGElement[], height: number}}
 */
function keyParts(lines, spot, top) {
  const places = lines.slice().reverse().map((line, at) => (spot.isNarrow ? { line, x: spot.left, y: top + at * 18 } : { line, x: spot.right + 12, y: 40 + at * 20 }));
  const parts = places.flatMap(({ line, x, y }) => [svg("rect", { x, y: y - 9, width: 10, height: 10, style: `fill:${lineColour(line)}` }), svg("text", { class: "ink", x: x + 16, y }, line.name)]);
  return { parts, height: spot.isNarrow ? lines.length * 18 : 0 };
}

/** @param {Page} page @param {View} view @param {State} state @param {CoursePart} course @param {Place} spot @returns {SVGSVGElement} */
function centsDrawing(page, view, state, course, spot) {
  const way = view.ways.find((item) => item.key === view.recommended) || view.ways[0];
  const years = /** @type {number[]} */ (page.when.years);
  const costs = course.cents.map((cost) => inUnit(state.unit, cost, way));
  const known = costs.filter((cost) => cost > 0 && Number.isFinite(cost));
  const isLog = Math.max(...known) / Math.min(...known) > 6;
  const range = /** @type {[number, number]} */ (isLog ? [Math.min(...known) / 1.3, Math.max(...known) * 1.3] : [0, Math.max(...known) * 1.1]);
  const x = scaleOf([0, years.length - 1], [spot.left + 24, spot.right - 24], false);
  const y = scaleOf(range, [TALL + 24, 24], isLog);
  const decimals = decimalsOf(page.ways);
  const points = /** @type {[number, number][]} */ (costs.flatMap((cost, at) => (cost > 0 ? [[x(at), y(cost)]] : [])));
  return svg("svg", { width: spot.width, height: TALL + 56, role: "img", "aria-label": filled(page.texts.when_label_cents, { unit: unitWords(page, state.unit).title }) },
    svg("text", { class: "tick", x: spot.left, y: 12 }, unitWords(page, state.unit).title),
    ...gridOf(roundTicks(range, isLog, 6), y, spot, (value) => tickText(state.unit, value)),
    svg("path", { d: lineThrough(points), fill: "none", style: `stroke:${wayColour(way)}`, "stroke-width": 2 }),
    ...course.cents.flatMap((cost, at) => (cost > 0 ? [svg("circle", { cx: x(at), cy: y(costs[at]), r: 4, style: `fill:${wayColour(way)}` }),
      svg("text", { class: "ink", x: x(at), y: y(costs[at]) - 10, "text-anchor": "middle" }, spot.isNarrow && at % 2 ? "" : costText(state.unit, cost, way, decimals))] : [])),
    ...years.map((year, at) => svg("text", { class: "tick", x: x(at), y: TALL + 44, "text-anchor": "middle" }, spot.isNarrow ? `’${String(year).slice(2)}` : String(year))),
    !spot.isNarrow && svg("text", { class: "strong", x: spot.right + 12, y: points.length ? points[points.length - 1][1] + 4 : 20 }, way.name));
}

/**
 * The open tab as a table.
 * @param {Page} page
 * @param {View} view
 * @param {State} state
 * @returns {import("./frame.js").Tabled}
 */
export function whenTable(page, view, state) {
  const course = courseOf(page, view, state);
  const future = page.texts[`future_${state.future}`] || state.future;
  const way = view.ways.find((item) => item.key === view.recommended) || view.ways[0];
  if (state.tab === "cents") {
    return { caption: filled(page.texts.when_caption_cents, { future, unit: unitWords(page, state.unit).title }), head: [page.texts.year, unitWords(page, state.unit).title],
      rows: page.when.years.map((/** @type {number} */ year, /** @type {number} */ at) => [String(year), costText(state.unit, course.cents[at], way, decimalsOf(page.ways))]),
      data: [["year", "usd_a_query"], ...page.when.years.map((/** @type {number} */ year, /** @type {number} */ at) => [year, course.cents[at]])] };
  }
  const values = state.tab === "spend" ? course.spend : course.compute;
  const lines = linesWith(page, values);
  const times = /** @type {(string | number)[]} */ (state.tab === "spend" ? page.when.years : page.when.quarters);
  const text = (/** @type {number} */ value) => (state.tab === "spend" ? fixed((value || 0) / 1e9, 2) : count(value || 0));
  const extra = state.tab === "spend" ? [] : [{ name: page.texts.when_missing, values: course.missing }, { name: page.texts.when_demand, values: course.wanted }];
  return {
    caption: filled(page.texts[state.tab === "spend" ? "when_caption_spend" : "when_caption_compute"], { future }),
    head: [page.texts[state.tab === "spend" ? "year" : "quarter"], ...lines.map((line) => line.name), ...extra.map((item) => item.name)],
    rows: times.map((time, at) => [String(time), ...lines.map((line) => text(values[line.key][at])), ...extra.map((item) => text(item.values[at]))]),
    data: [[state.tab === "spend" ? "year" : "quarter", ...lines.map((line) => line.key), ...(extra.length ? ["missing", "wanted"] : [])],
      ...times.map((time, at) => [time, ...lines.map((line) => values[line.key][at] || 0), ...extra.map((item) => item.values[at])])],
  };
}

/**
 * Tabs and the menu of futures above the picture.
 * @param {HTMLElement} place
 * @param {Page} page
 * @param {import("./page.js").Store} store
 * @returns {(state: State) => void} brings them up to date
 */
export function mountWhenTabs(place, page, store) {
  const tabs = WHEN_TABS.map((tab) => html("button", { type: "button", role: "tab", "data-tab": tab, click: () => store.set({ tab }) }, page.texts[`when_${tab}`]));
  const menu = html("select", { id: "when-future", change: () => store.set({ future: menu.value }) },
    ...page.when.futures.map((/** @type {{key: string}} */ future) => html("option", { value: future.key }, page.texts[`future_${future.key}`] || future.key)));
  place.replaceChildren(html("div", { role: "tablist", "aria-label": page.texts.when_title, style: "display:flex;gap:20px" }, ...tabs),
    html("span", { class: "right" }, html("label", { for: "when-future" }, page.texts.when_future), " ", menu));
  return (state) => {
    for (const tab of tabs) tab.setAttribute("aria-selected", String(tab.dataset.tab === state.tab));
    menu.value = state.future;
  };
}
