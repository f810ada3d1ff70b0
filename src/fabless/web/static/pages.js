// @ts-check
/** Pages beside the first, livelier: an answer follows its form without a click, and a page that
 * waits comes back by itself. Without scripts the same forms are sent by their button. */

/** Time after the last change before the server is asked [ms]. */
const REST_MS = 250;
/** Time between two looks at an answer that is being worked out [ms]. */
const LOOK_MS = 1500;
/** Attributes by which a field says that it is faulty. */
const SAID = ["aria-invalid", "aria-describedby"];

/** @type {AbortController | null} */
let asking = null;
/** @type {number | undefined} */
let rest;

/**
 * Address of what a form asks; empty fields are left out.
 * @param {HTMLFormElement} form
 * @returns {string}
 */
export function addressOf(form) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value !== "") asked.append(name, String(value));
  return `${new URL(form.action).pathname}?${asked}`;
}

/**
 * Fetch a page; null where a newer question came or the server is away.
 * @param {string} address
 * @returns {Promise<Document | null>}
 */
export async function pageAt(address) {
  asking?.abort();
  const mine = (asking = new AbortController());
  try {
    const response = await fetch(address, { signal: mine.signal });
    const text = await response.text();
    return mine.signal.aborted ? null : new DOMParser().parseFromString(text, "text/html");
  } catch {
    if (!mine.signal.aborted) document.querySelector("#answer")?.classList.remove("stale");
    return null;
  }
}

/**
 * Put a part of a fetched page in the place of the one shown.
 * @param {Document} page
 * @param {string} part
 */
export function replacePart(page, part) {
  const fresh = page.querySelector(part);
  if (fresh) document.querySelector(part)?.replaceWith(document.adoptNode(fresh));
}

/**
 * Show the faults of a fetched page beside the fields that are there; what is being typed stays.
 * @param {Document} page
 * @param {HTMLFormElement} form
 */
export function showFaults(page, form) {
  for (const field of form.querySelectorAll(".field")) {
    const control = field.querySelector("input, select");
    const fresh = control && page.getElementById(control.id);
    if (!control || !fresh) continue;
    for (const name of SAID) {
      const value = fresh.getAttribute(name);
      if (value === null) control.removeAttribute(name);
      else control.setAttribute(name, value);
    }
    field.querySelector(".fault")?.remove();
    const fault = fresh.closest(".field")?.querySelector(".fault");
    field.classList.toggle("faulty", Boolean(fault));
    if (fault) field.append(document.adoptNode(fault));
  }
}

/**
 * Ask what a form asks. A choice that fills other fields anew takes the whole form from the server.
 * @param {HTMLFormElement} form
 */
async function ask(form) {
  const address = addressOf(form);
  document.querySelector("#answer")?.classList.add("stale");
  const page = await pageAt(address);
  if (!page) return;
  const begun = (/** @type {ParentNode} */ of) => of.querySelector("[name=edited]")?.getAttribute("value");
  if (begun(page) !== begun(form)) replacePart(page, "form.asks");
  else showFaults(page, form);
  const summary = page.querySelector(".chips > summary");
  if (summary) replacePart(page, ".chips > summary");
  replacePart(page, "#answer");
  history.replaceState(null, "", address);
}

/** Look again at an answer that is being worked out. */
async function wait() {
  if (!document.querySelector("#answer[data-waits]")) return;
  const page = await pageAt(location.pathname + location.search);
  if (page) replacePart(page, "#answer");
  setTimeout(wait, LOOK_MS);
}

document.addEventListener("input", (event) => {
  const form = event.target instanceof Element && event.target.closest("form[data-live]");
  if (!(form instanceof HTMLFormElement)) return;
  clearTimeout(rest);
  rest = setTimeout(() => ask(form), REST_MS);
});
document.addEventListener("submit", (event) => {
  if (!(event.target instanceof HTMLFormElement) || !event.target.matches("[data-live]")) return;
  event.preventDefault();
  clearTimeout(rest);
  ask(event.target).then(() => document.querySelector("#answer")?.scrollIntoView());
});
setTimeout(wait, LOOK_MS);
