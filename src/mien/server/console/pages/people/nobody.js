// A collection in which nobody can be looked for, because nobody is in it.

import { h } from "../../js/dom.js";
import { t } from "../../js/i18n.js";
import { empty } from "../../js/notices.js";
import { hashTo } from "../../js/router.js";

/** @param {string} collection */
export function nobodyYet(collection) {
  return empty({
    icon: "people",
    title: t("people.empty"),
    text: t("nobody.text"),
    action: h("a.button", { href: hashTo("people", { collection }) }, t("nobody.go")),
  });
}
