// Search: which enrolled faces are most like one in a photograph?

import { form, post, within } from "../js/api.js";
import { ruleFacts } from "../js/candidates.js";
import { collectionPage } from "../js/collection-page.js";
import { fill, h } from "../js/dom.js";
import { choice } from "../js/fields.js";
import { distanceBar } from "../js/figures.js";
import { jsonView } from "../js/files.js";
import { t } from "../js/i18n.js";
import { errorNotice, skeleton } from "../js/notices.js";
import { personHash } from "../js/people.js";
import { photoSlot } from "../js/photo-slot.js";
import { pictureShelf } from "../js/pictures.js";
import { tagsField } from "../js/tags.js";
import { nobodyYet } from "./people/nobody.js";

const MOST = ["10", "20", "50", "100"];

export function mount(root, page) {
  let look = () => {};
  const kept = { k: MOST[0], tag: [], slot: photoSlot({ title: t("search.photo"), changed: () => look(), signal: page.signal }) };
  return collectionPage({
    root,
    head: { title: t("search.title"), lede: t("search.lede") },
    icon: "search",
    ...page,
    show: (shown) => showSearch(shown, kept, (now) => (look = now)),
  });
}

function showSearch({ collection, body, signal }, kept, changes) {
  if (!collection.faces) return fill(body, nobodyYet(collection.name));
  const { slot } = kept;
  let asked = 0;
  const result = h("section.stack", { "aria-live": "polite", "aria-label": t("search.result") });
  const options = h("div.toolbar",
    h("div.row", h("span.small", t("search.most")), choice({ label: t("search.most"), options: MOST.map((value) => ({ value, label: value })), value: kept.k, onchange: (now) => change({ k: now }) })),
    tagsField({ label: t("people.tags"), placeholder: t("people.tags"), bare: true, tags: kept.tag, onchange: (now) => change({ tag: now }) }).element);
  const view = h("div.searched", slot.element, result);
  fill(body, options, view);
  changes(search);
  return search();

  function change(now) {
    Object.assign(kept, now);
    search();
  }

  async function search() {
    const mine = (asked += 1);
    const { photo, face } = slot;
    view.classList.toggle("filled", Boolean(photo));
    fill(result, photo && h("div.card", skeleton(6)));
    if (!photo) return;
    try {
      const found = await post(within(collection.name, "search"), { form: form({ photo: photo.file, face, k: kept.k, tag: kept.tag }), signal });
      if (mine === asked) fill(result, hits(found, collection, signal));
    } catch (error) {
      if (signal.aborted || mine !== asked) return;
      fill(result, error.code !== "many_faces" && errorNotice(error, { again: search }));
      if (error.code === "many_faces") await slot.ask(collection.name);
    }
  }
}

/** Those within the threshold, and those beyond it. */
function hits(found, collection, signal) {
  const shelf = pictureShelf(signal);
  const groups = [
    ["search.within", found.faces.filter((one) => one.accepted)],
    ["search.beyond", found.faces.filter((one) => !one.accepted)],
  ];
  const card = (match) => h("li", h("a.person-card", { href: personHash(collection.name, match.person_id) },
    shelf.face(collection.name, match.face_id),
    h("span.who", h("span.name", match.person || t("person.unnamed")), distanceBar({ distance: match.distance, threshold: found.threshold }))));
  return [
    groups.map(([title, matches]) => h("section.stack.tight",
      h("h2", t(title, { n: matches.length })),
      matches.length ? h("ol.people.dense", matches.map(card)) : h("p.soft", t("search.none")))),
    h("section.card", h("h2", t("rule.title")), ruleFacts(found, collection.people)),
    h("details.more", h("summary", t("json")), jsonView(found, "search.json")),
  ];
}
