// Curves in a coordinate system, drawn anew whenever the size changes, so that its words keep theirs.

import { fill, give, h, svg } from "./dom.js";

const ROOM = { left: 56, right: 14, top: 26, bottom: 44 };
const WIDE = 1.9; // Width by height, as far as heights allow.
const HEIGHTS = [210, 300];
const NARROW_PX = 420;

/**
 * @typedef {object} Axis
 * @property {any} title
 * @property {number} from
 * @property {number} to
 * @property {number[]} ticks
 * @property {(value: number) => any} format
 * @property {boolean} [log]
 */
/** @typedef {{at: number, title: any, left?: boolean, faint?: boolean}} Vertical `left`: where its title is. */

/**
 * @param {object} about
 * @param {any} about.says What is to be seen, for those who do not see it.
 * @param {Axis} about.x
 * @param {Axis} about.y
 * @param {[number, number][]} about.curve Rising in x.
 * @param {Vertical[]} about.verticals
 * @param {(x: number) => void} about.pointed The pointer is over a place.
 * @param {AbortSignal} about.signal
 * @returns {{element: HTMLElement, mark: (x: number, y: number | null) => void}} `mark` shows a place on the curve.
 */
export function plot({ says, x, y, curve, verticals, pointed, signal }) {
  const drawing = svg("svg", { role: "img", "aria-label": says });
  const element = h("div.plot", drawing);
  let marked = null;
  let place = null;

  function draw() {
    const width = element.clientWidth;
    if (!width) return;
    const height = Math.min(Math.max(width / WIDE, HEIGHTS[0]), HEIGHTS[1]);
    place = placing({ x, y, width, height });
    give(drawing, "viewBox", `0 0 ${width} ${height}`);
    give(drawing, "height", height);
    fill(drawing,
      axes(place, { x, y }),
      area(place, curve),
      svg("path", { class: "curve", d: path(place, curve) }),
      verticals.map((one) => vertical(place, one)),
      marked && dot(place, marked));
  }

  const watcher = new ResizeObserver(draw);
  watcher.observe(element);
  signal.addEventListener("abort", () => watcher.disconnect());
  drawing.addEventListener("pointermove", (event) => {
    const at = place && place.atX(event.clientX - drawing.getBoundingClientRect().left);
    if (at !== null) pointed(Math.min(Math.max(at, x.from), x.to));
  });
  return {
    element,
    mark(atX, atY) {
      marked = { atX, atY };
      draw();
    },
  };
}

/** From values to pixels and back. */
function placing({ x, y, width, height }) {
  const scale = (axis) => (axis.log ? Math.log10 : (value) => value);
  const share = (axis, value) => (scale(axis)(value) - scale(axis)(axis.from)) / (scale(axis)(axis.to) - scale(axis)(axis.from));
  const inner = { width: width - ROOM.left - ROOM.right, height: height - ROOM.top - ROOM.bottom };
  const bottom = ROOM.top + inner.height;
  return {
    x: (value) => ROOM.left + inner.width * share(x, value),
    y: (value) => bottom - inner.height * share(y, Math.max(value, y.from)),
    atX: (pixel) => x.from + ((pixel - ROOM.left) / inner.width) * (x.to - x.from),
    left: ROOM.left, right: ROOM.left + inner.width, top: ROOM.top, bottom, narrow: width < NARROW_PX,
  };
}

function axes(place, { x, y }) {
  const shown = place.narrow ? x.ticks.filter((_, i) => i % 2 === 0) : x.ticks;
  return [
    y.ticks.map((value) => [
      svg("line", { class: "rule", x1: place.left, x2: place.right, y1: place.y(value), y2: place.y(value) }),
      svg("text", { class: "tick", x: place.left - 8, y: place.y(value) + 4, "text-anchor": "end" }, y.format(value)),
    ]),
    svg("line", { class: "base", x1: place.left, x2: place.right, y1: place.bottom, y2: place.bottom }),
    shown.map((value) => svg("text", { class: "tick", x: place.x(value), y: place.bottom + 17, "text-anchor": "middle" }, x.format(value))),
    svg("text", { class: "name", x: place.right, y: place.bottom + 37, "text-anchor": "end" }, x.title),
    svg("text", { class: "name", x: 0, y: 12 }, y.title),
  ];
}

const path = (place, curve) => curve.map(([x, y], i) => `${i ? "L" : "M"}${place.x(x).toFixed(1)} ${place.y(y).toFixed(1)}`).join("");

function area(place, curve) {
  const [first, last] = [curve[0], curve.at(-1)];
  return svg("path", { class: "area", d: `${path(place, curve)}L${place.x(last[0])} ${place.bottom}L${place.x(first[0])} ${place.bottom}Z` });
}

function vertical(place, { at, title, left = false, faint = false }) {
  const x = place.x(at);
  return svg("g", { class: faint ? "vertical faint" : "vertical" },
    svg("line", { x1: x, x2: x, y1: place.top, y2: place.bottom }),
    svg("text", { x: x + (left ? -6 : 6), y: place.top + (place.bottom - place.top) / 8 + 4, "text-anchor": left ? "end" : "start" }, title));
}

function dot(place, { atX, atY }) {
  const x = place.x(atX);
  return svg("g", { class: "marked" },
    svg("line", { x1: x, x2: x, y1: place.top, y2: place.bottom }),
    atY !== null && svg("circle", { cx: x, cy: place.y(atY), r: 5 }));
}
