// Changing what is known about somebody, unless somebody else has changed it meanwhile.

import { patch, versioned } from "../../js/api.js";
import { openDialog } from "../../js/dialog.js";
import { fill, h } from "../../js/dom.js";
import { field } from "../../js/fields.js";
import { day, t } from "../../js/i18n.js";
import { errorNotice, notice } from "../../js/notices.js";
import { personPath } from "../../js/people.js";
import { tagsField } from "../../js/tags.js";
import { toast } from "../../js/toast.js";

/** Fields of a person that can be changed, and how each is shown. @type {Record<string, (value: any) => any>} */
const SHOWN = {
  name: (value) => value ?? t("person.unnamed"),
  tags: (value) => value.join(", ") || t("none"),
  consent_note: (value) => value || t("none"),
  consent_until: (value) => (value ? day(value) : t("consent.unlimited")),
  metadata: (value) => h("code", JSON.stringify(value)),
};
const WORDS = { name: "person.name", tags: "person.tags", consent_note: "consent.note", consent_until: "consent.until", metadata: "person.metadata" };
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** @param {any} about What person.js shows. */
export function editPerson({ collection, person, version, signal, again }) {
  let before = person;
  let seen = version;
  let asked = fieldsOf(person);
  const fields = h("div", asked.element);
  const said = h("div");
  const button = h("button.button.primary", { type: "submit", form: "edit" }, t("edit.save"));
  const dialog = openDialog({
    title: t("edit.title"),
    body: h("form.stack", { id: "edit", onsubmit: submit }, fields, said),
    actions: [button],
    firm: true,
    signal,
  });

  async function submit(event) {
    event?.preventDefault();
    const wanted = asked.read();
    if (!wanted) return;
    const changes = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => !same(value, before[name])));
    if (!Object.keys(changes).length) return dialog.close();
    button.setAttribute("aria-busy", "true");
    fill(said);
    try {
      await patch(personPath(collection, person.id), { json: changes, ifMatch: seen, signal });
      dialog.close();
      toast(t("edit.saved"));
      await again();
    } catch (error) {
      if (signal.aborted) return;
      await (error.status === 412 ? tellChanges() : Promise.reject(error)).catch((failure) => fill(said, errorNotice(failure)));
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  /** What somebody else has changed since this dialog was opened. */
  async function tellChanges() {
    const { item: now, version: newer } = await versioned(personPath(collection, person.id), { signal });
    const changed = Object.keys(SHOWN).filter((name) => !same(before[name], now[name]));
    const rows = changed.map((name) => h("div", h("dt", t(WORDS[name])), h("dd", h("s.soft", SHOWN[name](before[name])), " ", h("span", SHOWN[name](now[name])))));
    const theirs = () => {
      before = now;
      asked = fieldsOf(now);
      fill(fields, asked.element);
      fill(said);
    };
    seen = newer;
    const told = notice({
      kind: "warn",
      title: t("edit.stale"),
      text: t(changed.length ? "edit.stale.text" : "edit.stale.faces"),
      more: [
        changed.length > 0 && h("dl.pairs", rows),
        h("div.row",
          h("button.button.small.primary", { type: "button", onclick: theirs }, t("edit.theirs")),
          h("button.button.small", { type: "button", onclick: () => submit() }, t("edit.mine"))),
      ],
    });
    told.setAttribute("role", "alert");
    fill(said, told);
    told.scrollIntoView({ block: "nearest" });
  }
}

function fieldsOf(person) {
  const name = h("input.input", { value: person.name ?? "", maxlength: 200, autocomplete: "off", required: person.name !== null });
  const tags = tagsField({ label: t("person.tags"), help: t("tags.help"), tags: person.tags });
  const note = h("input.input", { value: person.consent_note, maxlength: 1000, autocomplete: "off" });
  const until = h("input.input", { type: "date", value: person.consent_until ?? "" });
  const metadata = h("textarea.input.mono", { spellcheck: "false", oninput: () => metadata.setCustomValidity("") });
  metadata.value = JSON.stringify(person.metadata, null, 2);
  const element = h("div.stack",
    field({ label: t("person.name"), control: name }),
    tags.element,
    field({ label: t("consent.note"), help: t("consent.note.help"), control: note }),
    field({ label: t("consent.until"), help: t("consent.until.help"), control: until }),
    field({ label: t("person.metadata"), help: t("person.metadata.help"), control: metadata }));

  function read() {
    const told = jsonObject(metadata.value);
    metadata.setCustomValidity(told ? "" : String(t("person.metadata.wrong")));
    if (!told) return metadata.reportValidity(), null;
    const called = name.value.trim();
    return { ...(called && { name: called }), tags: tags.tags().sort(), consent_note: note.value.trim(), consent_until: until.value || null, metadata: told };
  }
  return { element, read };
}

function jsonObject(text) {
  try {
    const found = JSON.parse(text.trim() || "{}");
    return found && typeof found === "object" && !Array.isArray(found) ? found : null;
  } catch {
    return null;
  }
}
