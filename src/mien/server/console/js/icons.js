// Our own icons, drawn on 24 by 24 with a line of 1.75. In a module rather than an SVG file: a <use> of another
// file is refused by some browsers under our content security policy.

import { svg } from "./dom.js";

const PATHS = {
  mark: "M3 8.5V6.5A3.5 3.5 0 0 1 6.5 3h2M15.5 3h2A3.5 3.5 0 0 1 21 6.5v2M21 15.5v2a3.5 3.5 0 0 1-3.5 3.5h-2M8.5 21h-2A3.5 3.5 0 0 1 3 17.5v-2M8.7 14.5c1.9 2 4.7 2 6.6 0M8.8 9.6v.8M15.2 9.6v.8",
  analyze: "M4 8V6a2 2 0 0 1 2-2h2M16 4h2a2 2 0 0 1 2 2v2M20 16v2a2 2 0 0 1-2 2h-2M8 20H6a2 2 0 0 1-2-2v-2M9.2 14.5c1.6 1.5 4 1.5 5.6 0M9.5 9.8v.5M14.5 9.8v.5",
  compare: "M3 5.5h7v13H3zM14 5.5h7v13h-7zM10 12h4",
  live: "M3 7.5A1.5 1.5 0 0 1 4.5 6h9A1.5 1.5 0 0 1 15 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 3 16.5zM15 10.5l6-3v9l-6-3",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M2.5 20c.3-3.6 3-6 6.5-6s6.2 2.4 6.5 6M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.6c2 .9 3.3 2.8 3.5 5.4",
  identify: "M11 11.5a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5M4 20c.3-3.4 3.2-5.7 7-5.7 1 0 1.9.2 2.7.5M15 18.5l2.2 2.2L21.5 16",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13M15.5 15.5 20.5 20.5",
  missing: "M12 21s6.5-5.6 6.5-11a6.5 6.5 0 0 0-13 0c0 5.4 6.5 11 6.5 11M10.3 8.6a1.8 1.8 0 1 1 2.6 1.8c-.6.3-.9.7-.9 1.3M12 13.9v.1",
  clusters: "M7.5 10.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6M16.5 9a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M15.5 20a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M6 19a2.2 2.2 0 1 0 0-4.4A2.2 2.2 0 0 0 6 19",
  jobs: "M4 6h11M4 12h11M4 18h7M18.5 6.5v-1M18.5 12.5v-1M15.5 18l1.8 1.8L21 16",
  measure: "M4 20V4M4 20h16M8 16.5c3-.5 3.5-9 6-9s2 5.5 5.5 6M8 8.5h.1",
  system: "M4 5h16v11H4zM9 20h6M12 16v4M7.5 12.5l2.5-3 2.5 2 3.5-4",
  keys: "M8 16.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 12.5h9M18 12.5v3M15 12.5v2",
  audit: "M6 3.5h9l4 4v13H6zM14.5 3.5V8H19M9.5 12h6M9.5 16h6",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  differ: "M6 9.5h12M6 14.5h12M15.5 5l-7 14",
  warning: "M12 4 2.8 20h18.4zM12 10v4.5M12 17.2v.1",
  wrong: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 7.5V13M12 16.3v.1",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 11v5.5M12 7.7v.1",
  face: "M12 12.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4.5 20.5c.4-3.6 3.4-5.8 7.5-5.8s7.1 2.2 7.5 5.8",
  photo: "M4 5h16v14H4zM4 16l4.5-4.5 4 4 2.5-2.5 5 5M15.5 9.5h.1",
  camera: "M3.5 8h4L9 5.5h6L16.5 8h4v11h-17zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7",
  download: "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M4.5 19.5h15",
  copy: "M8.5 8.5h11v11h-11zM15.5 8.5v-4h-11v11h4",
  hide: "M3 3l18 18M10 5.3A9.6 9.6 0 0 1 12 5c5.5 0 9 7 9 7a16 16 0 0 1-3 3.7M6.2 6.8C4.2 8.4 3 12 3 12s3.5 7 9 7a8.8 8.8 0 0 0 4.6-1.4M9.9 9.9a3 3 0 0 0 4.2 4.2",
  sliders: "M4 8h9M17 8h3M4 16h3M11 16h9M15 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4M9 18.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4",
  pause: "M9 5v14M15 5v14",
  play: "M7.5 4.5v15L19.5 12z",
  folder: "M3.5 6h6l2 2.5h9V19h-17z",
  again: "M20 12a8 8 0 1 1-2.3-5.7L20 8.5M20 4v4.5h-4.5",
  plus: "M12 5v14M5 12h14",
  trash: "M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7M10.3 11v5M13.7 11v5",
  edit: "M4.5 19.5l1-4.5L16 4.5l3.5 3.5L9 18.5zM13.5 7l3.5 3.5",
  back: "M19 12H5M11 6l-6 6 6 6",
  leave: "M14 4H5v16h9M10 12h11M17.5 8.5 21 12l-3.5 3.5",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M18.4 5.6l-1.1 1.1M6.7 17.3l-1.1 1.1",
  moon: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5",
  auto: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M12 3.5v17M12 8l5-2.5M12 12h8.5M12 16l5 2.5",
  grid: "M4.5 4.5h6v6h-6zM13.5 4.5h6v6h-6zM4.5 13.5h6v6h-6zM13.5 13.5h6v6h-6z",
  rows: "M9 6.5h11M9 12h11M9 17.5h11M4.5 6.5h.1M4.5 12h.1M4.5 17.5h.1",
  merge: "M4 5.5h3c5 0 4 6.5 9 6.5h4M4 18.5h3c5 0 4-6.5 9-6.5M16.5 8.5 20 12l-3.5 3.5",
  move: "M4 12h13M12.5 7l5 5-5 5M20.5 4.5v15",
  swap: "M4 8.5h14M14.5 5 18 8.5 14.5 12M20 15.5H6M9.5 12 6 15.5 9.5 19",
};

const DRAWN = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "1.75", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };

/**
 * @param {keyof typeof PATHS} name
 * @returns {SVGElement} Hidden from screen readers: the text beside it speaks.
 */
export const icon = (name) => svg("svg", DRAWN, svg("path", { d: PATHS[name] }));
