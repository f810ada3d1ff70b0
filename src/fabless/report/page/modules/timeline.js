// @ts-check
// The own chip through its stages, with the gates at which it can be stopped.
import { inputOf } from "./answers.js";
import { fixed, heading, plain } from "./format.js";
import { html, quarterText, scaleOf, svg } from "./scale.js";
import { filled } from "./texts.js";
import { unitWord } from "./tracks.js";
import { chanceWord, money, ofHundred } from "./verdict.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {{p10: number, p50: number, p90: number}} Spread */
/** @typedef {{key: string, name: string, title: string, stages: {stage: string, start: Spread, end: Spread}[], gates: {quarter: string, sunk: number | null}[], volume: {p10: string, p50: string, p90: string} | null, chance: number, value: number | null, value_error: number | null}} Programme */

const STAGE = 26;
const HEAD = 62;

/**
 * Months from the start of the first quarter of the case to the start of a quarter.
 * @param {Page} page
 * @param {string} quarter
 * @returns {number}
 */
export function monthsTo(page, quarter) {
  const number = (/** @type {string} */ text) => Number(text.slice(0, 4)) * 4 + Number(text.slice(5)) - 1;
  return (number(quarter) - number(String(page.case.first_quarter))) * 3;
}

/**
 * Draw one programme.
 * @param {HTMLElement} place
 * @param {Page} page
 * @param {Programme} programme
 * @returns {void}
 */
export function drawTimeline(place, page, programme) {
  const width = Math.max(280, place.clientWidth);
  const isNarrow = width < 700;
  const left = isNarrow ? 128 : 170;
  const right = isNarrow ? width - 8 : width - 216;
  const stages = programme.stages;
  const end = Math.max(...stages.map((stage) => stage.end.p90), 12);
  const x = scaleOf([0, end], [left, right], false);
  const firstYear = Number(String(page.case.first_quarter).slice(0, 4)) + 1;
  const years = [];
  for (let year = firstYear; monthsTo(page, `${year}Q1`) <= end; year += 1) years.push(year);
  const bottom = HEAD + stages.length * STAGE;
  const rows = stages.flatMap((stage, at) => stageParts(page, stage, HEAD + at * STAGE, x, left));
  const last = stages[stages.length - 1];
  const said = programme.volume && !isNarrow ? [
    svg("text", { class: "strong", x: x(last.end.p90) + 14, y: bottom - 14 }, filled(page.texts.own_middle, { quarter: quarterText(programme.volume.p50) })),
    svg("text", { x: x(last.end.p90) + 14, y: bottom + 3 }, filled(page.texts.own_range, { early: quarterText(programme.volume.p10), late: quarterText(programme.volume.p90) })),
  ] : [];
  place.replaceChildren(svg("svg", { width, height: bottom + 26, role: "img", "aria-label": filled(page.texts.timeline_label, { programme: programme.name }) },
    ...years.flatMap((year) => {
      const at = x(monthsTo(page, `${year}Q1`));
      return [svg("line", { x1: at, x2: at, y1: HEAD - 8, y2: bottom, stroke: "var(--grid)" }),
        svg("text", { class: "tick", x: at, y: bottom + 20, "text-anchor": "middle" }, isNarrow ? `’${String(year).slice(2)}` : String(year))];
    }), ...gateParts(page, programme, x, bottom, isNarrow), ...rows, ...said));
}

/**
 * @param {Page} page
 * @param {string} stage
 * @returns {string}
 */
export function stageName(page, stage) {
  return page.texts[`stage_${stage.toLowerCase().replaceAll(/[ -]/g, "_")}`] || heading(stage);
}

/** @param {Page} page @param {Programme["stages"][number]} stage @param {number} top @param {(months: number) => number} x @param {number} left @returns {SVGElement[]} */
function stageParts(page, stage, top, x, left) {
  const [from, to, low, high] = [stage.start.p50, stage.end.p50, stage.end.p10, stage.end.p90].map(x);
  const y = top + 11;
  // Inside the bar the line turns to the ground's colour, else it is not seen.
  const inside = Math.min(Math.max(low, from), to);
  return [
    svg("text", { class: "ink", x: left - 10, y: top + 15, "text-anchor": "end" }, stageName(page, stage.stage)),
    svg("rect", { x: from, y: top + 5, width: Math.max(to - from, 1), height: 12, style: "fill:var(--way-3)" }),
    svg("path", { d: `M${low} ${y}H${inside}M${to} ${y}H${high}M${high} ${y - 4}V${y + 4}${low < from ? `M${low} ${y - 4}V${y + 4}` : ""}`, style: "stroke:var(--ink)", "stroke-width": 1.5 }),
    svg("path", { d: `M${inside} ${y}H${to}${low >= from ? `M${low} ${y - 4}V${y + 4}` : ""}`, style: "stroke:var(--ground)", "stroke-width": 1.5 }),
  ];
}

