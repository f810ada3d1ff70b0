// @ts-check
// The ways as twenty futures each: a row a way, a dot a future, one axis for all.
import { inPercent } from "./format.js";
import { html, quarterText, roundTicks, scaleOf, svg, wayColour } from "./scale.js";
import { filled } from "./texts.js";
import { costText, costWords, decimalsOf, inUnit, servedBy, unitWords, valueText } from "./unit.js";
import { futureName, ofHundred } from "./verdict.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").View} View */
/** @typedef {import("./page.js").WayView} WayView */
/** @typedef {import("./scale.js").Scale} Scale */
/** @typedef {{scale: Scale, ticks: number[], width: number, unit: string, page: Page, decimals: number}} Axis */

/** From this spread on, the axis is even in the logarithm. */
const LOG_SPREAD = 4;
const ROW = { wide: 42, narrow: 26 };
const RADIUS = { wide: 5.75, narrow: 4.4 };
/** Width of the page below which a row is stacked [px]. */
export const NARROW = 760;

/**
 * The common axis of all ways in a unit; it holds every dot with room to spare.
 * @param {Page} page
 * @param {View} view
 * @param {string} unit
 * @param {number} width [px]
 * @returns {Axis}
 */
export function axisOf(page, view, unit, width) {
  const values = view.ways.flatMap((way) => [...[...way.dots, ...way.base.dots].map((dot) => inUnit(unit, dot.c, servedBy(dot))), inUnit(unit, way.p50, way)]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const isLog = low > 0 && high / low > LOG_SPREAD;
  const room = isLog ? (high / low) ** 0.05 : 1;
  const spare = isLog ? 0 : (high - low || high || 1) * 0.05;
  /** @type {[number, number]} */
  const range = isLog ? [low / room, high * room] : [low - spare, high + spare];
  return { scale: scaleOf(range, [8, width - 8], isLog), ticks: roundTicks(range, isLog, width > 400 ? 6 : 4), width, unit, page, decimals: decimalsOf(view.ways) };
}

/**
 * A number at a tick, as short as it is round.
 * @param {string} unit
 * @param {number} value
 * @returns {string}
 */
export function tickText(unit, value) {
  return unit === "cents" || unit === "million-tokens" ? String(Number(value.toPrecision(2))) : valueText(unit, value);
}

/** @param {Axis} axis @returns {SVGSVGElement} */
function axisHead(axis) {
  const word = unitWords(axis.page, axis.unit).name.split(" ")[0];
  return svg("svg", { width: axis.width, height: 18, "aria-hidden": "true" }, ...axis.ticks.map((tick, place) => svg("text", {
    class: "tick", x: Math.max(axis.scale(tick), place ? 0 : 12), y: 13, "text-anchor": "middle",
  }, place || axis.unit !== "cents" ? tickText(axis.unit, tick) : `${tickText(axis.unit, tick)} ${word}`)));
}

/**
 * One dot: full where compute is served, a ring where it falls short.
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @param {string} colour
 * @param {boolean} isShort
 * @param {number} future
 * @returns {SVGCircleElement}
 */
function dotAt(x, y, radius, colour, isShort, future) {
  return svg("circle", {
    class: "dot", cx: x.toFixed(1), cy: y, r: radius - 1, style: `stroke:${colour};fill:${isShort ? "var(--ground)" : colour}`, "data-future": future, "data-short": isShort ? 1 : 0,
  });
}

/**
 * What a query and a MW-year come to in a future under a way.
 * @param {Page} page
 * @param {string} way
 * @param {number} future
 * @returns {import("./page.js").Served}
 */
export function servedIn(page, way, future) {
  return { tokens_per_query: page.futures.tokens[way][future], queries_per_mw_year: page.futures.mw[way][future] };
}

/**
 * Draw all rows.
 * @param {HTMLTableElement} table
 * @param {HTMLElement} named place of the words on the future that is pointed at
 * @param {Page} page
 * @param {View} view
 * @param {string} unit
 * @returns {void}
 */
export function drawWays(table, named, page, view, unit) {
  const isNarrow = window.innerWidth < NARROW;
  const head = /** @type {HTMLElement} */ (table.tHead?.querySelector(".dots"));
  head.replaceChildren();
  const width = Math.max(240, Math.floor(head.clientWidth || 500));
  const axis = axisOf(page, view, unit, width);
  head.append(html("span", { class: "unseen" }, page.texts.ways_dots), axisHead(axis));
  const body = table.tBodies[0];
  const rows = view.ways.map((way) => wayRow(page, view, way, axis, isNarrow));
  body.replaceChildren(...rows.map(({ row }) => row));
  const rest = page.texts.ways_point;
  named.textContent = rest;

  /** @param {number | null} future @param {WayView | null} at */
  function light(future, at) {
    table.classList.toggle("dimmed", future !== null);
    for (const { way, lit, drawing } of rows) {
      lit.replaceChildren();
      if (future === null || view.stale) continue;
      const cost = page.futures.cost[way.key][future];
      const isShort = Boolean(page.futures.short[way.key][future]);
      const size = isNarrow ? "narrow" : "wide";
      const dot = dotAt(axis.scale(inUnit(unit, cost, servedIn(page, way.key, future))), ROW[size] / 2, RADIUS[size] + 1.5, wayColour(way), isShort, future);
      dot.classList.add("lit");
      lit.append(dot);
      drawing.append(lit);
    }
    named.textContent = future === null || !at ? rest : filled(page.texts.ways_named, {
      future: futureName(page, future), way: at.name,
      cost: costWords(page, unit, page.futures.cost[at.key][future], servedIn(page, at.key, future), axis.decimals),
      service: page.texts[page.futures.short[at.key][future] ? "ways_named_short" : "ways_named_served"],
    });
  }

  for (const { way, drawing } of rows) listenToDots(drawing, way, light, view.stale);
}

/**
 * The same future lights in all rows, by pointer and by arrow keys.
 * @param {SVGSVGElement} drawing
 * @param {WayView} way
 * @param {(future: number | null, at: WayView | null) => void} light
 * @param {boolean} isStale
 * @returns {void}
 */
function listenToDots(drawing, way, light, isStale) {
  if (isStale) return;
  const places = Array.from(drawing.querySelectorAll(".dot"), (dot) => Number(dot.getAttribute("cx")));
  let at = Math.floor(places.length / 2);
  /** @param {number} place */
  const go = (place) => {
    at = Math.min(Math.max(place, 0), places.length - 1);
    light(way.dots[at].f, way);
  };
  drawing.addEventListener("pointermove", (event) => {
    const x = event.clientX - drawing.getBoundingClientRect().left;
    go(places.reduce((best, place, index) => (Math.abs(place - x) < Math.abs(places[best] - x) ? index : best), 0));
  });
  drawing.addEventListener("pointerleave", () => light(null, null));
  drawing.addEventListener("focus", () => { if (drawing.matches(":focus-visible")) go(at); });
  drawing.addEventListener("blur", () => light(null, null));
  drawing.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -99, End: 99 }[event.key];
    if (event.key === "Escape") light(null, null);
    if (!step) return;
    event.preventDefault();
    go(at + step);
  });
}

