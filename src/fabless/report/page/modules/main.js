// @ts-check
// The page comes alive: data read, pictures drawn, controls tied to the store.
import { mountPair, drawBridge, bridgeTable } from "./bridge.js";
import { drawWays, waysTable } from "./dots.js";
import { downloaded, frameUnder } from "./frame.js";
import { awaitBetter, fullAnswer } from "./full.js";
import { mountInputs } from "./inputs.js";
import { actionsCsv, calendarOf } from "./limits.js";
import { followAddress, listenForUndo } from "./moving.js";
import { html, wayColour } from "./scale.js";
import { apiOf, askServer } from "./server.js";
import { createStore, sameChanges, stateAtRest } from "./state.js";
import { copied, drawStrip } from "./strip.js";
import { filled } from "./texts.js";
import { mountTimeline } from "./timeline.js";
import { mountTracks, tracksTable, wayPatterns } from "./tracks.js";
import { UNITS, unitWords } from "./unit.js";
import { viewOf } from "./view.js";
import { drawWhen, mountWhenTabs, whenTable } from "./when.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").View} View */
/** @typedef {import("./page.js").Store} Store */
/** @typedef {import("./page.js").State} State */
/** @typedef {(view: View, state: State) => void} Refresh */

/** Controls that stand open on the page. */
const CONTROLS_SHOWN = 6;
/** Height of a verdict on two lines, and a little [px]. */
const TWO_LINES = 104;

/**
 * An element that the page holds by its id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function held(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page lacks #${id}`);
  return found;
}

/**
 * Write the verdict; each of its numbers takes the colour of its way.
 * @param {Page} page
 * @param {View} view
 * @returns {void}
 */
export function drawVerdict(page, view) {
  const action = /** @type {HTMLElement} */ (document.querySelector("#verdict .action"));
  const numbers = /** @type {HTMLElement} */ (document.querySelector("#verdict .numbers"));
  action.textContent = view.verdict.action;
  /** @type {Node[]} */
  const parts = [];
  let rest = view.verdict.numbers;
  for (const [text, key] of view.verdict.costs || []) {
    const at = rest.indexOf(text);
    if (at < 0) continue;
    const way = page.ways.find((item) => item.key === key);
    parts.push(document.createTextNode(rest.slice(0, at)), html("b", { style: `color:${wayColour(way)}` }, text));
    rest = rest.slice(at + text.length);
  }
  numbers.replaceChildren(...parts, rest, view.mark ? html("span", { class: "rough" }, view.mark) : "");
  held("verdict").classList.toggle("stale", view.level === "beyond");
  // Two lines: a verdict that takes more is set smaller.
  held("verdict").classList.remove("long");
  held("verdict").classList.toggle("long", held("verdict").offsetHeight > TWO_LINES);
  held("claims").classList.toggle("stale", view.stale);
}

/** @param {Page} page @returns {Refresh} */
function liveLegend(page) {
  return (view) => {
    const winners = new Set([view.recommended, ...Object.values(view.flips).flatMap((flips) => (flips || []).flatMap((flip) => [flip.below, flip.above]))]);
    held("legend").replaceChildren(...page.ways.filter((way) => winners.has(way.key)).map((way) => html("span", { style: `--way:${wayColour(way)}` }, html("i"), way.name)));
  };
}

/** @param {Page} page @param {Store} store @returns {Refresh} */
function liveWays(page, store) {
  const table = /** @type {HTMLTableElement} */ (held("ways"));
  const menu = html("select", { id: "unit", "aria-label": page.texts.unit, change: () => store.set({ unit: menu.value }) },
    ...UNITS.map((unit) => html("option", { value: unit }, unitWords(page, unit).title)));
  const lead = filled(page.texts.ways_lead, { unit: "\n", years: String(Number(page.case.quarters) / 4) }).split("\n");
  held("ways-lead").replaceChildren(lead[0], menu, lead[1] || "");
  const framed = frameUnder(held("ways-picture"), page, { id: "part-ways", title: held("ways-title").textContent || "", source: page.texts.ways_short_about, table: () => waysTable(page, viewOf(page, store.get()), store.get().unit) });
  return (view, state) => {
    menu.value = state.unit;
    drawWays(table, held("ways-named"), page, view, state.unit);
    framed.refresh();
  };
}

