// Several photographs that wait to be sent: each with its picture, a way to take it back, and what became of it.

import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { photoInput } from "./photo-input.js";
import { copyOf, takePhoto } from "./photos.js";

/** @typedef {{photo: import("./photos.js").Photo, element: HTMLElement, extra: any}} Waiting */

/**
 * @param {object} about
 * @param {AbortSignal} about.signal
 * @param {any} [about.title]
 * @param {any} [about.hint]
 * @param {(photo: import("./photos.js").Photo) => {element: HTMLElement}} [about.extra] What is asked about each.
 * @param {() => void} [about.changed]
 * @returns {{element: HTMLElement, waiting: () => Waiting[], files: () => File[], take: (files: File[]) => Promise<void>,
 *   keep: (wanted: (one: Waiting) => boolean) => void}}
 */
export function photoList({ signal, title, hint, extra = () => null, changed = () => {} }) {
  /** @type {Waiting[]} */
  let waiting = [];
  const input = h("div");
  const list = h("ul.photo-list", { "aria-label": t("photos.chosen") });
  showInput();

  async function take(files) {
    const known = new Set(waiting.map(({ photo }) => sameness(photo.file)));
    const fresh = files.filter((file) => !known.has(sameness(file)));
    const photos = await Promise.all(fresh.map((file) => takePhoto(file, signal)));
    waiting = [...waiting, ...photos.map(entry)];
    show();
  }

  function entry(photo) {
    const asked = extra(photo);
    const drop = () => {
      const at = waiting.findIndex((one) => one.photo === photo);
      keep((one) => one.photo !== photo);
      const next = list.querySelectorAll("button")[Math.min(at, waiting.length - 1)] ?? input.querySelector("button");
      /** @type {HTMLElement} */ (next)?.focus();
    };
    const picture = photo.image ? copyOf(photo) : icon("photo");
    const element = h("li",
      h("span.picture", picture),
      h("span.clip.small", { title: photo.name }, photo.name),
      asked?.element,
      h("button.button.plain.icon.small", { type: "button", onclick: drop, "aria-label": t("photos.remove", { name: photo.name }) }, icon("close")));
    element.classList.toggle("asks", Boolean(asked));
    return { photo, element, extra: asked };
  }

  function keep(wanted) {
    waiting = waiting.filter(wanted);
    show();
  }

  function show() {
    showInput();
    fill(list, waiting.map((one) => one.element));
    list.hidden = !waiting.length;
    changed();
  }

  function showInput() {
    fill(input, photoInput({ take, signal, several: true, title, hint, slim: waiting.length > 0 }));
    list.hidden = !waiting.length;
  }

  return { element: h("div.stack.tight", input, list), waiting: () => waiting, files: () => waiting.map((one) => one.photo.file), take, keep };
}

/** A folder that is chosen twice holds the same files. @param {File} file */
const sameness = (file) => `${file.name}|${file.size}|${file.lastModified}`;