/**
 * @param {Page} page
 * @param {View} view
 * @param {WayView} way
 * @param {Axis} axis
 * @param {boolean} isNarrow
 * @returns {{row: HTMLTableRowElement, drawing: SVGSVGElement, lit: SVGGElement, way: WayView}}
 */
function wayRow(page, view, way, axis, isNarrow) {
  const size = isNarrow ? "narrow" : "wide";
  const [height, colour] = [ROW[size], wayColour(way)];
  const stale = (/** @type {import("./page.js").WayNumber} */ name) => (way.stale.includes(name) ? " stale" : "");
  /** @type {(dot: WayView["dots"][number]) => number} */
  const place = (dot) => axis.scale(inUnit(axis.unit, dot.c, servedBy(dot)));
  const lit = svg("g", { "pointer-events": "none" });
  const moved = way.p50 !== way.base.p50 && view.level === "rough";
  const middle = axis.scale(inUnit(axis.unit, way.p50, way));
  const dots = way.dots.map((dot) => dotAt(place(dot), height / 2, RADIUS[size], colour, Boolean(dot.s), dot.f));
  const ghosts = way.dots !== way.base.dots ? way.base.dots.map((dot) => svg("circle", { class: "ghost", cx: place(dot).toFixed(1), cy: height / 2, r: RADIUS[size] - 1 })) : [];
  const drawing = svg("svg", {
    width: axis.width, height, tabindex: 0, role: "img", "aria-label": filled(page.texts.ways_row_label, {
      way: way.name, cost: costWords(page, axis.unit, way.p50, way, axis.decimals), n: ofHundred(way.short),
    }),
  }, svg("rect", { width: axis.width, height, fill: "none", "pointer-events": "all" }),
  ...axis.ticks.map((tick) => svg("line", { x1: axis.scale(tick), x2: axis.scale(tick), y1: 0, y2: height, stroke: "var(--grid)" })),
  ...ghosts, svg("g", { class: stale("dots").trim() }, ...dots),
  svg("line", { class: "median", x1: middle, x2: middle, y1: height / 2 - (isNarrow ? 11 : 16), y2: height / 2 + (isNarrow ? 11 : 16), stroke: "var(--ink)", "stroke-width": 1.5 }), lit);
  const row = html("tr", { class: way.first ? "first" : "", "data-way": way.key, style: `--way:${colour}` },
    html("th", { scope: "row", title: way.line }, way.name, html("small", {}, tieMark(page, view, way) || way.line)),
    html("td", { class: "dots" }, drawing),
    html("td", { class: `middle n${stale("p50")}` }, costText(axis.unit, way.p50, way, axis.decimals), moved && html("span", { class: "rough" }, page.texts.rough_word)),
    html("td", { class: `short n${stale("short")}`, "data-head": page.texts.ways_short_narrow }, filled(page.texts.ways_of_hundred, { n: ofHundred(way.short) })),
    html("td", { class: `more n${stale("more")}` }, moreText(page, way)),
    html("td", { class: `own${way.own ? "" : " none"}${stale("own")}` }, ownText(page, way)));
  return { row, drawing, lit, way };
}

