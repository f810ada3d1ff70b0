// @ts-check
// From a key press or a typed value to the store, and from the store to the address.
import { inputOf, refusalOf, typedNumber } from "./answers.js";
import { plain } from "./format.js";
import { isLink, linkOf, stateOfLink } from "./link.js";
import { withChange } from "./state.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").Store} Store */

/**
 * Move an input to a value, or say why not; where it is refused nothing else changes. Moves of one
 * input that follow one another quickly are undone together.
 * @param {Page} page
 * @param {Store} store
 * @param {string} name
 * @param {number} value in the input's unit
 * @returns {string} why the value is refused; empty where it is taken
 */
export function moveInput(page, store, name, value) {
  const refusal = refusalOf(page, name, value);
  if (!refusal) store.set({ changes: withChange(page, store.get().changes, name, value) }, name);
  return refusal;
}

/**
 * A typed value, or the end of the range where it is written as that end and lies beyond it by
 * rounding alone.
 * @param {Page} page
 * @param {string} name
 * @param {number} value
 * @returns {number}
 */
function endOrValue(page, name, value) {
  const input = inputOf(page, name);
  if (!input) return value;
  if (value > input.high && plain(value) === plain(input.high)) return input.high;
  return value < input.low && plain(value) === plain(input.low) ? input.low : value;
}

/**
 * Move an input to a typed value.
 * @param {Page} page
 * @param {Store} store
 * @param {string} name
 * @param {string} text
 * @returns {string} why the value is refused; empty where it is taken
 */
export function moveTyped(page, store, name, text) {
  return moveInput(page, store, name, endOrValue(page, name, typedNumber(text)));
}

/**
 * Value of an input as it stands in a state.
 * @param {Page} page
 * @param {Store} store
 * @param {string} name
 * @returns {number}
 */
export function standing(page, store, name) {
  const changes = store.get().changes;
  const input = inputOf(page, name);
  return name in changes ? changes[name] : input ? input.value : NaN;
}

/**
 * Ctrl-Z takes the last move back, Ctrl-Shift-Z or Ctrl-Y makes it again. In a text field that was
 * typed in and not yet taken, the keys are the field's own.
 * @param {Document} root
 * @param {Store} store
 * @returns {void}
 */
export function listenForUndo(root, store) {
  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const field = event.target;
    if (field instanceof HTMLInputElement && field.type !== "range" && field.dataset.typed) return;
    if (key === "z" && !event.shiftKey) store.undo();
    else if (key === "y" || key === "z") store.redo();
    else return;
    event.preventDefault();
  });
}

/** Time that the address may lag behind the page [ms]; browsers refuse a page that writes it at every step of a slider. */
export const ADDRESS_LAG_MS = 200;

/**
 * Keep the address and the store alike: a link in the address is followed, a change is written to
 * it. Anchors of the page's sections are left alone.
 * @param {Page} page
 * @param {Store} store
 * @param {Window} frame
 * @param {(faults: string[]) => void} say shows what of a link could not be followed
 * @returns {void}
 */
export function followAddress(page, store, frame, say) {
  const follow = () => {
    if (!isLink(frame.location.hash)) return;
    const { state, faults } = stateOfLink(page, frame.location.hash);
    store.set({ ...state, tab: store.get().tab });
    say(faults);
  };
  const write = () => {
    const link = linkOf(page, store.get());
    if (link === frame.location.hash || (!link && !isLink(frame.location.hash))) return;
    frame.history.replaceState(null, "", link || frame.location.pathname + frame.location.search);
  };
  follow();
  frame.addEventListener("hashchange", follow);
  let waiting = 0;
  store.subscribe(() => {
    frame.clearTimeout(waiting);
    waiting = frame.setTimeout(write, ADDRESS_LAG_MS);
  });
}
