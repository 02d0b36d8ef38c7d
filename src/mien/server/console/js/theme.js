// Light, dark, or as the system says.

import { recall, remember } from "./storage.js";

export const THEMES = Object.freeze(["light", "auto", "dark"]);

/** @returns {string} One of THEMES. */
export const theme = () => recall("theme") ?? "auto";

/** @param {string} wanted One of THEMES. */
export function setTheme(wanted) {
  if (wanted === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  remember("theme", wanted === "auto" ? null : wanted);
}
