// Forgetting somebody for good, and saying where that could not be done.

import { remove } from "../../js/api.js";
import { confirmed, openDialog } from "../../js/dialog.js";
import { h } from "../../js/dom.js";
import { t } from "../../js/i18n.js";
import { notice } from "../../js/notices.js";
import { nameOf, personPath } from "../../js/people.js";

/**
 * Ask, and forget somebody.
 * @param {{collection: string, person: any, signal: AbortSignal}} about
 * @returns {Promise<boolean>} Whether it was done.
 */
export async function forget({ collection, person, signal }) {
  let done = null;
  const act = async () => (done = await remove(personPath(collection, person.id), { signal }));
  const text = [h("p", t("forget.text", { name: nameOf(person), n: person.faces })), h("p.soft", t("forget.how"))];
  const typed = person.name ?? person.id;
  if (!await confirmed({ title: t("forget.title", { name: nameOf(person) }), text, action: t("forget.do"), typed, act, signal })) return false;
  await tellUnreached(done, signal);
  return true;
}

/**
 * Say which backups still hold who was forgotten.
 * @param {{unreached: string[]} | null} forgotten Answer of the API; null: nothing is left anywhere.
 * @param {AbortSignal} signal
 */
export function tellUnreached(forgotten, signal) {
  if (!forgotten?.unreached.length) return Promise.resolve();
  return new Promise((/** @type {(nothing?: any) => void} */ resolve) => {
    const body = notice({
      kind: "warn",
      title: t("forget.unreached", { n: forgotten.unreached.length }),
      text: t("forget.unreached.text"),
      more: h("ul", forgotten.unreached.map((path) => h("li", h("code", path)))),
    });
    openDialog({ title: t("forget.left"), body, signal, onclose: () => resolve() });
  });
}
