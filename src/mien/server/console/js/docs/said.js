// Descriptions: paragraphs, with words of code between backticks.

import { h } from "../dom.js";

/** @param {string | undefined} text */
export function said(text) {
  if (!text) return null;
  return h("div.stack.tight.said", text.split(/\n\s*\n/).map((paragraph) => h("p", inline(paragraph.replace(/\s+/g, " ")))));
}

/** @param {string} text */
export const inline = (text) => text.split("`").map((one, i) => (i % 2 ? h("code", one) : one));
