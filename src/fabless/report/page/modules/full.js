// @ts-check
// What a server works out at length: the full answer to a moved case, asked from the strip, and the
// better answer to a page that shows a quick one.
import { html } from "./scale.js";
import { faultWords } from "./server.js";
import { sameChanges } from "./state.js";
import { filled } from "./texts.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").Store} Store */
/** @typedef {{id: string, state: string, line: string, faults: import("./server.js").ServerFault[]}} Job */

/**
 * Follow a job to its end.
 * @param {string} api
 * @param {string} id
 * @param {(job: Job) => void} seen called with each new state
 * @returns {void}
 */
function followJob(api, id, seen) {
  const events = new EventSource(`${api}/jobs/${id}/events`);
  events.onmessage = (event) => {
    /** @type {Job} */
    const job = JSON.parse(event.data);
    if (!["queued", "running"].includes(job.state)) events.close();
    seen(job);
  };
}

/**
 * The part of the strip that asks for the full answer, says how far it is, and cancels it.
 * @param {Page} page
 * @param {Store} store
 * @param {string} api
 * @returns {HTMLElement}
 */
export function fullAnswer(page, store, api) {
  const { texts } = page;
  const place = html("span", { id: "full", role: "status" });
  /** @param {...(Node | string)} parts */
  const show = (...parts) => place.replaceChildren(...parts);
  /** @param {string} text @param {string} does @param {() => void} act */
  const button = (text, does, act) => html("button", { type: "button", "data-does": does, click: act }, text);
  const offer = () => button(texts.full_answer, "full", start);

  /** @param {string} address @param {RequestInit} request @returns {Promise<Job>} */
  async function asked(address, request) {
    const response = await fetch(`${api}/jobs${address}`, request);
    const body = await response.json();
    if (!response.ok) throw new Error(faultWords(body.faults || []).join(" ") || String(response.status));
    return body;
  }

  async function start() {
    const { changes } = store.get();
    show(texts.full_waits);
    try {
      const job = await asked("", {
        method: "POST", headers: { "content-type": "application/json" },
        body: JSON.stringify({ case: page.server_name, changes: { ...page.server_changes, ...changes }, detail: page.server_detail }),
      });
      followJob(api, job.id, (now) => seen(now, changes));
    } catch (error) {
      show(error instanceof Error ? error.message : String(error), " ", offer());
    }
  }

  /** @param {Job} job @param {import("./page.js").Changes} changes */
  function seen(job, changes) {
    const address = `/case/${encodeURIComponent(page.server_name || "")}/answer/${job.id}`;
    if (job.state === "done" && sameChanges(changes, store.get().changes)) location.assign(address);
    else if (job.state === "done") show(html("a", { href: address }, texts.full_open), " ", offer());
    else if (job.state === "failed") show(faultWords(job.faults).join(" "), " ", offer());
    else if (job.state === "cancelled") show(texts.full_cancelled, " ", offer());
    else {
      show(job.state === "queued" ? texts.full_waits : filled(texts.full_runs, { step: job.line || texts.full_begun }), " ",
        button(texts.full_cancel, "cancel", () => { asked(`/${job.id}`, { method: "DELETE" }).catch((error) => show(String(error), " ", offer())); }));
    }
  }

  show(offer());
  return place;
}

/**
 * Say that a better answer is being made, and offer to load it when it is there.
 * @param {HTMLElement} place
 * @param {Page} page
 * @param {string} api
 * @returns {void}
 */
export function awaitBetter(place, page, api) {
  if (!page.server_better) return;
  place.hidden = false;
  place.textContent = filled(page.texts.better_waits, { detail: page.server_detail || "" });
  followJob(api, page.server_better, (job) => {
    if (job.state === "done") {
      place.replaceChildren(`${filled(page.texts.better_ready, { detail: page.server_detail || "" })} `,
        html("button", { type: "button", class: "link", click: () => location.reload() }, page.texts.better_load));
    }
    if (job.state === "failed") place.textContent = faultWords(job.faults).join(" ");
    if (job.state === "cancelled") place.textContent = page.texts.full_cancelled;
  });
}
