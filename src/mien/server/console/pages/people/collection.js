// What is known about a collection as a whole, and what an administrator can do to all of it.

import { post, remove, within } from "../../js/api.js";
import { confirmed } from "../../js/dialog.js";
import { h } from "../../js/dom.js";
import { facts } from "../../js/figures.js";
import { number, t } from "../../js/i18n.js";
import { icon } from "../../js/icons.js";
import { allowed } from "../../js/session.js";
import { toast } from "../../js/toast.js";
import { tellUnreached } from "./forget.js";

/**
 * @param {{collection: import("../../js/collections.js").Collection, signal: AbortSignal, again: () => Promise<void>}} about
 *   `again`: it has changed.
 */
export function aboutCollection({ collection, signal, again }) {
  return h("details.more",
    h("summary", t("collection.about")),
    h("div.card.stack",
      facts([
        [t("person.count"), number(collection.people)],
        [t("person.faces"), number(collection.faces)],
        [t("collection.unsearchable"), number(collection.unsearchable)],
        [t("collection.embedder"), h("code", collection.embedder)],
        [t("collection.space"), h("code", collection.space)],
      ]),
      allowed(["admin"]) && h("div.row",
        h("button.button.small", { type: "button", onclick: () => sweep(collection, signal, again) }, icon("again"), t("collection.sweep")),
        h("button.button.small.danger", { type: "button", onclick: () => drop(collection, signal, again) }, icon("trash"), t("collection.delete")))));
}

async function sweep({ name }, signal, again) {
  let done = null;
  const act = async () => (done = await post(within(name, "sweep"), { signal }));
  if (!await confirmed({ title: t("collection.sweep"), text: t("collection.sweep.text"), action: t("collection.sweep.do"), act, signal })) return;
  toast(t("collection.swept", { n: done.people.length }));
  await tellUnreached(done, signal);
  await again();
}

async function drop({ name, people }, signal, again) {
  let done = null;
  const act = async () => (done = await remove(within(name), { signal }));
  const text = [h("p", t("collection.delete.text", { n: people })), h("p.soft", t("forget.how"))];
  if (!await confirmed({ title: t("collection.delete.title", { name }), text, action: t("collection.delete"), typed: name, act, signal })) return;
  toast(t("collection.deleted"));
  await tellUnreached(done, signal);
  await again();
}
