// Choosing some of many pictures: by mouse (Shift for a range), by keyboard (arrows, Space), and what to do with them.

import { fill, h } from "./dom.js";
import { t } from "./i18n.js";

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @typedef {object} Selection
 * @property {HTMLElement} bar Says how many are chosen and holds `actions`; seen while some are.
 * @property {(id: string, label: any) => HTMLElement} box A checkbox for one picture.
 * @property {() => string[]} ids
 * @property {() => void} clear
 */

/**
 * @param {object} about
 * @param {HTMLElement} about.around All pictures are within it, in order.
 * @param {"pick" | "tick"} [about.kind] A box over a whole picture, or one like any other.
 * @param {() => any[]} about.actions Buttons for those that are chosen; made anew at each change.
 * @param {(n: number) => any} [about.says]
 * @returns {Selection}
 */
export function selection({ around, kind = "pick", actions, says = (n) => t("selection.count", { n }) }) {
  /** @type {Set<string>} */
  const chosen = new Set();
  let last = null;
  const told = h("p.strong", { role: "status" });
  const tools = h("div.row");
  const bar = h("div.selection", { role: "group", "aria-label": t("selection"), hidden: true }, told, tools);
  const boxes = () => /** @type {HTMLInputElement[]} */ ([...around.querySelectorAll(`input.${kind}`)]).filter((one) => one.checkVisibility());

  around.addEventListener("click", (event) => {
    const target = boxOf(event, kind);
    if (!target) return;
    if (event.shiftKey && last?.isConnected) between(last, target).forEach((one) => set(one, target.checked));
    set(target, target.checked);
    last = target;
    show();
  });
  around.addEventListener("keydown", (event) => {
    const target = boxOf(event, kind);
    if (!target) return;
    if (event.key === "Escape" && chosen.size) return clear();
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    nearest(target, boxes(), step)?.focus();
  });

  function between(one, other) {
    const all = boxes();
    const [from, to] = [all.indexOf(one), all.indexOf(other)].sort((a, b) => a - b);
    return from < 0 ? [] : all.slice(from, to + 1);
  }

  function set(box, on) {
    box.checked = on;
    if (on) chosen.add(box.value);
    else chosen.delete(box.value);
  }

  function clear() {
    chosen.clear();
    boxes().forEach((one) => (one.checked = false));
    show();
  }

  function show() {
    bar.hidden = chosen.size === 0;
    fill(told, chosen.size > 0 && says(chosen.size));
    fill(tools, chosen.size > 0 && [...actions(), h("button.button.plain.small", { type: "button", onclick: clear }, t("selection.clear"))]);
  }

  return {
    bar,
    clear,
    ids: () => [...chosen],
    box: (id, label) => h(`input.${kind}`, { type: "checkbox", value: id, checked: chosen.has(id), "aria-label": label }),
  };
}

/** @param {Event} event @param {string} kind */
function boxOf({ target }, kind) {
  return target instanceof HTMLInputElement && target.classList.contains(kind) ? target : null;
}

/** The box that is nearest in a direction; in the next line, if there is none left in this one. */
function nearest(from, boxes, [x, y]) {
  if (x) return boxes[boxes.indexOf(from) + x];
  const here = from.getBoundingClientRect();
  const away = (one) => {
    const there = one.getBoundingClientRect();
    const down = (there.top - here.top) * y;
    return down > here.height / 2 ? 4 * down + Math.abs(there.left - here.left) : Infinity;
  };
  const best = boxes.reduce((found, one) => (away(one) < away(found) ? one : found), from);
  return best === from ? null : best;
}
