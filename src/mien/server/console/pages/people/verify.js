// Does a photograph show this person?

import { form, post } from "../../js/api.js";
import { fill, h } from "../../js/dom.js";
import { t } from "../../js/i18n.js";
import { errorNotice, skeleton } from "../../js/notices.js";
import { nameOf, personPath } from "../../js/people.js";
import { photoSlot } from "../../js/photo-slot.js";
import { verdict } from "../../js/verdict.js";

/** @param {{collection: string, person: any, signal: AbortSignal}} about */
export function verifyCard({ collection, person, signal }) {
  const result = h("div", { role: "status" });
  const slot = photoSlot({ title: t("verify.photo"), slim: true, changed: compare, signal });
  let asked = 0;
  return h("section.card.stack.verify", h("div", h("h2", t("verify.title")), h("p.soft.small", t("verify.text", { name: nameOf(person) }))), slot.element, result);

  async function compare() {
    const mine = (asked += 1);
    const { photo, face } = slot;
    fill(result, photo && skeleton(3));
    if (!photo) return;
    try {
      const found = await post(personPath(collection, person.id, "verify"), { form: form({ photo: photo.file, face }), signal });
      if (mine === asked) fill(result, verdict(found, { same: t("verify.yes", { name: nameOf(person) }), other: t("verify.no", { name: nameOf(person) }) }));
    } catch (error) {
      if (signal.aborted || mine !== asked) return;
      fill(result, error.code !== "many_faces" && errorNotice(error, { again: compare }));
      if (error.code === "many_faces") await slot.ask(collection);
    }
  }
}