/** @param {Page} page @param {Store} store @returns {Refresh} */
function liveTracks(page, store) {
  const first = mountTracks(held("controls"), page, store, page.controls.slice(0, CONTROLS_SHOWN));
  const more = mountTracks(held("more-controls"), page, store, page.controls.slice(CONTROLS_SHOWN));
  const list = mountInputs(held("all-inputs"), page, store);
  const now = () => viewOf(page, store.get());
  /** @param {string} button @param {string} place @param {() => void} refresh */
  const unfold = (button, place, refresh) => held(button).addEventListener("click", () => {
    const isOpen = held(place).hidden;
    held(place).hidden = !isOpen;
    held(button).setAttribute("aria-expanded", String(isOpen));
    if (isOpen) refresh();
  });
  held("more-button").hidden = page.controls.length <= CONTROLS_SHOWN;
  unfold("more-button", "more-controls", () => more(now(), store.get().unit));
  unfold("all-button", "all-inputs", list);
  // A file offers what its table answers, a served page all.
  const tries = page.tries.filter((item) => page.server_name || viewOf(page, { ...store.get(), changes: item.changes }).level !== "beyond");
  held("tries").replaceChildren(...(tries.length ? [page.texts.try] : []), ...tries.map((item) => html("button", {
    type: "button", class: "link", "data-try": item.key, click: () => store.set({ changes: item.changes }),
  }, item.text)));
  const framed = frameUnder(held("moves-picture"), page, { id: "part-moves", title: page.texts.moves_heading, source: held("check").textContent || "", table: () => tracksTable(page, store.get().unit) });
  return (view, state) => {
    first(view, state.unit);
    held("moves-lead").textContent = filled(page.texts.moves_lead, { unit: unitWords(page, state.unit).name });
    if (!held("more-controls").hidden) more(view, state.unit);
    list();
    framed.refresh();
  };
}

/** @param {Page} page @param {Store} store @returns {Refresh} */
function liveWhen(page, store) {
  const tabs = mountWhenTabs(held("when-tabs"), page, store);
  const framed = frameUnder(held("when-picture"), page, { id: "part-when", title: held("when-title").textContent || "", source: page.texts.when_source, table: () => whenTable(page, viewOf(page, store.get()), store.get()) });
  return (view, state) => {
    tabs(state);
    drawWhen(held("when-picture"), page, view, state);
    framed.refresh();
  };
}

/** @param {Page} page @param {Store} store @returns {Refresh} */
function livePair(page, store) {
  const sentence = mountPair(held("why-sentence"), page, store);
  const framed = frameUnder(held("why-picture"), page, { id: "part-why", title: page.texts.why_heading, source: page.texts.why_source, table: () => bridgeTable(page, viewOf(page, store.get()), store.get()) });
  return (view, state) => {
    sentence(view, state);
    drawBridge(held("why-picture"), page, view, state);
    framed.refresh();
  };
}

/** @param {Page} page @returns {Refresh} */
function liveOwn(page) {
  if (!document.getElementById("own-picture")) return () => {};
  const own = mountTimeline(held("own-menu"), held("own-sentences"), held("own-picture"), page);
  const framed = frameUnder(held("own-picture"), page, { id: "part-own", title: held("own-title").textContent || "", source: page.texts.own_source, table: own.table });
  return () => { own.draw(); framed.refresh(); };
}

/**
 * @param {Page} page
 * @param {string} asWritten the page before anything was drawn on it
 */
function liveButtons(page, asWritten) {
  const name = page.case.name;
  document.getElementById("to-calendar")?.addEventListener("click", () => downloaded(`${name}-90-days.ics`, "text/calendar", calendarOf(page)));
  document.getElementById("to-table")?.addEventListener("click", () => downloaded(`${name}-90-days.csv`, "text/csv", actionsCsv(page)));
  held("download").addEventListener("click", () => downloaded(`${name}.html`, "text/html", asWritten));
  held("share").addEventListener("click", async () => {
    const link = html("span", { class: "unseen" }, location.href);
    held("share").after(link);
    const button = held("share");
    button.textContent = await copied(link) ? page.texts.frame_copied : location.href;
    link.remove();
    setTimeout(() => { button.textContent = page.texts.share; }, 3000);
  });
  held("evidence-button").addEventListener("click", () => {
    const isFolded = held("evidence").classList.toggle("folded");
    held("evidence-button").setAttribute("aria-expanded", String(!isFolded));
  });
}

