// Short news that goes by itself. Errors that need to be read belong into the page, as notices.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";

const STAYS_MS = 6000;

/** @param {any} text @param {"good" | "bad"} [kind] */
export function toast(text, kind = "good") {
  const close = () => made.remove();
  const made = h(`div.toast.${kind}`, icon(kind === "good" ? "check" : "wrong"), h("p", text),
    h("button.button.plain.icon.small", { type: "button", onclick: close, "aria-label": t("close") }, icon("close")));
  const shelf = place();
  shelf.append(made);
  // Above dialogs too: whatever was put on top last is on top.
  shelf.hidePopover();
  shelf.showPopover();
  let timer = setTimeout(close, STAYS_MS);
  made.addEventListener("pointerenter", () => clearTimeout(timer));
  made.addEventListener("pointerleave", () => (timer = setTimeout(close, STAYS_MS)));
  made.addEventListener("focusin", () => clearTimeout(timer));
}

/** A live region: it has to be there before something is put into it. */
function place() {
  const there = document.querySelector(".toasts");
  if (there) return there;
  const made = h("div.toasts", { popover: "manual", role: "status" });
  document.body.append(made);
  return made;
}
