// @ts-check
// How numbers are written: each function writes what the function of `fabless.wording` writes that
// has its name, digit for digit.

export const MISSING = "–";
export const MINUS = "−";

/** Relative difference from which two costs of a column must not be written alike. */
export const ALIKE = 0.02;

/** @type {[number, string][]} */
const SUFFIXES = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]];

/**
 * Ten to a whole power. `10 ** n` is not exact in every engine.
 * @param {number} power
 * @returns {number}
 */
export function tenTo(power) {
  return Number(`1e${power}`);
}

/**
 * Largest whole power of ten at or below a positive number, as `floor(log10(value))` gives it in
 * Python: where the logarithm rounds up to a whole number, that number.
 * @param {number} value
 * @returns {number}
 */
export function magnitudeOf(value) {
  const nearest = Math.round(Math.log10(value));
  const power = tenTo(nearest);
  if (value >= power) return value >= tenTo(nearest + 1) ? nearest + 1 : nearest;
  const below = (power - value) / power / Math.LN10;
  return nearest - below === nearest ? nearest : nearest - 1;
}

/**
 * Digits of a positive number with `decimals` decimals; exact halves go to the even digit, as in
 * Python. `toFixed` alone takes them up.
 * @param {number} value
 * @param {number} decimals
 * @returns {string}
 */
function digitsOf(value, decimals) {
  if (value >= 1e21) return BigInt(value).toString() + (decimals ? `.${"0".repeat(decimals)}` : "");
  const text = value.toFixed(decimals);
  const exact = value.toFixed(100);
  const rest = exact.slice(exact.indexOf(".") + 1 + decimals);
  if (!/^50*$/.test(rest)) return text;
  const down = exact.slice(0, exact.indexOf(".") + (decimals ? 1 + decimals : 0));
  return "02468".includes(down[down.length - 1]) ? down : text;
}

/**
 * A number with a fixed number of decimals.
 * @param {number} value
 * @param {number} decimals
 * @returns {string}
 */
export function fixed(value, decimals) {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  return sign + digitsOf(Math.abs(value), Math.min(decimals, 99));
}

/**
 * A number with a fixed number of decimals, commas between thousands and a true minus.
 * @param {number} value
 * @param {number} decimals
 * @returns {string}
 */
export function grouped(value, decimals) {
  const [whole, part] = fixed(value, decimals).split(".");
  const commas = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return (part === undefined ? commas : `${commas}.${part}`).replace("-", MINUS);
}

/**
 * A number rounded to `decimals`, exact halves to the even digit.
 * @param {number} value
 * @param {number} decimals
 * @returns {number}
 */
export function roundedTo(value, decimals) {
  return Number(fixed(value, decimals));
}

/**
 * A number with `digits` significant digits, no exponent, commas between thousands.
 * @param {number} value
 * @param {number} digits
 * @returns {string}
 */
export function significant(value, digits = 3) {
  if (!Number.isFinite(value)) return MISSING;
  if (value === 0) return "0";
  let decimals = Math.max(0, digits - 1 - magnitudeOf(Math.abs(value)));
  const rounded = roundedTo(value, decimals);
  if (rounded !== 0) decimals = Math.max(0, digits - 1 - magnitudeOf(Math.abs(rounded)));
  return grouped(rounded, decimals);
}

/**
 * @param {number} value
 * @param {number} digits
 * @returns {string}
 */
function withSuffix(value, digits) {
  for (const [scale, suffix] of SUFFIXES) {
    if (Math.abs(value) >= scale * (1 - 0.5 * tenTo(-digits))) {
      return significant(value / scale, digits) + suffix;
    }
  }
  return significant(value, digits);
}

/**
 * A number in digits and a power of ten: its first `digits` digits, an exact half to the even one.
 * @param {number} value finite
 * @param {number} digits
 * @returns {{head: string, power: number}}
 */
function scientific(value, digits) {
  const [text, power] = value.toExponential(digits - 1).split("e");
  const [exact, exactPower] = value.toExponential(99).split("e");
  const all = exact.replace(".", "");
  const isHalf = /^50*$/.test(all.slice(digits)) && "02468".includes(all[digits - 1]);
  return isHalf ? { head: all.slice(0, digits), power: Number(exactPower) }
    : { head: text.replace(".", ""), power: Number(power) };
}