/**
 * Links to inputs lead to where they can be moved.
 * @param {Page} page
 */
function followInputLinks(page) {
  document.addEventListener("click", (event) => {
    const anchor = event.target instanceof Element ? event.target.closest("a[data-input]") : null;
    if (!anchor) return;
    event.preventDefault();
    const name = /** @type {HTMLElement} */ (anchor).dataset.input || "";
    const at = page.controls.findIndex((control) => control.name === name);
    const folded = at < 0 ? "all-button" : at >= CONTROLS_SHOWN ? "more-button" : "";
    if (folded && held(folded).getAttribute("aria-expanded") !== "true") held(folded).click();
    const box = document.querySelector(`${at < 0 ? "#all-inputs tr" : ".control"}[data-name="${CSS.escape(name)}"] input`);
    if (box instanceof HTMLElement) { box.scrollIntoView({ block: "center" }); box.focus(); }
  });
  // A link into the evidence opens it.
  window.addEventListener("hashchange", () => {
    const target = location.hash.startsWith("#v") ? null : document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !held("evidence").contains(target) || !held("evidence").classList.contains("folded")) return;
    held("evidence-button").click();
    target.scrollIntoView();
  });
}

/**
 * The page as a file of its own, which asks no server; taken before anything is drawn on it.
 * @returns {string}
 */
function pageAsWritten() {
  const whole = /** @type {HTMLElement} */ (document.documentElement.cloneNode(true));
  whole.querySelector('meta[name="fabless-api"]')?.remove();
  return `<!DOCTYPE html>\n${whole.outerHTML}\n`;
}

/**
 * Start the page.
 * @param {Page} page
 * @returns {Store}
 */
export function startPage(page) {
  const asWritten = pageAsWritten();
  document.documentElement.classList.add("live");
  held("evidence").classList.add("folded");
  held("patterns").replaceChildren(wayPatterns());
  const store = createStore(stateAtRest(page));
  const refreshes = [liveWays(page, store), liveLegend(page), ...(page.controls.length ? [liveTracks(page, store)] : []), liveWhen(page, store), livePair(page, store), liveOwn(page)];
  const { futures, when } = page;
  const api = apiOf(document);
  const more = api ? [fullAnswer(page, store, api)] : [];
  const draw = () => {
    const state = store.get();
    // what a server worked out holds for its state alone
    if (page.served && !sameChanges(page.served.moved, state.changes)) Object.assign(page, { served: null, futures, when });
    const view = viewOf(page, state);
    drawVerdict(page, view);
    for (const refresh of refreshes) refresh(view, state);
    drawStrip(held("strip"), page, store, view, more);
    // Room at the end of the page, and above what is scrolled to, so that the strip covers nothing.
    const room = held("strip").hidden ? "" : `${held("strip").offsetHeight}px`;
    document.body.style.paddingBottom = document.documentElement.style.scrollPaddingBottom = room;
  };
  liveButtons(page, asWritten);
  followInputLinks(page);
  followAddress(page, store, window, (faults) => { held("link-faults").textContent = faults.join(" "); held("link-faults").hidden = !faults.length; });
  listenForUndo(document, store);
  draw();
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  };
  store.subscribe(soon);
  if (api) {
    awaitBetter(held("better"), page, api);
    askServer({ ...page }, store, api, (view, parts) => {
      Object.assign(page, { served: { view, moved: store.get().changes }, futures: parts.futures || futures, when: parts.when || when });
      soon();
    }, (words) => { held("link-faults").textContent = words.join(" "); held("link-faults").hidden = !words.length; });
  }
  window.addEventListener("resize", soon);
  document.fonts?.ready.then(soon);
  return store;
}

/**
 * Data of the page: compressed, so that the file stays small.
 * @param {string} text base64 of JSON in gzip
 * @returns {Promise<Page>}
 */
export async function readPage(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

const pageData = document.getElementById("page-data");
if (pageData) startPage(await readPage(pageData.textContent || ""));
