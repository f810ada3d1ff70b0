// @ts-check
/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./page.js").State} State */
/** @typedef {import("./page.js").View} View */
/** @typedef {import("./page.js").WayView} WayView */

/**
 * What the page shows in a state.
 * @param {Page} page
 * @param {State} state
 * @returns {View}
 */
export function viewOf(page, state) {
  return baseView(page, Object.keys(state.changes));
}

/**
 * The page at rest.
 * @param {Page} page
 * @param {string[]} moved
 * @returns {View}
 */
export function baseView(page, moved) {
  return {
    level: "base",
    ways: page.ways.map((way) => ({ ...way, base: way, stale: [] })),
    recommended: page.recommended,
    against: page.against,
    verdict: page.verdict,
    claims: page.claims || {},
    pairs: page.pairs,
    flips: Object.fromEntries(page.controls.map((control) => [control.name, control.flips])),
    stale: false,
    moved,
  };
}
