// The API key that the user typed: in this tab, or in this browser if they asked for it. Never in an address.

import { recall, remember } from "./storage.js";

const NAME = "key";

/** @returns {string | null} */
export const readKey = () => recall(NAME, "sessionStorage") ?? recall(NAME);

/** @param {string} key @param {boolean} stays Whether it outlives this tab. */
export function keepKey(key, stays) {
  forgetKey();
  remember(NAME, key, stays ? "localStorage" : "sessionStorage");
}

export function forgetKey() {
  remember(NAME, null, "sessionStorage");
  remember(NAME, null);
}
