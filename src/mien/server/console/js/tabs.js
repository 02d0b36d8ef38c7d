// Tabs, as the ARIA practices want them: one of them in the tab order, arrows go to the others.

import { h } from "./dom.js";

let made = 0;

/**
 * @param {{label: any, tabs: {title: any, panel: HTMLElement, shown?: () => void}[]}} about `shown` is called whenever
 *   a tab is opened.
 * @returns {HTMLElement}
 */
export function tabbed({ label, tabs }) {
  const name = `tabs-${(made += 1)}`;
  const buttons = tabs.map((tab, i) => h("button", {
    type: "button", role: "tab", id: `${name}-${i}`, "aria-controls": `${name}-panel-${i}`, onclick: () => open(i),
  }, tab.title));
  const panels = tabs.map((tab, i) => h("div", { role: "tabpanel", id: `${name}-panel-${i}`, "aria-labelledby": `${name}-${i}` }, tab.panel));

  function open(chosen) {
    buttons.forEach((button, i) => {
      button.setAttribute("aria-selected", String(i === chosen));
      button.tabIndex = i === chosen ? 0 : -1;
      panels[i].hidden = i !== chosen;
    });
    tabs[chosen].shown?.();
  }

  const steps = { ArrowRight: 1, ArrowLeft: -1 };
  const list = h("div.tabs", {
    role: "tablist",
    "aria-label": label,
    onkeydown: (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      const next = (buttons.indexOf(event.target) + step + buttons.length) % buttons.length;
      open(next);
      buttons[next].focus();
    },
  }, buttons);
  open(0);
  return h("div.stack", list, panels);
}
