// @ts-check
// The strip at the foot of a moved page: what was changed, whether the verdict changed, how far
// ahead the first way is, and what to do with it.
import { plain } from "./format.js";
import { caseFileText, savedName } from "./save.js";
import { filled } from "./texts.js";
import { amount, measured, money, wayOf } from "./verdict.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").Changes} Changes */
/** @typedef {import("./page.js").Store} Store */
/** @typedef {import("./page.js").State} State */
/** @typedef {import("./page.js").View} View */
/** @typedef {{changed: string, verdict: string, lead: string, mark: string}} Strip */

/**
 * Changes in words, one each, in the order of the page's inputs.
 * @param {Page} page
 * @param {Changes} changes
 * @returns {string[]}
 */
export function changesInWords(page, changes) {
  return page.inputs.filter((input) => input.name in changes).map((input) => filled(page.texts.strip_change, {
    name: input.label, before: plain(input.value), after: measured(page.texts, changes[input.name], input.unit),
  }));
}

/**
 * What the strip says; undefined where nothing is moved.
 * @param {Page} page
 * @param {State} state
 * @param {View} view
 * @returns {Strip | undefined}
 */
export function stripOf(page, state, view) {
  const changes = changesInWords(page, state.changes);
  if (!changes.length) return undefined;
  const changed = filled(page.texts.strip_changed, { changes: changes.join(", ") });
  if (view.level === "beyond") return { changed, verdict: page.server_name ? page.texts.strip_asked : page.texts.strip_unknown, lead: "", mark: "" };
  const verdict = view.recommended === page.recommended ? page.texts.strip_verdict_same
    : filled(page.texts.strip_verdict_changed, { action: view.verdict.action });
  return { changed, verdict, lead: leadInWords(page, view), mark: view.mark };
}

/**
 * Lead of the first way over the one that the verdict is held against: before and now where the
 * same way is first, else now alone.
 * @param {Page} page
 * @param {View} view
 * @returns {string}
 */
function leadInWords(page, view) {
  const now = view.pairs[`${view.against}|${view.recommended}`];
  const way = wayOf(page, view.against);
  if (!now || !way) return "";
  const other = way.said;
  if (now.tie) return filled(page.texts.strip_tie, { other });
  const after = money(page.texts, now.difference);
  if (view.recommended !== page.recommended || view.against !== page.against) {
    return filled(page.texts.strip_lead_now, { other, after });
  }
  const before = amount(page.texts, page.pairs[`${page.against}|${page.recommended}`].difference);
  return filled(page.texts.strip_lead, { other, before, after });
}

/**
 * Draw the strip into its place; an empty place is hidden.
 * @param {HTMLElement} place
 * @param {Page} page
 * @param {Store} store
 * @param {View} view
 * @param {Node[]} more to do, where the page has a server
 * @returns {void}
 */
export function drawStrip(place, page, store, view, more = []) {
  const state = store.get();
  const strip = stripOf(page, state, view);
  const active = place.ownerDocument.activeElement;
  const held = active instanceof HTMLElement && place.contains(active) ? active.dataset.does : undefined;
  place.hidden = !strip;
  place.replaceChildren();
  if (!strip) return;
  place.append(stripPart("strip-changed", strip.changed), stripPart("strip-verdict", strip.verdict));
  if (strip.lead) place.append(stripPart("strip-lead", strip.lead));
  if (strip.mark) place.append(stripPart("rough", strip.mark));
  if (view.beyond && !page.server_name) place.append(beyondPart(page, view.beyond));
  const actions = stripPart("strip-actions", "");
  actions.append(
    stripButton(page.texts.undo, "undo", !store.canUndo(), () => store.undo()),
    stripButton(page.texts.redo, "redo", !store.canRedo(), () => store.redo()),
    stripButton(page.texts.reset_all, "reset", false, () => store.reset()),
    stripButton(page.texts.save_case, "save", false, () => {
      handOver(place.ownerDocument, `${savedName(page)}.yaml`, caseFileText(page, { ...page.server_changes, ...state.changes }));
    }),
    ...more,
  );
  place.append(actions);
  // A redrawn button keeps the focus, so that Undo can be pressed again.
  if (held) /** @type {HTMLElement | null} */ (place.querySelector(`[data-does="${held}"]`))?.focus();
}

/**
 * @param {string} kind
 * @param {string} text
 * @returns {HTMLElement}
 */
function stripPart(kind, text) {
  const part = document.createElement("span");
  part.className = kind;
  part.textContent = text;
  return part;
}

/**
 * @param {string} text
 * @param {string} does what the button does, for scripts and tests
 * @param {boolean} disabled
 * @param {() => void} act
 * @returns {HTMLButtonElement}
 */
function stripButton(text, does, disabled, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.dataset.does = does;
  button.disabled = disabled;
  button.addEventListener("click", act);
  return button;
}

/**
 * What to do where the page carries no answer: the command line, with a button that copies it.
 * @param {Page} page
 * @param {{text: string, command: string}} beyond
 * @returns {HTMLElement}
 */
function beyondPart(page, beyond) {
  const part = stripPart("beyond", beyond.text);
  const command = document.createElement("code");
  command.textContent = beyond.command;
  const button = stripButton(page.texts.copy_command, "copy", false, async () => {
    button.textContent = await copied(command) ? page.texts.frame_copied : page.texts.copy_by_hand;
  });
  part.append(" ", command, " ", button);
  return part;
}

/**
 * Copy the text of an element; where the browser keeps the clipboard from the page, select it.
 * @param {HTMLElement} element
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copied(element) {
  try {
    await navigator.clipboard.writeText(element.textContent || "");
    return true;
  } catch {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = window.getSelection();
    if (selection) {
      selection.removeAllRanges();
      selection.addRange(range);
    }
    return false;
  }
}

/**
 * Hand a text over as a file, without a server.
 * @param {Document} owner
 * @param {string} name of the file
 * @param {string} text
 * @returns {void}
 */
export function handOver(owner, name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const anchor = owner.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  URL.revokeObjectURL(address);
}
