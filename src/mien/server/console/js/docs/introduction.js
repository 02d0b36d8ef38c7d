// What holds for every request.

import { h } from "../dom.js";
import { copyButton } from "../files.js";
import { t } from "../i18n.js";

const TOLD = ["keys", "photographs", "errors", "lists", "versions", "repeating"];

export function introduction(document_) {
  const first = `curl ${location.origin}/v1/analyze \\\n  -H "Authorization: Bearer $MIEN_KEY" \\\n  -F photo=@photograph.jpg`;
  return h("header.stack",
    h("div", h("h1", { tabindex: "-1" }, t("docs.title"), " ", h("span.soft", document_.info.version)), h("p.lede.soft", t("docs.lede"))),
    h("div.card.stack",
      h("h2", t("docs.first")),
      example(first),
      h("p.soft.small", t("docs.machine"), " ", h("a", { href: "/openapi.json" }, "/openapi.json"))),
    h("div.grid", TOLD.map((name) => h("div", h("h3", t(`docs.about.${name}`)), h("p.soft.small", t(`docs.about.${name}.text`))))));
}

/** Something to run, and to copy. @param {string} text */
export function example(text) {
  return h("div.example", h("pre.code-block", { tabindex: "0", "aria-label": t("docs.example") }, text), copyButton(text));
}
