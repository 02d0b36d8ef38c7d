// One person: what is known about them, their faces, and everything that can be done about both.

import { parts, versioned } from "../../js/api.js";
import { fill, h } from "../../js/dom.js";
import { facts } from "../../js/figures.js";
import { day, moment, number, t } from "../../js/i18n.js";
import { icon } from "../../js/icons.js";
import { empty, errorNotice, notice, skeleton } from "../../js/notices.js";
import { consentChip, daysLeft, nameOf, personPath, tagChips } from "../../js/people.js";
import { pictureShelf } from "../../js/pictures.js";
import { hashTo } from "../../js/router.js";
import { allowed } from "../../js/session.js";
import { recall } from "../../js/storage.js";
import { toast } from "../../js/toast.js";
import { editPerson } from "./edit.js";
import { openEnrol } from "./enrol.js";
import { faceGallery } from "./faces.js";
import { forget } from "./forget.js";
import { mergeInto } from "./merge.js";
import { verifyCard } from "./verify.js";

export async function mount(root, { params: [id], query, signal }) {
  const collection = query.get("collection") ?? recall("collection") ?? "";
  const back = h("a.back", { href: hashTo("people", { collection }) }, icon("back"), t("people.title"));
  const head = h("div");
  const body = h("div.stack.loose");
  let shown = new AbortController();
  root.append(back, head, body);
  fill(head, h("h1", { tabindex: "-1" }, t("person.one")));
  fill(body, skeleton(6));
  await show();

  async function show() {
    const { item: person, version } = await versioned(personPath(collection, id), { signal });
    const faces = await everyFace(collection, person.id, signal);
    shown.abort();
    shown = new AbortController();
    const left = AbortSignal.any([signal, shown.signal]);
    const about = { collection, person, version, faces, shelf: pictureShelf(left), signal: left, again };
    const focused = root.contains(document.activeElement);
    fill(head, headOf(about));
    fill(body, bodyOf(about));
    if (focused) head.querySelector("h1").focus({ preventScroll: true });
  }

  async function again() {
    try {
      await show();
    } catch (error) {
      if (signal.aborted) return;
      if (error.code === "person_unknown") location.hash = back.hash;
      else fill(body, errorNotice(error, { again }));
    }
  }
}

async function everyFace(collection, person, signal) {
  const found = [];
  for await (const part of parts(personPath(collection, person, "faces"), { signal })) found.push(...part);
  return found;
}

function headOf({ collection, person, faces, shelf, version, signal, again }) {
  const first = faces.find((face) => face.has_crop);
  const changing = { collection, person, version, signal, again };
  const button = (name, words, act, kind = "") => h(`button.button${kind}`, { type: "button", onclick: act }, icon(name), t(words));
  return h("header.person-head",
    shelf.face(collection, first?.id ?? null),
    h("div.grow",
      h("h1", { tabindex: "-1" }, nameOf(person)),
      h("p.chips", consentChip(person.consent_until), tagChips(person.tags))),
    allowed(["enroll"]) && h("div.row",
      person.name !== null && button("plus", "person.add", () => openEnrol({ collection, person, signal, done: again }), ".primary"),
      button("edit", "person.edit", () => editPerson(changing)),
      button("merge", "person.merge", () => mergeInto({ ...changing, shelf })),
      button("trash", "person.forget", () => forgetting(changing), ".danger")));
}

async function forgetting({ collection, person, signal }) {
  if (!await forget({ collection, person, signal })) return;
  toast(t("forget.done"));
  location.hash = hashTo("people", { collection });
}

function bodyOf(about) {
  const { collection, person, faces, signal } = about;
  const gallery = faces.length
    ? faceGallery(about)
    : empty({ icon: "face", title: t("person.faceless"), text: t("person.faceless.text") });
  return h("div.split.person",
    h("section.stack", h("div.card-head", h("h2", t("person.faces")), h("span.soft.small", t("faces.count", { n: faces.length }))), gallery),
    h("div.stack", aboutCard(person), comparing(about)));
}

/** Whose consent has run out is no longer compared with anybody. */
function comparing({ collection, person, faces, signal }) {
  if (person.consent_until && daysLeft(person.consent_until) < 0) return notice({ kind: "warn", title: t("error.consent_expired"), text: t("error.consent_expired.hint") });
  return allowed(["verify"]) && faces.length > 0 && verifyCard({ collection, person, signal });
}

function aboutCard(person) {
  const metadata = Object.entries(person.metadata);
  return h("section.card", h("h2", t("person.about")),
    facts([
      [t("person.created"), moment(person.created)],
      [t("person.version"), number(person.version)],
      [t("consent.until"), person.consent_until ? day(person.consent_until) : t("consent.unlimited")],
      [t("person.id"), h("code", person.id)],
    ]),
    person.consent_note && h("div.noted", h("h3.soft.small", t("consent.note")), h("p", person.consent_note)),
    metadata.length > 0 && h("div.noted", h("h3.soft.small", t("person.metadata")),
      h("dl.pairs", metadata.map(([name, value]) => h("div", h("dt", name), h("dd", typeof value === "string" ? value : JSON.stringify(value)))))));
}
