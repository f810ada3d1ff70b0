// @ts-check
// A page that came from a server asks it: rough numbers where the page's table does not reach, then
// twenty new dots a way. The newest state wins, a request for an older one is dropped, the old
// picture stays.
import { sameChanges } from "./state.js";
import { filled } from "./texts.js";
import { restView, roughView, viewOf } from "./view.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").State} State */
/** @typedef {import("./page.js").Store} Store */
/** @typedef {import("./page.js").View} View */
/** @typedef {{place: string, found: string, allowed: string, remedy: string}} ServerFault */

/** Time without a move after which the server is asked [ms]. */
export const PAUSE_MS = 150;

/**
 * Address of the server's calls; empty in a file.
 * @param {Document} root
 * @returns {string}
 */
export function apiOf(root) {
  const meta = root.querySelector('meta[name="fabless-api"]');
  return meta instanceof HTMLMetaElement ? meta.content : "";
}

/**
 * The page with the parts that a server worked out on fresh paths.
 * @param {Page} page as it came
 * @param {State} state
 * @param {any} parts
 * @returns {View}
 */
export function twelveView(page, state, parts) {
  const rest = restView(page);
  const known = viewOf(page, state);
  return {
    ...rest,
    level: "twelve",
    ways: parts.ways.map((/** @type {import("./page.js").Way} */ way) => ({
      ...way, base: page.ways.find((item) => item.key === way.key) || way, stale: [],
    })),
    recommended: parts.recommended, against: parts.against, verdict: parts.verdict, pairs: parts.pairs,
    flips: known.flips, moved: Object.keys(state.changes), stale: true,
    mark: filled(page.texts.twelve, { n: parts.paths }),
  };
}

/**
 * Faults of a server in words.
 * @param {ServerFault[]} faults
 * @returns {string[]}
 */
export function faultWords(faults) {
  return faults.map((fault) => `${fault.place}: ${fault.found}. ${fault.remedy}.`);
}

/**
 * Ask the server after each move.
 * @param {Page} page
 * @param {Store} store
 * @param {string} api
 * @param {(view: View, parts: any) => void} show called with a view of the state as it stands, and the parts of it
 * @param {(words: string[]) => void} say called with what went wrong; nothing where all is well
 * @param {typeof fetch} ask
 * @returns {void}
 */
export function askServer(page, store, api, show, say, ask = fetch.bind(window)) {
  const reader = Math.random().toString(36).slice(2);
  let flying = new AbortController();
  let timer = 0;
  /** @type {{[name: string]: number}} */
  let answered = {};

  /** @param {string} call @param {State} state @param {AbortSignal} signal @returns {Promise<any>} */
  async function answer(call, state, signal) {
    const response = await ask(`${api}/${call}`, {
      method: "POST", signal, headers: { "content-type": "application/json" },
      body: JSON.stringify({ case: page.server_name || page.case.name, changes: { ...page.server_changes, ...state.changes }, reader }),
    });
    const body = await response.json();
    if (response.ok) return body;
    throw new Error(faultWords(body.faults || []).join(" ") || String(response.status));
  }

  /** @param {State} state @param {AbortSignal} signal */
  async function follow(state, signal) {
    const isNew = () => !sameChanges(state.changes, store.get().changes);
    if (viewOf(page, state).level === "beyond") {
      const rough = await answer("rough", state, signal);
      if (isNew()) return;
      show({ ...roughView(page, state, rough.answers), mark: filled(page.texts.rough, { n: rough.leaves }) }, {});
    }
    const parts = await answer("twelve", state, signal);
    if (!isNew()) show(twelveView(page, state, parts), parts);
  }

  async function go() {
    const state = store.get();
    if (sameChanges(state.changes, answered) || !Object.keys(state.changes).length) return;
    flying.abort(); // an answer to an older state is of no use
    flying = new AbortController();
    const { signal } = flying;
    answered = state.changes;
    try {
      await follow(state, signal);
      say([]);
    } catch (error) {
      if (!signal.aborted) say([error instanceof Error ? error.message : String(error)]);
    }
  }

  const later = () => {
    clearTimeout(timer);
    if (!Object.keys(store.get().changes).length) answered = {};
    timer = window.setTimeout(go, PAUSE_MS);
  };
  store.subscribe((state, before) => { if (!sameChanges(state.changes, before.changes)) later(); });
  later();
}
