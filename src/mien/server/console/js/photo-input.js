// Asking for photographs: dropped, chosen, pasted, or taken with the camera.

import { openCamera } from "./camera.js";
import { h } from "./dom.js";
import { filesWithin } from "./folders.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { toast } from "./toast.js";

const NAMED = 3;

/**
 * @param {object} about
 * @param {(files: File[]) => void} about.take Given one file, or several if `several`.
 * @param {AbortSignal} about.signal That of the page.
 * @param {boolean} [about.several]
 * @param {boolean} [about.folders] Whole folders too, instead of the camera; pathOf() tells where a file was.
 * @param {any} [about.title]
 * @param {any} [about.hint]
 * @param {boolean} [about.slim] One line, for pages that show something already.
 * @param {() => boolean} [about.pastes] Whether it wants what is pasted now: where a page asks for several things.
 * @returns {HTMLElement}
 */
export function photoInput({ take, signal, several = false, folders = false, title, hint, slim = false, pastes = () => true }) {
  const offer = (files) => {
    const photographs = [...files].filter(looksLikePhoto);
    const others = [...files].filter((file) => !looksLikePhoto(file));
    // Of a folder, only what is a photograph is meant.
    if (others.length && !(folders && photographs.length)) toast(t("photo.others", { names: named(others) }), "bad");
    if (photographs.length) take(several ? photographs : photographs.slice(0, 1));
    return photographs.length > 0;
  };
  const chooser = fileChooser({ multiple: several, accept: "image/*,.heic,.heif" }, offer);
  const folder = folders && fileChooser({ webkitdirectory: true }, offer);
  const camera = h("button.button", { type: "button", onclick: () => openCamera({ take: (file) => take([file]), signal }) }, icon("camera"), t("photo.camera"));
  const zone = h("div.drop",
    icon("photo"),
    h("p.title", title ?? t(several ? "photo.drop.several" : "photo.drop")),
    h("p.hint.small", hint ?? t("photo.hint")),
    h("div.row", h("button.button.primary", { type: "button", onclick: () => chooser.click() }, t("photo.choose")), folder ? h("button.button", { type: "button", onclick: () => folder.click() }, icon("folder"), t("photo.folder")) : camera),
    chooser, folder);
  zone.classList.toggle("slim", slim);
  acceptDrops(zone, async (files, transfer) => offer(folders ? await filesWithin(transfer) : files));
  document.addEventListener("paste", (event) => {
    const above = document.querySelector("dialog:modal");
    if (event.defaultPrevented || !zone.isConnected || (above && !above.contains(zone)) || !pastes()) return;
    if (offer(event.clipboardData?.files ?? [])) event.preventDefault();
  }, { signal });
  return zone;
}

/** @param {Record<string, any>} given @param {(files: Iterable<File>) => void} offer */
function fileChooser(given, offer) {
  const chooser = h("input", {
    ...given, type: "file", hidden: true, "aria-hidden": "true",
    onchange: () => {
      offer(chooser.files);
      chooser.value = ""; // So that the same file can be chosen again.
    },
  });
  return chooser;
}

/**
 * Let an element take files that are dropped on it.
 * @param {HTMLElement} zone
 * @param {(files: Iterable<File>, transfer: DataTransfer) => void} offer
 */
export function acceptDrops(zone, offer) {
  let depth = 0; // Children fire enter and leave of their own.
  const over = (change) => {
    depth = Math.max(0, depth + change);
    zone.classList.toggle("over", depth > 0);
  };
  zone.addEventListener("dragenter", () => over(1));
  zone.addEventListener("dragleave", () => over(-1));
  zone.addEventListener("dragover", (event) => event.preventDefault());
  zone.addEventListener("drop", (event) => {
    over(-depth);
    if (event.defaultPrevented) return; // A place within this one took them.
    event.preventDefault();
    if (event.dataTransfer) offer(event.dataTransfer.files, event.dataTransfer);
  });
}

/** @param {File[]} files */
function named(files) {
  const names = files.slice(0, NAMED).map((file) => file.name || file.type).join(", ");
  return files.length > NAMED ? `${names}, …` : names;
}

/** Formats without a type, such as HEIC on most systems, are told by their name; the server decides. */
function looksLikePhoto(file) {
  return file.type.startsWith("image/") || (file.type === "" && /\.(hei[cf]|avif|jp2|tiff?|webp)$/i.test(file.name));
}
