// Pictures that the server keeps of faces. They need the key, so they are fetched, a few at a time, and only those
// that are about to be seen.

import { blob, get, segment } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

const AT_ONCE = 4;
const NEARBY = "300px";
const LOOKED_AT = 5; // Faces of somebody, until one has a picture.

/**
 * @typedef {object} Shelf
 * @property {(path: string, alt?: any) => HTMLElement} path A picture by its address below /v1.
 * @property {(collection: string, face: string | null, alt?: any) => HTMLElement} face
 * @property {(collection: string, person: string | null, alt?: any) => HTMLElement} person The first picture of somebody.
 */

/**
 * Pictures for one page. Each is a `span.picture`, which is as large as its place wants it; without a picture it
 * stays a silhouette. An empty `alt` is for pictures beside a name that says it all.
 * @param {AbortSignal} signal Lets go of them.
 * @returns {Shelf}
 */
export function pictureShelf(signal) {
  /** @type {Map<string, Promise<string>>} */
  const kept = new Map();
  const turns = takeTurns(AT_ONCE);
  /** @type {WeakMap<Element, () => void>} */
  const unseen = new WeakMap();
  const watcher = new IntersectionObserver((entries) => {
    for (const { target } of entries.filter((one) => one.isIntersecting)) {
      watcher.unobserve(target);
      unseen.get(target)?.();
    }
  }, { rootMargin: NEARBY });
  signal.addEventListener("abort", () => watcher.disconnect());

  const fetched = (path) => {
    const there = kept.get(path) ?? turns(() => download(path, signal));
    kept.set(path, there);
    return there;
  };

  function later(find, alt = "") {
    const place = h("span.picture", icon("face"));
    unseen.set(place, async () => {
      try {
        const path = await find();
        if (!path) return;
        fill(place, h("img", { src: await fetched(path), alt }));
      } catch {
        // No picture was kept, or it is gone: the silhouette stays.
      }
    });
    watcher.observe(place);
    return place;
  }

  return {
    path: (path, alt) => later(() => path, alt),
    face: (collection, face, alt) => later(() => face && facePath(collection, face), alt),
    person: (collection, person, alt) => later(() => person && turns(() => portraitOf(collection, person, signal)), alt),
  };
}

const facePath = (collection, face) => `collections/${segment(collection)}/faces/${segment(face)}/picture`;

async function download(path, signal) {
  const url = URL.createObjectURL(await blob("GET", path, { signal }));
  signal.addEventListener("abort", () => URL.revokeObjectURL(url));
  return url;
}

async function portraitOf(collection, person, signal) {
  const { items } = await get(`collections/${segment(collection)}/people/${segment(person)}/faces`, { query: { limit: LOOKED_AT }, signal });
  const first = items.find((face) => face.has_crop);
  return first ? facePath(collection, first.id) : null;
}

/** So that what a user asks for meanwhile need not wait for a hundred pictures. */
function takeTurns(most) {
  let busy = 0;
  const waiting = [];
  const next = () => {
    if (busy >= most || !waiting.length) return;
    busy += 1;
    waiting.shift()();
  };
  return (work) => new Promise((resolve, reject) => {
    waiting.push(() => work().then(resolve, reject).finally(() => {
      busy -= 1;
      next();
    }));
    next();
  });
}
