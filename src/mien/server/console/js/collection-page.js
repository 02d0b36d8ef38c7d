// Pages about one collection: which one is chosen at the top, kept in the address and for the next page.

import { post } from "./api.js";
import { listCollections, usualCollection } from "./collections.js";
import { filledIn } from "./dialog.js";
import { fill, h } from "./dom.js";
import { field } from "./fields.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { empty, errorNotice, skeleton } from "./notices.js";
import { pageHead } from "./router.js";
import { allowed } from "./session.js";
import { remember } from "./storage.js";

/** @typedef {import("./collections.js").Collection} Collection */

/**
 * @param {object} about
 * @param {HTMLElement} about.root
 * @param {{title: any, lede: any}} about.head
 * @param {string} about.icon Of the page, for when there is no collection.
 * @param {URLSearchParams} about.query
 * @param {(query: Record<string, string | null>) => void} about.replace
 * @param {AbortSignal} about.signal
 * @param {(shown: {collection: Collection, body: HTMLElement, actions: HTMLElement, signal: AbortSignal,
 *   again: () => Promise<void>}) => any} about.show Fills `body`, and `actions` in the head. Called anew for each
 *   collection that is chosen; `again` counts anew what is in it, and shows it anew.
 */
export async function collectionPage({ root, head, icon: picture, query, replace, signal, show }) {
  const picker = h("div");
  const actions = h("div.row");
  const body = h("div.stack.loose");
  root.append(pageHead({ ...head, actions: [picker, actions] }), body);
  fill(body, skeleton(6));
  let list = await listCollections(signal);
  let leaving = new AbortController();
  await choose(query.get("collection"));

  async function choose(wanted) {
    leaving.abort();
    leaving = new AbortController();
    const name = list.some((one) => one.name === wanted) ? wanted : usualCollection(list);
    const chosen = list.find((one) => one.name === name);
    fill(picker, chosen && pickerOf(name));
    fill(actions);
    if (!chosen) return fill(body, noCollection());
    remember("collection", name);
    query.set("collection", name);
    replace(Object.fromEntries(query));
    await showing(chosen, AbortSignal.any([signal, leaving.signal]));
  }

  async function showing(collection, left) {
    const again = () => recount(collection.name);
    fill(body);
    try {
      await show({ collection, body, actions, signal: left, again });
    } catch (error) {
      if (!left.aborted) fill(body, errorNotice(error, { again }));
    }
  }

  /** People came or went, or a collection did. @param {string} wanted */
  async function recount(wanted) {
    try {
      list = await listCollections(signal);
      await choose(wanted);
      // What had the focus may be gone.
      if (document.activeElement === document.body) root.querySelector("h1").focus({ preventScroll: true });
    } catch (error) {
      if (!signal.aborted) fill(body, errorNotice(error, { again: () => recount(wanted) }));
    }
  }

  function pickerOf(name) {
    const select = h("select.input", { "aria-label": t("collection"), onchange: () => choose(select.value) },
      list.map((one) => h("option", { value: one.name, selected: one.name === name }, one.name)));
    return h("div.picker", select, allowed(["enroll"]) && h("button.button.icon", { type: "button", onclick: make, "aria-label": t("collection.new"), title: t("collection.new") }, icon("plus")));
  }

  function noCollection() {
    if (!allowed(["enroll"])) return empty({ icon: picture, title: t("collection.none"), text: t("collection.none.others") });
    const button = h("button.button.primary", { type: "button", onclick: make }, icon("plus"), t("collection.new"));
    return empty({ icon: picture, title: t("collection.none"), text: t("collection.none.text"), action: button });
  }

  async function make() {
    const made = await newCollection(signal);
    if (made) await recount(made);
  }
}

/** Ask for a name, and make a collection. @param {AbortSignal} signal @returns {Promise<string | null>} Its name. */
export async function newCollection(signal) {
  let made = null;
  const name = h("input.input", { maxlength: 200, required: true, autocomplete: "off", autofocus: true });
  await filledIn({
    title: t("collection.new"),
    body: field({ label: t("collection.name"), help: t("collection.name.help"), control: name }),
    action: t("collection.make"),
    act: async () => (made = (await post("collections", { json: { name: name.value.trim() }, signal })).name),
    signal,
  });
  return made;
}
