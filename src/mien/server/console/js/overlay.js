// A photograph with the faces in it. Each face is a button, so that keyboards and screen readers reach it; the
// points of faces are drawn on a canvas, in device pixels, anew whenever the size changes.

import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { copyOf } from "./photos.js";

/** What can be drawn besides boxes: columns of a face, and how. @type {Record<string, {radius: number, lines?: [number, number, boolean][]}>} */
export const LAYERS = Object.freeze({
  points: { radius: 2.5 },
  corners: { radius: 2.5 },
  // iBUG 300-W: first, last, whether closed.
  landmarks: { radius: 1.4, lines: [[0, 16, false], [17, 21, false], [22, 26, false], [27, 30, false], [31, 35, false], [36, 41, true], [42, 47, true], [48, 59, true], [60, 67, true]] },
  landmarks_106: { radius: 1.3 },
  mesh: { radius: 0.8 },
});

const ROOM_PX = 28; // For the number of a face.
const STROKES = [{ colour: "rgb(0 0 0 / .5)", extra: 2 }, { colour: "#fff", extra: 0 }];
const CROWD = 8; // Beyond, numbers of small faces would cover the faces: they are shown when pointed at.
const LEAST_PX = 44;
const AMPLE_PX = 150; // Width of a face that is large enough for thick lines.

/**
 * @typedef {object} Overlay
 * @property {HTMLElement} element
 * @property {(faces: any[], labels?: any[], kinds?: string[]) => void} show Faces of the API; labels instead of their
 *   numbers; kinds, of which `good`, `warn` and `bad` have a colour.
 * @property {(layers: Iterable<string>) => void} draw Which of LAYERS.
 * @property {(index: number | null) => void} select
 * @property {(index: number | null) => void} hint As if the pointer were on a face.
 */

/**
 * @param {object} about
 * @param {import("./photos.js").Photo} [about.photo]
 * @param {HTMLElement} [about.picture] Shown instead of a photo.
 * @param {[number, number]} [about.size_wh] Of the upright original, which boxes are in; that of the photo if left out.
 * @param {(index: number) => void} [about.chosen] A face was pressed; without it, faces cannot be.
 * @param {(index: number | null) => void} [about.hinted] The pointer came to a face, or left it.
 * @param {AbortSignal} about.signal
 * @returns {Overlay}
 */
export function faceOverlay({ photo, picture = pictureOf(photo), size_wh, chosen, hinted = () => {}, signal }) {
  const [width, height] = size_wh ?? photo?.size_wh ?? [4, 3];
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  const marks = h("div", { role: "group", "aria-label": t("overlay.faces") });
  const surface = h("div.surface", picture, canvas, marks);
  // As wide as there is room, no higher than allowed, never distorted.
  surface.style.aspectRatio = `${width} / ${height}`;
  surface.style.width = `min(100%, calc(var(--tall, 66dvh) * ${width / height}))`;
  const element = h("div.photo", surface);
  let shown = { faces: [], layers: new Set(["points"]) };

  const redraw = () => {
    paint(canvas, surface, shown, width);
    const crowded = marks.children.length > CROWD;
    for (const one of marks.children) {
      // A number above the picture would be cut off.
      one.classList.toggle("at-top", one.offsetTop < ROOM_PX);
      one.classList.toggle("quiet", crowded && one.offsetWidth < LEAST_PX);
    }
  };
  const watcher = new ResizeObserver(redraw);
  watcher.observe(surface);
  signal.addEventListener("abort", () => watcher.disconnect());

  return {
    element,
    show(faces, labels = [], kinds = []) {
      shown = { ...shown, faces };
      fill(marks, faces.map((face, i) => mark(face, i, { label: labels[i], kind: kinds[i] }, [width, height], { chosen, hinted })));
      redraw();
    },
    draw(layers) {
      shown = { ...shown, layers: new Set(layers) };
      redraw();
    },
    select(index) {
      [...marks.children].forEach((one, i) => one.setAttribute("aria-pressed", String(i === index)));
    },
    hint(index) {
      [...marks.children].forEach((one, i) => one.classList.toggle("hinted", i === index));
    },
  };
}

function pictureOf(photo) {
  if (!photo.image) return h("p.blank", t("photo.unshown"));
  const picture = copyOf(photo);
  picture.alt = photo.name;
  return picture;
}

function mark(face, i, { label, kind }, [width, height], { chosen, hinted }) {
  const [x1, y1, x2, y2] = face.box;
  const share = (value, of) => `${(100 * value) / of}%`;
  const given = {
    "aria-label": label ?? t("face.number", { number: i + 1 }),
    style: { left: share(x1, width), top: share(y1, height), width: share(x2 - x1, width), height: share(y2 - y1, height) },
  };
  const pressed = {
    type: "button", "aria-pressed": "false",
    onclick: () => chosen(i),
    onpointerenter: () => hinted(i),
    onpointerleave: () => hinted(null),
    onfocus: () => hinted(i),
    onblur: () => hinted(null),
  };
  const made = chosen ? h("button.face-mark", { ...given, ...pressed }) : h("div.face-mark", { ...given, role: "img" });
  if (kind) made.classList.add(kind);
  fill(made, h("span.number", label ?? i + 1));
  return made;
}

function paint(canvas, surface, { faces, layers }, width) {
  const dense = window.devicePixelRatio || 1;
  canvas.width = Math.round(surface.clientWidth * dense);
  canvas.height = Math.round(surface.clientHeight * dense);
  const context = canvas.getContext("2d");
  const scale = canvas.width / width;
  // Pixel centres are at integers.
  const place = ([x, y]) => [(x + 0.5) * scale, (y + 0.5) * scale];
  for (const [name, how] of Object.entries(LAYERS)) {
    if (!layers.has(name)) continue;
    for (const face of faces) {
      // Finer on small faces, or nothing is left to be seen of them.
      const fine = Math.min(1, Math.max(0.35, ((face.box[2] - face.box[0]) * scale) / dense / AMPLE_PX));
      if (face[name]) drawPoints(context, face[name].map(place), how, dense * fine);
    }
  }
}

/** White with a dark rim, which can be seen on every skin and every background. */
function drawPoints(context, points, { radius, lines = [] }, dense) {
  const path = new Path2D();
  for (const [first, last, closed] of lines) {
    const part = points.slice(first, last + 1);
    part.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
    if (closed) path.closePath();
  }
  const dots = new Path2D();
  for (const [x, y] of points) {
    dots.moveTo(x + radius * dense, y);
    dots.arc(x, y, radius * dense, 0, 2 * Math.PI);
  }
  context.lineJoin = "round";
  for (const { colour, extra } of STROKES) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = (1 + extra) * dense;
    context.stroke(path);
    if (extra) {
      context.lineWidth = extra * dense * 0.75;
      context.stroke(dots);
    }
    context.fill(dots);
  }
}
