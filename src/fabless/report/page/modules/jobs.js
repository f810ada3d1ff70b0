// @ts-check
// Long questions, on a page that came from a server: the full answer of a moved case, and a better
// answer of the case itself that is still being worked out.
import { filled } from "./texts.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").Changes} Changes */

/**
 * Ask for the full answer of a moved case, and go to where it is followed and shown.
 * @param {Page} page
 * @param {Changes} changes
 * @returns {Promise<void>}
 */
export async function askInFull(page, changes) {
  const response = await fetch("/api/jobs", {
    method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ case: page.server_name, changes, detail: page.case.detail }),
  });
  const job = await response.json();
  if (response.ok) location.assign(`/answer/${job.id}`);
}

/**
 * Say how far a better answer is, and offer it when it is there.
 * @param {Page} page
 * @param {HTMLElement} place
 * @param {string} api
 * @returns {void}
 */
export function followBetter(page, place, api) {
  if (!page.better) return;
  const events = new EventSource(`${api}/jobs/${page.better}/events`);
  /** @param {string} text */
  const say = (text) => { place.textContent = text; place.hidden = !text; };
  events.onmessage = (event) => {
    const job = JSON.parse(event.data);
    if (job.state === "queued" || job.state === "running") {
      say(filled(page.texts.server_better, { line: job.line || page.texts.server_begins }));
      return;
    }
    events.close();
    say("");
    if (job.state !== "done") return;
    say(page.texts.server_ready);
    const link = document.createElement("a");
    link.href = location.pathname;
    link.textContent = page.texts.server_load;
    link.addEventListener("click", (click) => { click.preventDefault(); location.reload(); });
    place.append(" ", link);
  };
}
