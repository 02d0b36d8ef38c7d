// Who is asking, and what they may do. One session per browser tab.

import { get } from "./api.js";
import { forgetKey, keepKey, readKey } from "./key.js";

/** @typedef {{key: string | null, name: string, scopes: string[], collections: string[] | null, open: boolean}} Me */

/** @type {Me | null} */
let me = null;

/** @returns {Me} Known once open() has returned. */
export const whoami = () => me;

/** Ask the server who we are. Throws ApiError; status 401: sign in first. @returns {Promise<Me>} */
export async function open() {
  me = await get("me");
  return me;
}

/** Whether all of these scopes were given. @param {readonly string[]} scopes */
export const allowed = (scopes) => Boolean(me) && scopes.every((scope) => me.scopes.includes(scope) || me.scopes.includes("admin"));

/** Try a key. Throws ApiError if it is refused, and forgets it. @param {string} key @param {boolean} stays */
export async function signIn(key, stays) {
  keepKey(key, stays);
  try {
    return await open();
  } catch (error) {
    forgetKey();
    throw error;
  }
}

export function signOut() {
  forgetKey();
  me = null;
}

export const hasKey = () => readKey() !== null;
