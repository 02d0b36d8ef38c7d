// Beginning a case: photographs of the person, each with the year it was taken, and the first look.

import { form, post, within } from "../../js/api.js";
import { openDialog } from "../../js/dialog.js";
import { fill, h } from "../../js/dom.js";
import { choice, field } from "../../js/fields.js";
import { t } from "../../js/i18n.js";
import { errorNotice } from "../../js/notices.js";
import { photoList } from "../../js/photo-list.js";
import { tagsField } from "../../js/tags.js";
import { failed } from "../people/enrolled.js";
import { casePath } from "./paths.js";

const TAKEN = "[0-9]{4}(-[0-9]{2}-[0-9]{2})?";

/**
 * @param {{collection: string, signal: AbortSignal}} about
 * @returns {Promise<string | null>} Identifier of the case.
 */
export function beginCase({ collection, signal }) {
  return new Promise((resolve) => {
    const closed = new AbortController();
    const both = AbortSignal.any([signal, closed.signal]);
    let made = null;
    let face = "only";
    const title = h("input.input", { required: true, maxlength: 200, autocomplete: "off" });
    const notes = h("textarea.input", { maxlength: 10_000 });
    const tags = tagsField({ label: t("case.tags"), help: t("case.tags.help") });
    const photos = photoList({ signal: both, hint: t("case.photographs.help"), extra: askTaken, changed: () => (button.disabled = !photos.files().length) });
    const which = h("div");
    const said = h("div");
    const button = h("button.button.primary", { type: "submit", form: "begin-case", disabled: true }, t("case.begin"));
    const body = h("form.stack", { id: "begin-case", onsubmit: submit },
      photos.element,
      h("div.grid.two", field({ label: t("case.title"), control: title }), tags.element),
      field({ label: t("case.notes"), control: notes }),
      which, said);
    const dialog = openDialog({
      title: t("case.new"), body, actions: [button], wide: true, firm: true, signal,
      onclose: () => {
        closed.abort();
        resolve(made);
      },
    });
    showWhich();

    function showWhich() {
      const options = ["only", "largest"].map((value) => ({ value, label: t(`compare.face.${value}`) }));
      fill(which, h("div.field", h("span.label", t("which-face")), h("div.row", choice({ label: t("which-face"), options, value: face, onchange: (now) => (face = now) }))));
    }

    async function submit(event) {
      event.preventDefault();
      button.setAttribute("aria-busy", "true");
      fill(said);
      const waiting = photos.waiting();
      const fields = { title: title.value.trim(), notes: notes.value.trim(), tags: tags.tags(), face, taken: waiting.map((one) => one.extra.value()) };
      try {
        const found = await post(within(collection, "cases"), { form: form({ photo: photos.files(), ...fields }), signal: both });
        made = found.id;
        await post(casePath(collection, made, "run"), { signal: both });
        dialog.close();
      } catch (error) {
        if (both.aborted) return;
        if (made) return dialog.close(); // It is there; its page says why it cannot be run.
        tell(error, waiting);
      } finally {
        button.removeAttribute("aria-busy");
      }
    }

    function tell(error, waiting) {
      const failures = (error.details?.failures ?? []).map((one) => ({ error: one.error, name: one.source, file: waiting.find(({ photo }) => one.source.endsWith(photo.name))?.photo.file ?? null }));
      fill(said, failures.length ? failed(failures, tryLargest) : errorNotice(error));
      said.scrollIntoView({ block: "nearest" });
    }

    function tryLargest() {
      face = "largest";
      showWhich();
      body.requestSubmit();
    }
  });
}

/** When a photograph was taken: a year or a day, or nothing. */
function askTaken(photo) {
  const label = t("case.taken.of", { name: photo.name });
  const input = h("input.input", { placeholder: t("case.taken"), pattern: TAKEN, title: t("case.taken.help"), "aria-label": label, autocomplete: "off", maxlength: 10 });
  return { element: input, value: () => input.value.trim() };
}
