// Dialogs: the browser's own, which hold the focus, close by Escape and give the focus back.

import { h } from "./dom.js";
import { field } from "./fields.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { errorNotice } from "./notices.js";

/**
 * Open a dialog.
 *
 * @param {{title: any, body: any, actions?: any[], wide?: boolean, firm?: boolean, onclose?: () => void, signal?: AbortSignal}} about
 *   `firm`: a click beside it does not close it, because there is something in it to lose.
 *   `signal`: that of the page, which takes its dialogs along.
 * @returns {HTMLDialogElement} `close()` closes and removes it.
 */
export function openDialog({ title, body, actions = [], wide = false, firm = false, onclose = () => {}, signal }) {
  const heading = h("h2", { id: `dialog-${Math.random().toString(36).slice(2)}` }, title);
  const dialog = h("dialog.dialog", { "aria-labelledby": heading.id },
    h("header", heading, h("button.button.plain.icon.small", { type: "button", onclick: () => dialog.close(), "aria-label": t("close") }, icon("close"))),
    h("div.body", body),
    actions.length > 0 && h("footer", actions));
  dialog.classList.toggle("wide", wide);
  dialog.addEventListener("click", (event) => event.target === dialog && !firm && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    onclose();
  });
  signal?.addEventListener("abort", () => dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Ask before something that cannot be undone, do it, and say in the dialog if it failed.
 *
 * @param {{title: any, text: any, action: any, danger?: boolean, typed?: string, act: () => Promise<any>, signal?: AbortSignal}} about
 *   `typed`: what has to be typed first, so that nobody does it by a slip of the hand.
 * @returns {Promise<boolean>} Whether it was done.
 */
export const confirmed = ({ text, danger = true, typed, ...about }) =>
  filledIn({ ...about, body: [h("div.stack.tight", text), typed && typing(typed)], danger, careful: !typed });

/**
 * Ask for something, do it, and say in the dialog if it failed.
 *
 * @param {object} about
 * @param {any} about.title
 * @param {any} about.body Fields; Enter in one of them is as good as the button.
 * @param {any} about.action What the button says.
 * @param {() => Promise<any>} about.act May throw ApiError.
 * @param {boolean} [about.danger]
 * @param {boolean} [about.careful] Whether the focus begins where nothing is done.
 * @param {boolean} [about.wide]
 * @param {AbortSignal} [about.signal]
 * @returns {Promise<boolean>} Whether it was done.
 */
export function filledIn({ title, body, action, act, danger = false, careful = false, wide = false, signal }) {
  return new Promise((resolve) => {
    let done = false;
    const said = h("div");
    const form = h("form.stack", { id: `form-${Math.random().toString(36).slice(2)}`, onsubmit: submit }, body, said);
    const button = h(`button.button.${danger ? "danger" : "primary"}`, { type: "submit", form: form.id }, action);
    const cancel = h("button.button.plain", { type: "button", autofocus: careful, onclick: () => dialog.close() }, t("cancel"));
    const dialog = openDialog({ title, body: form, actions: [cancel, button], wide, firm: !careful, onclose: () => resolve(done), signal });

    async function submit(event) {
      event.preventDefault();
      if (button.hasAttribute("aria-busy")) return;
      button.setAttribute("aria-busy", "true");
      said.replaceChildren();
      try {
        await act();
        done = true;
        dialog.close();
      } catch (error) {
        said.replaceChildren(errorNotice(error));
        said.scrollIntoView({ block: "nearest" });
      } finally {
        button.removeAttribute("aria-busy");
      }
    }
  });
}

function typing(wanted) {
  const right = () => input.value.trim().normalize() === wanted.trim().normalize();
  const check = () => input.setCustomValidity(right() ? "" : String(t("dialog.type", { text: wanted })));
  const input = h("input.input", { autocomplete: "off", spellcheck: "false", required: true, autofocus: true, oninput: check });
  check();
  return field({ label: t("dialog.type", { text: wanted }), control: input });
}
