// What this browser remembers. A browser that forbids storage loses comfort, not function.

/** @param {"localStorage" | "sessionStorage"} where @returns {Storage | null} */
function storage(where) {
  try {
    return window[where];
  } catch {
    return null;
  }
}

/** @param {string} name @param {"localStorage" | "sessionStorage"} [where] @returns {string | null} */
export function recall(name, where = "localStorage") {
  return storage(where)?.getItem(`mien.${name}`) ?? null;
}

/**
 * Keep a value, or forget it.
 * @param {string} name
 * @param {string | null} value null forgets.
 * @param {"localStorage" | "sessionStorage"} [where]
 */
export function remember(name, value, where = "localStorage") {
  try {
    if (value === null) storage(where)?.removeItem(`mien.${name}`);
    else storage(where)?.setItem(`mien.${name}`, value);
  } catch {
    // Full or forbidden: it is forgotten with the page.
  }
}
