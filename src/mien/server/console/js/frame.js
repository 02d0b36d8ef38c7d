// Around the pages: navigation at the side (below and in a drawer on small screens), who is signed in, preferences.

import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { languageButton, themeChoice } from "./preferences.js";
import { hashTo, startRouter, tabTitle } from "./router.js";
import { BELOW, GROUPS } from "./routes.js";
import { allowed, whoami } from "./session.js";

/**
 * @param {HTMLElement} body
 * @param {() => void} leave Signs out.
 * @returns {() => void} Closes the page that is shown, and stops listening.
 */
export function buildFrame(body, leave) {
  const groups = GROUPS.map((group) => ({ ...group, pages: group.pages.filter((page) => allowed(page.scopes)) })).filter((group) => group.pages.length);
  const pages = groups.flatMap((group) => group.pages);
  const outlet = h("main.outlet", { id: "page", tabindex: "-1" });
  const drawer = makeDrawer(groups, leave);
  const told = h("p.quiet-reader", { role: "status" });
  fill(body,
    h("a.skip", { href: "#page", onclick: (event) => skip(event, outlet) }, t("frame.skip")),
    h("aside.side", brand(), menu(groups), foot(leave)),
    h("header.top", brand(), languageButton()),
    outlet,
    tabsBelow(pages, drawer),
    drawer,
    told);

  const stopped = new AbortController();
  let shown = null;
  document.addEventListener("languagechange", () => shown && (document.title = tabTitle(shown)), { signal: stopped.signal });
  const stopRouter = startRouter(outlet, () => pages, (route) => {
    shown = route;
    drawer.close();
    document.title = tabTitle(route);
    told.textContent = String(t(route.title));
    for (const link of /** @type {NodeListOf<HTMLElement>} */ (body.querySelectorAll("nav a"))) {
      if (link.dataset.path === route.path) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  });
  return () => {
    stopped.abort();
    stopRouter();
  };
}

function skip(event, outlet) {
  event.preventDefault(); // The address is the router's.
  outlet.focus();
}

function brand() {
  return h("a.brand", { href: hashTo("") }, icon("mark"), h("span", "Mien ", h("small", { lang: "zh" }, "面")));
}

function menu(groups) {
  return h("nav.menu", { "aria-label": t("frame.navigation") }, groups.map((group) =>
    h("div", h("h2", t(group.title)), h("ul", group.pages.map((page) => h("li", link(page)))))));
}

const link = (page) => h("a", { href: hashTo(page.path), "data-path": page.path }, icon(page.icon), h("span.clip", t(page.title)));

function tabsBelow(pages, drawer) {
  const few = BELOW.map((path) => pages.find((page) => page.path === path)).filter(Boolean).slice(0, 4);
  return h("nav.tabs-below", { "aria-label": t("frame.shortcuts") },
    few.map(link),
    h("button", { type: "button", "aria-haspopup": "dialog", onclick: () => drawer.showModal() }, icon("menu"), h("span", t("frame.menu"))));
}

function makeDrawer(groups, leave) {
  const drawer = h("dialog.drawer", { "aria-label": t("frame.menu") }, menu(groups), foot(leave));
  drawer.addEventListener("click", (event) => {
    if (event.target === drawer || event.target.closest("a")) drawer.close();
  });
  return drawer;
}

function foot(leave) {
  const me = whoami();
  const who = me.open ? t("frame.open") : me.name;
  const may = me.open ? t("frame.open.text") : me.scopes.join(" · ");
  return h("div.side-foot",
    h("div.whoami",
      h("span.name.clip", who),
      h("span.scopes", may),
      !me.open && h("button.button.plain.icon.small", { type: "button", onclick: leave, "aria-label": t("frame.leave"), title: t("frame.leave") }, icon("leave"))),
    h("div.row.apart.fixed", themeChoice(), languageButton()));
}