/** @param {Page} page @param {View} view @param {WayView} way @returns {Child} */
function tieMark(page, view, way) {
  const other = view.ways.find((item) => item.key === way.same_as);
  if (other && !way.stale.includes("same_as")) return html("span", { class: "tie", title: filled(page.texts.ways_same_about, { way: other.name }) }, `= ${other.name}`);
  if (way.tie && !way.first) return html("span", { class: "tie", title: page.texts.ways_tie_about }, `${page.texts.ways_tie} · ${way.line}`);
  return null;
}
/** @typedef {import("./scale.js").Child} Child */

/**
 * What a way costs more, in billions or millions.
 * @param {Page} page
 * @param {WayView} way
 * @returns {string}
 */
export function moreText(page, way) {
  if (way.first) return page.texts.ways_lowest;
  if (Math.abs(way.more) < 5e5) return page.texts.ways_same;
  const sign = way.more < 0 ? "−" : "+";
  const size = Math.abs(way.more);
  return size >= 5e7 ? filled(page.texts.bn, { n: `${sign}${(size / 1e9).toFixed(1)}` }) : filled(page.texts.mn, { n: `${sign}${Math.round(size / 1e6)}` });
}

/**
 * When a way's first own chip comes, and how often.
 * @param {Page} page
 * @param {WayView} way
 * @returns {string}
 */
export function ownText(page, way) {
  if (!way.own) return page.texts.ways_no_own;
  const stops = way.own.stopped ? filled(page.texts.ways_own_stopped, { quarter: quarterText(way.own.stopped), n: ofHundred(way.own.stopped_chance) }) : "";
  if (!way.own.p50) return stops || page.texts.ways_no_own;
  const comes = filled(page.texts.ways_own_comes, { quarter: quarterText(way.own.p50), n: ofHundred(way.own.chance) });
  return `${comes} ${stops}`.trim();
}

/**
 * The picture as a table, and its data.
 * @param {Page} page
 * @param {View} view
 * @param {string} unit
 * @returns {import("./frame.js").Tabled}
 */
export function waysTable(page, view, unit) {
  const decimals = decimalsOf(view.ways);
  const words = unitWords(page, unit);
  /** @type {(cost: number, way: WayView) => string} */
  const text = (cost, way) => costText(unit, cost, way, decimals);
  return {
    caption: filled(page.texts.ways_caption, { unit: words.title }),
    head: ["ways_way", "ways_low", "ways_middle", "ways_high", "ways_short", "ways_missing", "ways_more", "ways_own"].map((key) => page.texts[key]),
    rows: view.ways.map((way) => [way.name, text(way.p10, way), text(way.p50, way), text(way.p90, way), ofHundred(way.short), inPercent(way.missing), moreText(page, way), ownText(page, way)]),
    data: [["way", "place", "future", "usd_a_query", "falls_short"],
      ...view.ways.flatMap((way) => way.dots.map((dot, place) => [way.key, place + 1, dot.f, dot.c, dot.s]))],
  };
}
