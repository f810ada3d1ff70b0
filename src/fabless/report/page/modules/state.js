// @ts-check
// What was moved and what is looked at, with undo.
import { inputOf, settledValue } from "./answers.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").State} State */
/** @typedef {import("./page.js").Store} Store */
/** @typedef {import("./page.js").Changes} Changes */

/** Changes of one step that follow one another within this time [ms] are undone together. */
export const ONE_STEP_MS = 800;

/** Changes kept for undoing. */
export const MOST_STEPS = 200;

/**
 * The two ways that are set side by side at rest.
 * @param {Page} page
 * @returns {[string, string]}
 */
export function firstPair(page) {
  const other = page.ways.find((way) => way.key !== page.recommended);
  return [page.recommended, page.against || (other ? other.key : page.recommended)];
}

/**
 * State of a page at rest.
 * @param {Page} page
 * @returns {State}
 */
export function stateAtRest(page) {
  const middle = page.futures.shown.find((future) => future.key === "middle") || page.futures.shown[0];
  return {
    changes: {}, unit: "cents", pair: firstPair(page),
    future: middle ? middle.key : "", tab: "compute",
  };
}

/**
 * Whether two sets of changes are equal.
 * @param {Changes} left
 * @param {Changes} right
 * @returns {boolean}
 */
export function sameChanges(left, right) {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}

/**
 * Changes with one more input moved; an input put back to what the case states is no change.
 * @param {Page} page
 * @param {Changes} changes
 * @param {string} name
 * @param {number} value in the input's unit
 * @returns {Changes}
 */
export function withChange(page, changes, name, value) {
  const rest = Object.fromEntries(Object.entries(changes).filter(([other]) => other !== name));
  const input = inputOf(page, name);
  if (!input) return rest;
  const settled = settledValue(input, value);
  return settled === input.value ? rest : { ...rest, [name]: settled };
}

/**
 * Store of the page's state. Listeners are called after each change, in the order in which they came.
 * @param {State} initial
 * @param {() => number} now clock [ms]
 * @returns {Store}
 */
export function createStore(initial, now = Date.now) {
  let state = initial;
  /** @type {Changes[]} */
  let past = [];
  /** @type {Changes[]} */
  let ahead = [];
  let lastStep = "";
  let lastTime = -Infinity;
  /** @type {Set<(state: State, before: State) => void>} */
  const listeners = new Set();

  /** @param {State} next */
  function become(next) {
    const before = state;
    state = next;
    for (const listener of [...listeners]) listener(state, before);
  }

  /** @param {Changes[]} from @param {Changes[]} onto */
  function step(from, onto) {
    const changes = from.pop();
    if (!changes) return;
    onto.push(state.changes);
    lastStep = "";
    become({ ...state, changes });
  }

  /** @param {Partial<State>} part @param {string} name */
  function set(part, name = "") {
    const next = { ...state, ...part };
    if (!sameChanges(next.changes, state.changes)) {
      const time = now();
      if (!name || name !== lastStep || time - lastTime > ONE_STEP_MS) {
        past = [...past, state.changes].slice(-MOST_STEPS);
      }
      ahead = [];
      lastStep = name;
      lastTime = time;
    }
    become(next);
  }

  return {
    get: () => state,
    set,
    subscribe(listener) {
      listeners.add(listener);
      return () => { listeners.delete(listener); };
    },
    undo: () => step(past, ahead),
    redo: () => step(ahead, past),
    reset(name) {
      const kept = Object.entries(state.changes).filter(([other]) => name !== undefined && other !== name);
      set({ changes: Object.fromEntries(kept) });
    },
    canUndo: () => past.length > 0,
    canRedo: () => ahead.length > 0,
  };
}
