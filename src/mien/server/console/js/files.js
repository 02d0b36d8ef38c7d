// Out of the console: downloads, the clipboard, JSON to read.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { toast } from "./toast.js";

/** @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  // The download has begun once this task is over.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}

/** Another name from that of a photograph. @param {string} name @param {string} ending */
export const renamed = (name, ending) => `${name.replace(/^.*[/\\]/, "").replace(/\.[^.]+$/, "") || "photo"}${ending}`;

/** JSON as a person reads it: lists of numbers stay on one line. @param {any} value */
export function pretty(value) {
  return JSON.stringify(value, null, 2).replace(/\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]/g, (_, inner) => `[${inner.replace(/\s+/g, " ")}]`);
}

/** An answer of the API with ways to take it along. @param {any} value @param {string} name Of the file. */
export function jsonView(value, name) {
  const text = pretty(value);
  return h("div.stack.tight",
    h("div.row",
      copyButton(text),
      h("button.button.small", { type: "button", onclick: () => download(new Blob([text], { type: "application/json" }), name) }, icon("download"), t("download"))),
    h("pre.code-block", { tabindex: "0", "aria-label": "JSON" }, text));
}

/** @param {string} text */
export function copyButton(text) {
  return h("button.button.small", { type: "button", onclick: () => copy(text) }, icon("copy"), t("copy"));
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("copied"));
  } catch {
    toast(t("copied.not"), "bad"); // Insecure origins have no clipboard.
  }
}