/**
 * A number rounded to `digits` digits that count, as `float(f"{value:.3g}")` does for three.
 * @param {number} value
 * @param {number} digits
 * @returns {number}
 */
export function shortened(value, digits) {
  const { head, power } = scientific(Math.abs(value), digits);
  return (value < 0 ? -1 : 1) * Number(`${head}e${power - digits + 1}`);
}

/**
 * A number of at least 1e15 with four digits and an exponent.
 * @param {number} value
 * @returns {string}
 */
function withExponent(value) {
  const { head, power } = scientific(Math.abs(value), 4);
  const behind = head.slice(1).replace(/0+$/, "");
  return `${value < 0 ? MINUS : ""}${head[0]}${behind ? `.${behind}` : ""}e${power}`;
}

/**
 * An input as a person would type it: up to four digits, large ones with M, B or T, huge ones with
 * an exponent.
 * @param {number} value
 * @returns {string}
 */
export function plain(value) {
  if (!Number.isFinite(value)) return MISSING;
  if (Math.abs(value) >= 1e15) return withExponent(value);
  const text = Math.abs(value) >= 1e6 ? withSuffix(value, 4) : significant(value, 4);
  const suffix = /[A-Za-z]$/.test(text) ? text.slice(-1) : "";
  const body = suffix ? text.slice(0, -1) : text;
  return (body.includes(".") ? body.replace(/0+$/, "").replace(/\.$/, "") : body) + suffix;
}

/**
 * USD with k, M, B or T and three significant digits.
 * @param {number | null} value
 * @returns {string}
 */
export function usd(value) {
  if (value === null || !Number.isFinite(value)) return MISSING;
  return `${value < 0 ? MINUS : ""}$${withSuffix(Math.abs(value), 3)}`;
}

/**
 * A standard error: as `usd`, and $0 where it is rounding alone.
 * @param {number} value
 * @returns {string}
 */
export function errorUsd(value) {
  return usd(Math.abs(value) >= 1 ? value : 0);
}

/**
 * Smallest step in which amounts of this size are written with three significant digits [USD].
 * @param {number} size
 * @returns {number}
 */
export function usdStep(size) {
  return tenTo(magnitudeOf(Math.max(Math.abs(size), 1)) - 2);
}

/**
 * Sum of numbers, rounded once (Shewchuk).
 * @param {number[]} values
 * @returns {number}
 */
export function exactSum(values) {
  /** @type {number[]} */
  const partials = [];
  for (let value of values) {
    let kept = 0;
    for (let other of partials) {
      if (Math.abs(value) < Math.abs(other)) [value, other] = [other, value];
      const high = value + other;
      const low = other - (high - value);
      if (low) partials[kept++] = low;
      value = high;
    }
    partials.length = kept;
    partials.push(value);
  }
  return roundedOnce(partials);
}

/**
 * Sum of numbers that do not overlap, smallest first; a half in the last place goes by the sign of
 * what lies below it.
 * @param {number[]} partials
 * @returns {number}
 */
function roundedOnce(partials) {
  let index = partials.length - 1;
  if (index < 0) return 0;
  let high = partials[index];
  let low = 0;
  while (index > 0 && !low) {
    const before = high;
    index -= 1;
    high = before + partials[index];
    low = partials[index] - (high - before);
  }
  if (index > 0 && Math.sign(low) === Math.sign(partials[index - 1])) {
    const more = low * 2;
    const other = high + more;
    if (other - high === more) high = other;
  }
  return high;
}

/**
 * Parts of a sum in whole steps that add up to the rounded sum: those with the largest remainder
 * are rounded up.
 * @param {number[]} parts
 * @param {number} step
 * @returns {number[]}
 */