/** @param {Page} page @param {Programme} programme @param {(months: number) => number} x @param {number} bottom @param {boolean} isNarrow @returns {SVGElement[]} */
function gateParts(page, programme, x, bottom, isNarrow) {
  let taken = -Infinity;
  return programme.gates.flatMap((gate, at) => {
    const place = x(monthsTo(page, gate.quarter));
    const name = at === 0 ? page.texts.own_start : filled(page.texts.own_gate, { n: String(at) });
    const spent = gate.sunk ? filled(page.texts.own_spent, { money: money(page.texts, gate.sunk) }) : "";
    const half = isNarrow ? 8 : 48;
    const hasRoom = place - half > taken;
    if (hasRoom) taken = place + half;
    return [
      svg("line", { x1: place, x2: place, y1: HEAD - 12, y2: bottom, style: "stroke:var(--ink)", "stroke-dasharray": "1.5 3" }),
      svg("path", { d: `M${place} ${HEAD - 22}l6 6l-6 6l-6 -6Z`, style: "fill:var(--ink)" }, svg("title", {}, [name, quarterText(gate.quarter), spent].filter(Boolean).join(", "))),
      ...(hasRoom ? [svg("text", { class: spent && !isNarrow ? "strong" : "tick", x: place, y: spent || isNarrow ? 18 : 32, "text-anchor": "middle" }, isNarrow && at ? String(at) : isNarrow ? "" : name),
        ...(isNarrow ? [] : [svg("text", { class: "tick", x: place, y: 32, "text-anchor": "middle" }, spent)])] : []),
    ];
  });
}

/**
 * Sentences on the odds and on what would make the own chip pay; break-evens name the programme
 * that they belong to.
 * @param {Page} page
 * @param {Programme} programme
 * @returns {string[]}
 */
export function ownSentences(page, programme) {
  const odds = programme.volume ? [filled(page.texts.own_comes, { programme: programme.name, n: ofHundred(programme.chance),
    word: page.texts[`chance_${chanceWord(programme.chance)}`], quarter: quarterText(programme.volume.p50) })] : [];
  const worth = typeof programme.value === "number" ? [filled(page.texts[programme.value >= 0 ? "own_worth" : "own_worth_less"], {
    programme: programme.name, money: money(page.texts, Math.abs(programme.value)), error: money(page.texts, 2 * (programme.value_error || 0)) })] : [];
  const breaks = /** @type {{programme: string, name: string, at: number, above: boolean, inside: boolean}[]} */ (page.own.breaks);
  const own = breaks.filter((item) => item.programme === programme.key);
  return [...odds, ...worth, ...own.map((item) => paysSentence(page, programme, item))];
}

/**
 * From or up to which value of an input a programme pays.
 * @param {Page} page
 * @param {Programme} programme
 * @param {{name: string, at: number, above: boolean}} item
 * @returns {string}
 */
function paysSentence(page, programme, item) {
  const input = inputOf(page, item.name);
  const value = Number(item.at.toPrecision(2));
  const own = `own_pays_${item.name.split(".").slice(-1)[0]}_`;
  const family = page.texts[`${own}above`] ? own : "own_pays_other_";
  return filled(page.texts[`${family}${item.above ? "above" : "below"}`], {
    programme: programme.name, input: input?.label || item.name,
    value: input ? `${plain(value)} ${family === own ? "" : unitWord(page, input)}`.trim() : plain(value),
  });
}

/**
 * The whole section: menu of programmes, sentences, picture.
 * @param {HTMLElement} menuPlace
 * @param {HTMLElement} sentences
 * @param {HTMLElement} place
 * @param {Page} page
 * @returns {{draw: () => void, table: () => import("./frame.js").Tabled}}
 */
export function mountTimeline(menuPlace, sentences, place, page) {
  const programmes = /** @type {Programme[]} */ (page.own.programmes).filter((programme) => programme.stages.length);
  const own = page.ways.find((way) => way.key === page.recommended)?.own;
  let shown = programmes.find((programme) => own && programme.title === own.programme) || programmes[0];
  const menu = html("select", { "aria-label": page.texts.own_menu, change: () => { shown = programmes[menu.selectedIndex]; draw(); } },
    ...programmes.map((programme) => html("option", { value: programme.key }, programme.name)));
  menu.value = shown?.key || "";
  if (programmes.length > 1) menuPlace.replaceChildren(menu);
  function draw() {
    sentences.replaceChildren(...ownSentences(page, shown).map((text) => html("p", {}, text)));
    drawTimeline(place, page, shown);
  }
  const table = () => ({
    caption: filled(page.texts.timeline_caption, { programme: shown.name }),
    head: ["timeline_stage", "timeline_start", "timeline_end", "timeline_low", "timeline_high"].map((key) => page.texts[key]),
    rows: shown.stages.map((stage) => [stageName(page, stage.stage), ...[stage.start.p50, stage.end.p50, stage.end.p10, stage.end.p90].map((months) => fixed(months, 0))]),
    data: [["stage", "start_p10", "start_p50", "start_p90", "end_p10", "end_p50", "end_p90"], ...shown.stages.map((stage) => [stage.stage, stage.start.p10, stage.start.p50, stage.start.p90, stage.end.p10, stage.end.p50, stage.end.p90])],
  });
  return { draw, table };
}
