// Enrolling somebody by photographs, or giving somebody more of them.

import { within } from "../../js/api.js";
import { openDialog } from "../../js/dialog.js";
import { fill, h } from "../../js/dom.js";
import { choice, field } from "../../js/fields.js";
import { t } from "../../js/i18n.js";
import { photoList } from "../../js/photo-list.js";
import { personPath } from "../../js/people.js";
import { tagsField } from "../../js/tags.js";
import { reportOf } from "./enrolled.js";
import { sendPhotographs } from "./sending.js";

const GATES = ["off", "standard", "strict"];

/**
 * @param {object} about
 * @param {string} about.collection
 * @param {any} [about.person] Who gets more faces; without it somebody is enrolled.
 * @param {AbortSignal} about.signal
 * @param {() => void} about.done Something was kept, and the dialog is closed.
 */
export function openEnrol({ collection, person = null, signal, done }) {
  const closed = new AbortController();
  const both = AbortSignal.any([signal, closed.signal]);
  const options = { face: "only", gate: "off" };
  const photos = photoList({ signal: both, changed: check });
  const asked = person ? null : askedAbout(check);
  const more = h("div.stack");
  const keeps = h("input", { type: "checkbox", checked: true });
  const button = h("button.button.primary", { type: "submit", form: "enrol", disabled: true }, t(person ? "enrol.add" : "enrol.do"));
  const tools = h("div.row", button);
  const told = h("p.soft.small", { role: "status" });
  const said = h("div");
  let kept = 0;

  const body = h("form.stack", { id: "enrol", onsubmit: submit },
    photos.element,
    asked?.element,
    h("details.more", h("summary", t("enrol.options")), more),
    h("label.check", keeps, h("span", t("enrol.keep"), h("span.help.soft.small", " ", t("enrol.keep.help")))),
    told, said);
  const dialog = openDialog({
    title: person ? t("enrol.more", { name: person.name }) : t("enrol.title"),
    body,
    actions: [tools],
    wide: true,
    firm: true,
    signal,
    onclose: () => {
      closed.abort();
      if (kept) done();
    },
  });
  fill(more, moreOptions(options));

  function check() {
    button.disabled = !photos.files().length || !(person || asked.name());
  }

  async function submit(event) {
    event.preventDefault();
    button.setAttribute("aria-busy", "true");
    fill(said);
    const fields = { ...asked?.fields(), ...options, keep_picture: keeps.checked };
    const files = photos.files();
    const report = await sendPhotographs({
      path: person ? personPath(collection, person.id, "faces") : within(collection, "people"),
      files, fields, signal: both,
      told: (sent) => fill(told, t("enrol.progress", { count: sent, of: files.length })),
    });
    button.removeAttribute("aria-busy");
    fill(told);
    if (both.aborted) return;
    kept += report.faces.length;
    photos.keep(({ photo }) => report.failures.some((one) => one.file === photo.file));
    fill(said, reportOf({ report, person: person?.name ?? fields.name, collection, largest: tryLargest, leave: () => dialog.close() }));
    said.scrollIntoView({ block: "nearest" });
    if (!report.failures.length) finish();
    else if (kept) fill(tools, h("button.button", { type: "button", onclick: () => dialog.close() }, t("enrol.close")), button);
  }

  function tryLargest() {
    options.face = "largest";
    fill(more, moreOptions(options));
    body.requestSubmit();
  }

  /** Nothing is left to be asked. */
  function finish() {
    for (const one of [...body.children]) if (one !== said) /** @type {HTMLElement} */ (one).hidden = true;
    fill(tools, h("button.button.primary", { type: "button", onclick: () => dialog.close() }, t("enrol.close")));
    tools.querySelector("button").focus();
  }
}

function askedAbout(changed) {
  const name = h("input.input", { required: true, maxlength: 200, autocomplete: "off", oninput: changed });
  const tags = tagsField({ label: t("person.tags"), help: t("tags.help") });
  const note = h("input.input", { maxlength: 1000, autocomplete: "off" });
  const until = h("input.input", { type: "date" });
  const element = h("div.stack",
    h("div.grid.two",
      field({ label: t("person.name"), help: t("enrol.name.help"), control: name }),
      tags.element,
      field({ label: t("consent.note"), help: t("consent.note.help"), control: note }),
      field({ label: t("consent.until"), help: t("consent.until.help"), control: until })));
  return {
    element,
    name: () => name.value.trim(),
    fields: () => ({ name: name.value.trim(), tags: tags.tags(), consent_note: note.value.trim() || null, consent_until: until.value || null }),
  };
}

function moreOptions(options) {
  const named = (topic, values) => values.map((value) => ({ value, label: t(`${topic}.${value}`) }));
  return [
    h("div.field", h("span.label", t("which-face")), h("div.row", choice({ label: t("which-face"), options: named("compare.face", ["only", "largest"]), value: options.face, onchange: (now) => (options.face = now) }))),
    h("div.field", h("span.label", t("gate")), h("div.row", choice({ label: t("gate"), options: named("gate", GATES), value: options.gate, onchange: (now) => (options.gate = now) })), h("p.help", t("gate.help"))),
  ];
}
