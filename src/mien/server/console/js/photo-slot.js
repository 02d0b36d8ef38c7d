// A place for one photograph, of which one face is meant: if there are several, a press on a face says which.

import { form, post, within } from "./api.js";
import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { errorNotice, notice } from "./notices.js";
import { faceOverlay } from "./overlay.js";
import { acceptDrops, photoInput } from "./photo-input.js";
import { takePhoto } from "./photos.js";

/**
 * @typedef {object} Slot
 * @property {HTMLElement} element
 * @property {import("./photos.js").Photo | null} photo
 * @property {"only" | number} face Which face is meant: its number, once somebody said so.
 * @property {(face: any) => void} show Outline a face of the API; null for none.
 * @property {(collection: string) => Promise<void>} ask Which face is meant; changes when a face is pressed.
 */

/**
 * @param {object} about
 * @param {any} about.title
 * @param {any} [about.hint]
 * @param {any} [about.mark] Label of the face that is shown.
 * @param {boolean} [about.slim]
 * @param {() => void} about.changed Another photograph, none, or another face.
 * @param {() => boolean} [about.pastes]
 * @param {AbortSignal} about.signal
 * @returns {Slot}
 */
export function photoSlot({ title, hint, mark, slim, changed, pastes, signal }) {
  const element = h("div", { role: "group", "aria-label": title });
  const input = photoInput({ take: ([file]) => take(file), signal, title, hint, slim, pastes });
  const filled = h("div.stack.tight");
  const asked = h("div", { role: "status" });
  /** @type {import("./overlay.js").Overlay | null} */
  let overlay = null;
  /** @type {Slot} */
  const slot = { element, photo: null, face: "only", show, ask };
  acceptDrops(element, ([file]) => file && take(file));
  fill(element, input, filled);

  async function take(file) {
    const photo = await takePhoto(file, signal);
    Object.assign(slot, { photo, face: "only" });
    input.hidden = true;
    lay();
    changed();
  }

  /** Overlays are made anew: sizes of what browsers cannot show are known only from the answer. */
  function lay(size_wh, choose) {
    const { photo } = slot;
    overlay = faceOverlay({ photo, size_wh, chosen: choose, signal });
    fill(asked);
    fill(filled,
      overlay.element,
      asked,
      h("div.row.apart.fixed",
        h("span.clip.soft.small", photo.name),
        h("button.button.plain.small", { type: "button", onclick: clear, "aria-label": t("compare.remove", { name: photo.name }) }, icon("close"), h("span", t("remove")))));
  }

  function clear() {
    Object.assign(slot, { photo: null, face: "only" });
    overlay = null;
    input.hidden = false;
    fill(filled);
    input.querySelector("button")?.focus();
    changed();
  }

  function show(face) {
    if (typeof slot.face !== "number") overlay?.show(face ? [face] : [], mark ? [mark] : []);
  }

  async function ask(collection) {
    const { photo } = slot;
    try {
      // Whoever may search may not only look; this too tells where faces are, in the same order.
      const found = await post(within(collection, "identify"), { form: form({ photo: photo.file }), signal });
      if (slot.photo !== photo) return;
      lay(found.size_wh, (index) => {
        slot.face = index;
        overlay.select(index);
        fill(asked);
        changed();
      });
      overlay.show(found.people.map((one) => one.face));
      fill(asked, notice({ title: t("slot.several", { n: found.people.length }), text: t("slot.several.text") }));
    } catch (error) {
      if (!signal.aborted && slot.photo === photo) fill(asked, errorNotice(error, { again: () => ask(collection) }));
    }
  }
  return slot;
}
