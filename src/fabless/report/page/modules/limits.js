// @ts-check
// What the reader takes along: the first 90 days as calendar and table.
import { aboutLines, csvText } from "./frame.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {{what: string, owner: string, start: string, due: string, spend: number, stop: string, double: string, delay: number | null, about: string, kind: string}} Action */

/**
 * Text as a calendar file has it.
 * @param {string} text
 * @returns {string}
 */
export function calendarText(text) {
  return text.replaceAll("\\", "\\\\").replaceAll(";", "\\;").replaceAll(",", "\\,").replaceAll("\n", "\\n");
}

/**
 * Lines of a calendar are at most 75 bytes; what is longer goes on in a line that starts with a
 * blank. Characters are kept whole.
 * @param {string} line
 * @returns {string}
 */
export function folded(line) {
  const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text).length;
  /** @type {string[]} */
  const lines = [""];
  for (const letter of line) {
    if (bytes(lines[lines.length - 1] + letter) > 74) lines.push("");
    lines[lines.length - 1] += letter;
  }
  return lines.join("\r\n ");
}

/**
 * The first 90 days as a calendar: one whole day a step.
 * @param {Page} page
 * @returns {string}
 */
export function calendarOf(page) {
  const stamp = `${String(page.case.as_of).replaceAll("-", "")}T000000Z`;
  const events = /** @type {Action[]} */ (page.actions).flatMap((action, place) => {
    const day = action.due.replaceAll("-", "");
    return ["BEGIN:VEVENT", `UID:${page.case.decision_digest}-${place}@fabless`, `DTSTAMP:${stamp}`, `DTSTART;VALUE=DATE:${day}`,
      `SUMMARY:${calendarText(action.what)}`,
      `DESCRIPTION:${calendarText(`${action.owner}\nUSD: ${Math.round(action.spend)}\n${page.texts.actions_stop}: ${action.stop}\n${page.texts.actions_double}: ${action.double}`)}`, "END:VEVENT"];
  });
  return ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//fabless//first 90 days//EN", ...events, "END:VCALENDAR"].map(folded).join("\r\n") + "\r\n";
}

/**
 * The first 90 days as a table.
 * @param {Page} page
 * @returns {string}
 */
export function actionsCsv(page) {
  const actions = /** @type {Action[]} */ (page.actions);
  return csvText(aboutLines(page, page.texts.actions_heading), [["from", "by", "what", "who", "spend_usd", "waiting_a_quarter_costs_usd", "stop_if", "double_if"],
    ...actions.map((action) => [action.start, action.due, action.what, action.owner, action.spend, action.delay === null ? "" : action.delay, action.stop, action.double])]);
}