export function inSteps(parts, step) {
  const exact = parts.map((part) => part / step);
  const whole = exact.map(Math.floor);
  const more = roundedTo(exactSum(exact), 0) - whole.reduce((sum, steps) => sum + steps, 0);
  const order = exact.map((_, k) => k).sort((a, b) => (whole[a] - exact[a]) - (whole[b] - exact[b]) || a - b);
  for (const k of order.slice(0, more)) whole[k] += 1;
  return whole.map((steps) => steps + 0);
}

/**
 * A whole number of steps in the suffix of the step, so that a column of them lines up.
 * @param {number} steps
 * @param {number} step
 * @returns {string}
 */
export function stepsUsd(steps, step) {
  const [scale, suffix] = SUFFIXES.find(([size]) => step * 100 >= size * 0.999) || [1, ""];
  const decimals = Math.max(0, Math.round(Math.log10(scale / step)));
  return `${steps < 0 ? MINUS : ""}$${grouped((Math.abs(steps) * step) / scale, decimals)}${suffix}`;
}

/**
 * Parts of a sum, and the sum, so that the parts as written add up to the sum as written.
 * @param {number[]} parts
 * @returns {{parts: string[], total: string}}
 */
export function usdParts(parts) {
  const total = exactSum(parts);
  const step = usdStep(Math.max(Math.abs(total), ...parts.map(Math.abs)));
  const counts = inSteps(parts, step);
  return {
    parts: counts.map((steps) => stepsUsd(steps, step)),
    total: stepsUsd(counts.reduce((sum, steps) => sum + steps, 0), step),
  };
}

/**
 * Decimals with which a column of costs in cents shows its smallest with two significant digits, 1
 * to 4; one more where two of them differ visibly and would be written alike.
 * @param {number[]} valuesUsd
 * @returns {number}
 */
export function centDecimals(valuesUsd) {
  const sizes = valuesUsd.filter((value) => Number.isFinite(value) && value !== 0)
    .map((value) => Math.abs(value) * 100).sort((a, b) => a - b);
  if (!sizes.length) return 2;
  const decimals = Math.min(4, Math.max(1, 1 - magnitudeOf(sizes[0])));
  const alike = sizes.slice(1).some((high, k) => high > (1 + ALIKE) * sizes[k]
    && roundedTo(sizes[k], decimals) === roundedTo(high, decimals));
  return decimals + (alike ? 1 : 0);
}

/**
 * A cost of a query in cents, without the unit.
 * @param {number | null} valueUsd
 * @param {number} decimals
 * @returns {string}
 */
export function cents(valueUsd, decimals = 2) {
  if (valueUsd === null || !Number.isFinite(valueUsd)) return MISSING;
  return grouped(valueUsd * 100, decimals);
}

/**
 * A share or chance in whole percent; what is not quite none or all says so.
 * @param {number | null} value
 * @returns {string}
 */
export function inPercent(value) {
  if (value === null || !Number.isFinite(value)) return MISSING;
  if (value > 1e-9 && value < 0.005) return "<1%";
  if (value > 0.995 && value < 1 - 1e-9) return ">99%"; // a sum that misses 1 by rounding is all
  return `${fixed(value * 100, 0)}%`;
}

/**
 * A number of things: whole below ten thousand, then with k, M or B.
 * @param {number | null} value
 * @returns {string}
 */
export function count(value) {
  if (value === null || !Number.isFinite(value)) return MISSING;
  // The sum with 0 takes the sign from a rounded -0.4.
  if (Math.abs(value) < 9999.5) return grouped(roundedTo(value, 0) + 0, 0);
  return withSuffix(value, 3);
}

/**
 * Names joined as in speech.
 * @param {string[]} names
 * @returns {string}
 */
export function listed(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

/**
 * A title at the head of a row: without its article, its first letter large.
 * @param {string} title
 * @returns {string}
 */
export function heading(title) {
  const bare = title.startsWith("the ") ? title.slice(4) : title;
  return bare.slice(0, 1).toUpperCase() + bare.slice(1);
}

/**
 * An input with its unit, none for a bare number.
 * @param {number} value
 * @param {string} unit
 * @returns {string}
 */
export function withUnit(value, unit) {
  if (unit === "" || unit === "1") return plain(value);
  return `${plain(value)}${unit.startsWith("%") ? "" : " "}${unit}`;
}
