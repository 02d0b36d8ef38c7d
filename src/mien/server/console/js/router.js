// From `#/people/p-17?collection=staff` to a page on the screen.
//
// A page is one module in pages/ and one line in js/routes.js. The module exports one function:
//
//     export async function mount(root, { params, query, signal, replace }) { … }
//
//   root     an empty element; the page puts a pageHead (with the only h1) and its content into it, at once:
//            what has to be fetched first gets a skeleton.
//   params   the parts of the address after the page's own: ["p-17"]; decoded.
//   query    URLSearchParams of what follows "?".
//   signal   AbortSignal, aborted when the page is left. Give it to every API call, to listeners on document or
//            window, and to whatever holds something (cameras, timers, object URLs): there is no unmount.
//   replace  (query: Record<string, string | null>) => void; changes the query in the address without coming
//            again, so that a filter survives a reload.
//
// mount may throw or reject: an ApiError becomes a notice with code and hint, AbortError is silence.
// Words go through t() (js/i18n.js), elements through h() (js/dom.js); both together switch languages in place,
// so a page does nothing about that. Links between pages are <a href="#/…">, made by hashTo().

import { ApiError } from "./api.js";
import { t } from "./i18n.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { errorNotice } from "./notices.js";

/** @typedef {{path: string, title: string, icon: string, scopes: readonly string[], load: () => Promise<{mount: Function}>}} Route */

/** An address of the console. @param {string} path @param {Record<string, any>} [query] */
export function hashTo(path, query = {}) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== ""));
  return `#/${path}${parameters.size ? `?${parameters}` : ""}`;
}

/**
 * Show the page of the address, now and whenever it changes.
 *
 * @param {HTMLElement} outlet
 * @param {() => Route[]} routes Those that the caller may see; the first is home.
 * @param {(route: Route) => void} arrived Told which page is shown.
 * @returns {() => void} Stops listening and leaves the page.
 */
export function startRouter(outlet, routes, arrived) {
  let leaving = new AbortController();
  const stopped = new AbortController();

  /** @param {boolean} first Whether the console has just been opened: then the focus stays where it is. */
  async function show(first) {
    const { path, params, query } = readHash(location.hash);
    const route = routes().find((one) => one.path === path);
    if (!route) {
      history.replaceState(null, "", hashTo(routes()[0].path));
      return show(first);
    }
    leaving.abort();
    leaving = new AbortController();
    const { signal } = leaving;
    const root = h("div.page");
    fill(outlet, root);
    arrived(route);
    const replace = (changed) => history.replaceState(null, "", hashTo([path, ...params.map(encodeURIComponent)].join("/"), { ...Object.fromEntries(query), ...changed }));
    try {
      const { mount } = await route.load().catch(unfetched);
      if (signal.aborted) return;
      window.scrollTo(0, 0);
      const mounted = mount(root, { params, query, signal, replace });
      if (!first) root.querySelector("h1")?.focus();
      await mounted;
    } catch (error) {
      if (signal.aborted || error.name === "AbortError") return;
      // Nothing comes any more in place of what was being fetched.
      root.querySelectorAll(":has(> .skeleton)").forEach((waiting) => waiting.remove());
      root.append(errorNotice(error, { again: () => show(false) }));
    }
  }

  window.addEventListener("hashchange", () => show(false), { signal: stopped.signal });
  show(true);
  return () => {
    stopped.abort();
    leaving.abort();
  };
}

/**
 * The top of a page.
 * @param {{title: any, lede?: any, actions?: any[]}} about
 */
export function pageHead({ title, lede, actions = [] }) {
  return h("header.page-head",
    h("div", h("h1", { tabindex: "-1" }, title), lede && h("p.lede", lede)),
    actions.length > 0 && h("div.row", actions));
}

/** To the documentation of the API, which is a page of its own. */
export const docsLink = () => h("a.button", { href: "/docs", target: "_blank", rel: "noopener" }, icon("audit"), t("docs.link"));

/** @param {Route} route */
export const tabTitle = (route) => `${t(route.title)} · Mien`;

/** @returns {never} */
function unfetched() {
  throw new ApiError(0, { code: "page_unreachable", message: "" });
}

function readHash(hash) {
  const [address, search] = hash.replace(/^#\/?/, "").split("?");
  const [path, ...params] = address.split("/").map(decoded);
  return { path, params: params.filter(Boolean), query: new URLSearchParams(search) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
