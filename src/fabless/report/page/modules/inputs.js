// @ts-check
// All inputs: search, filter by grade, changed only; every one that can be moved has a box.
import { plain } from "./format.js";
import { moveTyped, standing } from "./moving.js";
import { html } from "./scale.js";
import { filled } from "./texts.js";
import { unitWord } from "./tracks.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").PageInput} PageInput */
/** @typedef {import("./page.js").Store} Store */

/**
 * Inputs that hold all words of a search, have a grade, and are changed where only such are asked for.
 * @param {PageInput[]} inputs
 * @param {{words: string, grade: string, changed: boolean}} filter
 * @param {{[name: string]: number}} changes
 * @returns {PageInput[]}
 */
export function inputsFound(inputs, filter, changes) {
  const words = filter.words.toLowerCase().split(/\s+/).filter(Boolean);
  return inputs.filter((input) => {
    if (filter.grade && input.grade !== filter.grade) return false;
    if (filter.changed && !(input.name in changes)) return false;
    const text = `${input.name} ${input.label} ${input.source} ${input.note} ${input.unit}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/**
 * @param {Page} page @param {Store} store @param {PageInput} input
 * @returns {HTMLTableRowElement}
 */
function inputRow(page, store, input) {
  const fault = html("small", { class: "fault", role: "alert" });
  const value = standing(page, store, input.name);
  const box = html("input", { type: "text", inputmode: "decimal", value: plain(value), "aria-label": input.label, change: () => {
    delete box.dataset.typed;
    fault.textContent = moveTyped(page, store, input.name, box.value);
  }, input: () => { box.dataset.typed = "1"; } });
  const source = input.url.startsWith("https://") || input.url.startsWith("http://")
    ? html("a", { href: input.url, rel: "noreferrer" }, input.source) : html("span", {}, input.source);
  return html("tr", { "data-name": input.name, class: value !== input.value ? "moved" : "" },
    html("th", { scope: "row" }, input.label, html("small", {}, input.name)),
    html("td", { class: "n" }, input.fixed ? html("span", { title: input.fixed }, plain(value)) : box, fault),
    html("td", {}, unitWord(page, input)), html("td", { class: "n" }, filled(page.texts.inputs_from_to, { low: plain(input.low), high: plain(input.high) })),
    html("td", {}, page.texts[`grade_${input.grade}`] || input.grade), html("td", {}, source, input.note && html("small", {}, input.note)),
    html("td", { class: "n" }, input.known));
}

/**
 * Put the list in its place; its rows are made when it is first opened.
 * @param {HTMLElement} place
 * @param {Page} page
 * @param {Store} store
 * @returns {() => void} brings it up to date
 */
export function mountInputs(place, page, store) {
  const filter = { words: "", grade: "", changed: false };
  const body = html("tbody");
  const found = html("span", { "aria-live": "polite" });
  const grades = [...new Set(page.inputs.map((input) => input.grade))];
  const search = html("input", { type: "search", "aria-label": page.texts.inputs_search, placeholder: page.texts.inputs_search, input: () => { filter.words = search.value; fill(); } });
  const menu = html("select", { "aria-label": page.texts.inputs_grade, change: () => { filter.grade = menu.value; fill(); } },
    html("option", { value: "" }, page.texts.inputs_any_grade), ...grades.map((grade) => html("option", { value: grade }, page.texts[`grade_${grade}`] || grade)));
  const changed = html("input", { type: "checkbox", change: () => { filter.changed = changed.checked; fill(); } });
  const head = ["inputs_input", "inputs_value", "unit", "inputs_range", "inputs_grade", "inputs_source", "inputs_known"]
    .map((key, at) => html("th", { scope: "col", class: [1, 3, 6].includes(at) ? "n" : "" }, page.texts[key]));
  place.replaceChildren(html("div", { class: "filters" }, search, menu, html("label", {}, changed, page.texts.inputs_changed), found),
    html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": page.texts.inputs_heading }, html("table", {}, html("thead", {}, html("tr", {}, ...head)), body)));

  function fill() {
    if (place.hidden) return;
    const inputs = inputsFound(page.inputs, filter, store.get().changes);
    body.replaceChildren(...inputs.map((input) => inputRow(page, store, input)));
    found.textContent = filled(page.texts.inputs_found, { n: String(inputs.length), of: String(page.inputs.length) });
  }

  return () => {
    const active = document.activeElement;
    // A row in which somebody types is left alone until he is done.
    if (active instanceof HTMLInputElement && body.contains(active) && active.dataset.typed) return;
    const name = active instanceof HTMLElement && body.contains(active) ? active.closest("tr")?.dataset.name : undefined;
    fill();
    if (name) /** @type {HTMLElement | null} */ (body.querySelector(`tr[data-name="${CSS.escape(name)}"] input`))?.focus();
  };
}
