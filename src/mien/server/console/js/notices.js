// What went wrong, what there is not yet, and what is still being fetched.

import { ApiError } from "./api.js";
import { h } from "./dom.js";
import { known, t, tOr } from "./i18n.js";
import { icon } from "./icons.js";

/** @type {Record<string, any>} */
const ICONS = { bad: "wrong", warn: "warning", good: "check", info: "info" };

/**
 * @param {{kind?: "info" | "good" | "warn" | "bad", title: any, text?: any, more?: any}} about
 */
export function notice({ kind = "info", title, text, more }) {
  return h(`div.notice.${kind}`, icon(ICONS[kind]), h("div", h("p.title", title), text && h("p", text), more));
}

/**
 * An error as a person can use it: what happened, what to do, and the code for whoever is asked for help.
 *
 * @param {any} error
 * @param {{again?: () => void, actions?: any[]}} [about] `again` offers to repeat; `actions` are buttons that help.
 */
export function errorNotice(error, { again, actions = [] } = {}) {
  const { title, text, code, fields } = told(error);
  const buttons = [...actions, again && h("button.button.small", { type: "button", onclick: again }, icon("again"), t("again"))].filter(Boolean);
  const made = notice({
    kind: "bad",
    title,
    text,
    more: [
      fields.length > 0 && h("ul", fields.map((one) => h("li.small", h("code", one.field), " ", one.message))),
      code && h("p.code", code),
      buttons.length > 0 && h("div.row", buttons),
    ],
  });
  made.setAttribute("role", "alert");
  return made;
}

/** What an error says in one line, for toasts. @param {any} error */
export const errorLine = (error) => told(error).title;

/**
 * Nothing here yet, and what to do about it.
 * @param {{icon: any, title: any, text?: any, action?: HTMLElement}} about
 */
export function empty({ icon: name, title, text, action }) {
  return h("div.empty", icon(name), h("h2", title), text && h("p", text), action);
}

/** Something that is being fetched. @param {number} lines @param {string} [height] */
export function skeleton(lines, height = "1.25rem") {
  return h("div.stack.tight", { role: "status", "aria-label": t("loading") },
    Array.from({ length: lines }, (_, i) => h("div.skeleton", { style: { height, width: `${100 - (i % 3) * 12}%` } })));
}

function told(error) {
  if (!(error instanceof ApiError)) return { title: t("error.console"), text: String(error?.message ?? error), code: "", fields: [] };
  // Our own words, which are of this page and in its language, before the server's, which are also of the command line.
  const ours = `error.${error.code}`;
  const hint = tOr(`${ours}.hint`, error.hint);
  const title = tOr(ours, error.message);
  const text = known(ours) && error.message && error.status ? [error.message, " ", hint] : hint;
  const code = [error.code, error.requestId].filter(Boolean).join(" · ");
  return { title, text, code, fields: error.details?.fields ?? [] };
}
