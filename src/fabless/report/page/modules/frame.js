// @ts-check
// The frame under a picture: the picture, its table, its data and its source, and a link to it.
import { heading } from "./format.js";
import { html } from "./scale.js";
import { filled } from "./texts.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {{caption: string, head: string[], rows: string[][], data?: (string | number)[][]}} Tabled */
/** @typedef {{refresh: () => void}} Framed */

/** Views of a frame, in their order. */
const FRAME_VIEWS = ["picture", "table", "data", "source"];

/**
 * A table as HTML: first column names the row, other columns stand right where they hold numbers.
 * @param {Tabled} tabled
 * @returns {HTMLTableElement}
 */
export function tableOf(tabled) {
  const isNumber = tabled.head.map((_, column) => column > 0 && tabled.rows.every((row) => /^[-+−–<≥≤0-9\s]/.test(row[column] || "–")));
  const head = tabled.head.map((text, column) => html("th", { scope: "col", class: isNumber[column] ? "n" : "" }, text));
  const rows = tabled.rows.map((row) => html("tr", {}, ...row.map((text, column) => (column
    ? html("td", { class: isNumber[column] ? "n" : "" }, text) : html("th", { scope: "row" }, text)))));
  return html("table", {}, html("caption", {}, tabled.caption), html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...rows));
}

/**
 * One value as CSV has it.
 * @param {string | number} value
 * @returns {string}
 */
export function csvValue(value) {
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Rows as CSV, below lines that say what they are.
 * @param {string[]} about
 * @param {(string | number)[][]} rows
 * @returns {string}
 */
export function csvText(about, rows) {
  return [...about.map((line) => `# ${line}`), ...rows.map((row) => row.map(csvValue).join(","))].join("\n") + "\n";
}

/**
 * Give a text to the reader as a file.
 * @param {string} name
 * @param {string} type
 * @param {string} text
 * @returns {void}
 */
export function downloaded(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  html("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/**
 * What every file that leaves the page says of itself.
 * @param {Page} page
 * @param {string} title
 * @returns {string[]}
 */
export function aboutLines(page, title) {
  const { name, as_of: asOf, digest, decision_digest: decision, seed, detail, price_year: year, paths } = page.case;
  return [title, `case: ${name}`, `as of: ${asOf}`, `case digest: ${digest}`, `decision digest: ${decision}`, `seed: ${seed}`,
    `detail: ${detail}`, `futures: ${paths}`, `money: USD of ${year}`, `moved: ${location.hash || "nothing"}`];
}

/**
 * Put a frame under a picture. The table is made when it is opened, and again when the picture
 * changes.
 * @param {HTMLElement} picture
 * @param {Page} page
 * @param {{id: string, title: string, source: string, table: () => Tabled}} spec
 * @returns {Framed}
 */
export function frameUnder(picture, page, spec) {
  let open = "picture";
  const behind = html("div", { class: "behind", id: `${spec.id}-behind`, role: "tabpanel", tabindex: 0, hidden: true });
  const tabs = FRAME_VIEWS.map((view, place) => html("button", {
    type: "button", role: "tab", "aria-selected": String(view === open), tabindex: place ? -1 : 0, "data-view": view, "aria-controls": behind.id,
    click: () => show(view), keydown: (/** @type {KeyboardEvent} */ event) => step(event, place),
  }, page.texts[`frame_${view}`]));
  const copy = html("button", { type: "button", class: "copy", click: copyLink }, page.texts.frame_copy);

  /** @param {KeyboardEvent} event @param {number} place */
  function step(event, place) {
    const move = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const tab = move ? tabs[place + move] : undefined;
    if (!tab) return;
    event.preventDefault();
    tab.focus();
    tab.click();
  }

  async function copyLink() {
    const link = `${location.href.split("#")[0]}${location.hash.startsWith("#v1") ? location.hash : `#${spec.id}`}`;
    try {
      await navigator.clipboard.writeText(link);
      copy.textContent = page.texts.frame_copied;
    } catch {
      copy.textContent = link;
    }
    setTimeout(() => { copy.textContent = page.texts.frame_copy; }, 4000);
  }

  /** @returns {Node[]} */
  function content() {
    const tabled = spec.table();
    if (open === "table") return [tableOf(tabled)];
    if (open === "source") return [html("p", {}, spec.source), html("p", {}, filled(page.texts.frame_source_text, {
      case: String(page.case.name), digest: String(page.case.decision_digest), seed: String(page.case.seed), paths: String(page.case.paths) }))];
    const rows = tabled.data || [tabled.head, ...tabled.rows];
    const name = `${page.case.name}-${spec.id}.csv`;
    const about = aboutLines(page, spec.title);
    return [html("p", {}, page.texts.frame_data_lead), html("p", {}, html("button", {
      type: "button", class: "link", click: () => downloaded(name, "text/csv", csvText(about, rows)),
    }, `${page.texts.frame_csv}: ${name}`)), html("p", {}, ...about.slice(1).flatMap((line) => [heading(line), html("br")]))];
  }

  function refresh() {
    picture.hidden = open !== "picture";
    behind.hidden = open === "picture";
    behind.replaceChildren(...(open === "picture" ? [] : content()));
  }

  /** @param {string} view */
  function show(view) {
    open = view;
    for (const tab of tabs) {
      const isOpen = tab.dataset.view === view;
      tab.setAttribute("aria-selected", String(isOpen));
      tab.tabIndex = isOpen ? 0 : -1;
    }
    refresh();
  }

  const list = html("div", { role: "tablist", "aria-label": spec.title, style: "display:flex;gap:20px" }, ...tabs);
  picture.after(behind, html("div", { class: "frame" }, list, copy));
  return { refresh };
}
