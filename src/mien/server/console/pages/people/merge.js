// Two entries that are one person become one.

import { post } from "../../js/api.js";
import { filledIn } from "../../js/dialog.js";
import { fill, h } from "../../js/dom.js";
import { t } from "../../js/i18n.js";
import { icon } from "../../js/icons.js";
import { nameOf, personPath } from "../../js/people.js";
import { personPicker } from "../../js/person-picker.js";
import { toast } from "../../js/toast.js";

/** @param {any} about What person.js shows. */
export async function mergeInto({ collection, person, shelf, signal, again }) {
  let other = null;
  const both = h("div.merging");
  const one = (who) => h("div", shelf.person(collection, who.id), h("span.strong", nameOf(who)), h("span.soft.small", t("faces.count", { n: who.faces })));
  const chosen = (who) => {
    other = who;
    fill(both, who && [one(who), icon("move"), one(person)]);
  };
  const done = await filledIn({
    title: t("merge.title"),
    body: [
      personPicker({ collection, except: person.id, label: t("merge.who", { name: nameOf(person) }), signal, chosen }),
      both,
      h("p.soft.small", t("merge.text", { name: nameOf(person) })),
    ],
    action: t("merge.do"),
    act: () => post(personPath(collection, person.id, "merge"), { json: { others: [other.id] }, signal }),
    signal,
  });
  if (!done) return;
  toast(t("merge.done", { other: nameOf(other), name: nameOf(person) }));
  await again();
}
