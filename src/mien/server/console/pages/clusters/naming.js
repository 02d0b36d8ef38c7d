// Saying who a group is; and taking it over into a collection, where the person is recognised from then on.

import { post, segment, within } from "../../js/api.js";
import { listCollections } from "../../js/collections.js";
import { filledIn } from "../../js/dialog.js";
import { h } from "../../js/dom.js";
import { field } from "../../js/fields.js";
import { t } from "../../js/i18n.js";
import { personHash } from "../../js/people.js";
import { toast } from "../../js/toast.js";

const SHOWN = 5;

/**
 * @param {{group: any, album: string, shelf: import("../../js/pictures.js").Shelf, signal: AbortSignal}} about
 * @returns {Promise<boolean>} Whether it was done.
 */
export async function nameGroup({ group, album, shelf, signal }) {
  const others = (await listCollections(signal)).filter((one) => one.name !== album);
  const name = h("input.input", { required: true, maxlength: 200, autocomplete: "off", autofocus: true, value: group.name ?? "" });
  const into = h("select.input", h("option", { value: "" }, t("clusters.stay")), others.map((one) => h("option", { value: one.name }, one.name)));
  let whose = null;
  const done = await filledIn({
    title: t("clusters.name.title"),
    body: [
      h("div.row", group.faces.slice(0, SHOWN).map((face) => shelf.face(album, face.face))),
      field({ label: t("person.name"), control: name }),
      others.length > 0 && field({ label: t("clusters.into"), help: t("clusters.into.help"), control: into }),
    ],
    action: t("edit.save"),
    act: async () => (whose = await post(within(album, `clusters/${segment(group.id)}/name`), { json: { name: name.value.trim(), collection: into.value || null }, signal })),
    signal,
  });
  if (!done) return false;
  toast(whose.collection === album
    ? t("clusters.named", { name: whose.name })
    : [t("clusters.taken", { collection: whose.collection }), " ", h("a", { href: personHash(whose.collection, whose.id) }, whose.name)]);
  return true;
}
