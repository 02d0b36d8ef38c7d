// The language of the console: English or Chinese, switched in place. Every string is in words/en.js and words/zh.js.

import { Live, relabel } from "./dom.js";
import { recall, remember } from "./storage.js";
import { words as en } from "../words/en.js";
import { words as zh } from "../words/zh.js";

/** @typedef {keyof typeof en} Key */

const TABLES = { en, zh };
const LOCALES = { en: "en-GB", zh: "zh-CN" };

export const LANGUAGES = Object.freeze({ en: "English", zh: "中文" });

/** @type {"en" | "zh"} */
let present = preferred();

/** @returns {"en" | "zh"} */
export const language = () => present;

/** @param {"en" | "zh"} wanted */
export function setLanguage(wanted) {
  present = wanted;
  remember("language", wanted);
  announce();
}

/** Tell the document; call once at the beginning. */
export function announce() {
  document.documentElement.lang = present === "zh" ? "zh-CN" : "en";
  relabel();
  document.dispatchEvent(new CustomEvent("languagechange"));
}

/**
 * A text by its key, which follows the language.
 *
 * @param {string} key
 * @param {Record<string, any>} [values] Fill `{name}`; where the text has plural forms, `n` chooses.
 * @returns {Live}
 */
export const t = (key, values = {}) => new Live(() => say(key, values));

/** Whether there is such a text. @param {string} key */
export const known = (key) => key in en;

/** A text from the server if there is none of ours. @param {string} key @param {string} otherwise @param {Record<string, any>} [values] */
export const tOr = (key, otherwise, values) => (known(key) ? t(key, values) : otherwise);

/** @param {number} value @param {number} [digits] */
export const number = (value, digits = 0) =>
  new Live(() => format({ signDisplay: "negative", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value));

/** A share of one; small ones keep two significant digits: 97 %, 0.1 %. @param {number} share */
export const percent = (share) =>
  new Live(() => {
    const small = share > 0 && share < 0.1;
    const nearly = share < 1 && share >= 0.995;
    const rule = small ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: nearly ? 2 : 0 };
    return format({ style: "percent", ...rule }).format(share);
  });

/** A share as a whole number of per cent, which is never rounded to nothing or to all. @param {number} share */
export const whole = (share) =>
  new Live(() => {
    const rounded = Math.round(100 * share);
    const kept = share > 0 && rounded === 0 ? 1 : share < 1 && rounded === 100 ? 99 : rounded;
    return `${kept === rounded ? "" : kept === 1 ? "<" : ">"}${format({ style: "percent" }).format(kept / 100)}`;
  });

/** @param {number} bytes */
export const size = (bytes) =>
  new Live(() => {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
    const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
    const value = bytes / 1000 ** step;
    const digits = step && value < 10 ? 1 : 0;
    return format({ style: "unit", unit: units[step], maximumFractionDigits: digits }).format(value);
  });

/** A moment, as ISO 8601. @param {string} iso */
export const moment = (iso) =>
  new Live(() => new Date(iso).toLocaleString(LOCALES[present], { dateStyle: "medium", timeStyle: "short" }));

/** A day, as ISO 8601. @param {string} iso */
export const day = (iso) =>
  new Live(() => new Date(`${iso.slice(0, 10)}T12:00`).toLocaleDateString(LOCALES[present], { dateStyle: "medium" }));

/** How long, in the largest unit that fits. @param {number} seconds */
export const duration = (seconds) =>
  new Live(() => {
    const [unit, length] = DURATIONS.find(([, length]) => seconds >= length) ?? SECOND;
    const value = seconds / length;
    return format({ style: "unit", unit, unitDisplay: "long", maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
  });

/** @type {[string, number][]} */
const DURATIONS = [["day", 86400], ["hour", 3600], ["minute", 60]];
/** @type {[string, number]} */
const SECOND = ["second", 1];

function format(options) {
  return new Intl.NumberFormat(LOCALES[present], options);
}

function say(key, values) {
  const found = TABLES[present][key] ?? key;
  const text = typeof found === "string" ? found : found[plural(Number(values.n))] ?? found.other;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

function plural(n) {
  return new Intl.PluralRules(LOCALES[present]).select(n);
}

function preferred() {
  const kept = recall("language");
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}
