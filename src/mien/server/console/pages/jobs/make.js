// A new job: what is to be done, with what, and which photographs.

import { form, freshKey, get, post } from "../../js/api.js";
import { answerable, columnsOf } from "../../js/aspects.js";
import { newCollection } from "../../js/collection-page.js";
import { collectionField, listCollections, usualCollection } from "../../js/collections.js";
import { fill, h } from "../../js/dom.js";
import { choice, field, freshId, pills } from "../../js/fields.js";
import { t } from "../../js/i18n.js";
import { icon } from "../../js/icons.js";
import { KINDS, jobHash } from "../../js/job-words.js";
import { errorNotice, skeleton } from "../../js/notices.js";
import { hashTo, pageHead } from "../../js/router.js";
import { allowed } from "../../js/session.js";
import { tagsField } from "../../js/tags.js";
import { manyPhotographs, sending } from "./sending.js";

const MOST_CANDIDATES = 10;

export async function makeJob(root, { query, replace, signal }) {
  const kinds = Object.keys(KINDS).filter((kind) => allowed([KINDS[kind].scope]));
  const wish = { kind: kinds.includes(query.get("kind")) ? query.get("kind") : kinds[0], collection: query.get("collection"), from: "here", options: () => ({}), folders: false };
  const details = h("div.stack", skeleton(3));
  const photographs = h("div.stack");
  const said = h("div");
  const button = h("button.button.primary", { type: "button", onclick: begin }, t("jobs.begin"));
  const view = h("div.split.even",
    h("section.card.stack", h("h2", t("jobs.what")), kindChoice(kinds, wish.kind, turn), details),
    h("section.stack", photographs, said, h("div.row", button)));
  root.append(h("a.row.small.back", { href: hashTo("jobs") }, icon("back"), t("jobs.all")), pageHead({ title: t("jobs.new"), lede: t("jobs.new.lede") }), view);

  const many = manyPhotographs({ signal, people: () => wish.folders, changed: () => fill(said) });
  const folder = h("input.input.mono", { autocomplete: "off", spellcheck: "false", placeholder: "/srv/photographs" });
  showPhotographs();
  const [system, found] = await Promise.all([get("system", { signal }), allowed(["search"]) ? listCollections(signal) : []]);
  let collections = found;
  if (!collections.some((one) => one.name === wish.collection)) wish.collection = usualCollection(collections);
  turn(wish.kind);

  function turn(kind) {
    wish.kind = kind;
    wish.folders = false;
    replace({ kind });
    fill(said);
    const options = OPTIONS[kind]({ system, signal, folders: (by) => {
      wish.folders = by;
      many.show();
    } });
    wish.options = options.value;
    fill(details, KINDS[kind].collection && whichCollection(), options.element);
    many.show();
  }

  function whichCollection() {
    const add = h("button.button.small", { type: "button", onclick: make }, icon("plus"), t("collection.new"));
    return h("div.stack.tight",
      collections.length > 0 && collectionField({ collections, value: wish.collection, onchange: (name) => (wish.collection = name), label: t(wish.kind === "cluster" ? "jobs.album" : "collection") }),
      allowed(["enroll"]) && h("div", add));
  }

  async function make() {
    const name = await newCollection(signal);
    if (name === null) return;
    collections = await listCollections(signal);
    wish.collection = name;
    turn(wish.kind);
  }

  function showPhotographs() {
    const options = ["here", "server"].map((value) => ({ value, label: t(`jobs.from.${value}`) }));
    const from = h("div", choice({ label: t("jobs.from"), options, value: wish.from, onchange: (value) => {
      wish.from = value;
      showPhotographs();
    } }));
    fill(photographs,
      h("div.row.apart", h("h2", t("jobs.photographs")), allowed(["admin"]) && from),
      wish.from === "here" ? many.element : h("div.card", field({ label: t("jobs.folder"), help: t("jobs.folder.help"), control: folder })));
  }

  async function begin() {
    const files = many.files();
    if (wish.from === "here" && !files.length) return fill(said, h("p.wrong", { role: "alert" }, t("jobs.needs")));
    button.setAttribute("aria-busy", "true");
    fill(said);
    try {
      const job = await order(wish.from === "here" ? null : folder.value.trim());
      if (wish.from === "server") location.hash = jobHash(job);
      else fill(view, sending({ job, files, signal, started: (row) => (location.hash = jobHash(row)) }));
    } catch (error) {
      if (!signal.aborted) fill(said, errorNotice(error));
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  /** @param {string | null} path Folder of the server; without one the job waits for what is sent. */
  function order(path) {
    const collection = KINDS[wish.kind].collection ? wish.collection : null;
    const fields = { kind: wish.kind, collection, options: JSON.stringify(wish.options()), folder: path, start: path !== null };
    return post("jobs", { form: form(fields), idempotencyKey: freshKey(), signal });
  }
}

function kindChoice(kinds, present, onchange) {
  const name = freshId();
  return h("div.kinds", { role: "radiogroup", "aria-label": t("jobs.what") }, kinds.map((kind) =>
    h("label.kind",
      h("input", { type: "radio", name, value: kind, checked: kind === present, onchange: () => onchange(kind) }),
      h("span", icon(KINDS[kind].icon), h("span", h("span.strong", t(`jobs.kind.${kind}`)), h("span.soft.small", t(`jobs.kind.${kind}.text`)))))));
}

/** @type {Record<string, (about: {system: any, signal: AbortSignal, folders: (by: boolean) => void}) => {element: any, value: () => Record<string, any>}>} */
const OPTIONS = {
  analyze({ system }) {
    const aspects = answerable(system.available);
    let chosen = new Set(aspects.filter((one) => !one.costly).map((one) => one.name));
    return {
      element: h("div.field", h("span.label", t("analyze.options")), pills({
        label: t("analyze.options"), options: aspects.map(({ name }) => ({ value: name, label: t(`aspect.${name}`) })), chosen, onchange: (now) => (chosen = now),
      })),
      value: () => ({ columns: columnsOf(chosen, system.available) }),
    };
  },

  identify() {
    const k = h("input.input", { type: "number", min: 1, max: MOST_CANDIDATES, value: 1, inputmode: "numeric" });
    const tags = tagsField({ label: t("jobs.tags"), help: t("jobs.tags.among") });
    return {
      element: h("div.stack", field({ label: t("jobs.candidates"), help: t("jobs.candidates.help"), control: k }), tags.element),
      value: () => ({ k: Number(k.value) || 1, tags: tags.tags() }),
    };
  },

  enroll({ folders }) {
    let by = "folders";
    let face = "only";
    const name = h("input.input", { maxlength: 200, autocomplete: "off", required: true });
    const whose = field({ label: t("jobs.person"), control: name });
    const tags = tagsField({ label: t("jobs.tags") });
    const note = h("input.input", { maxlength: 1000, autocomplete: "off" });
    const until = h("input.input", { type: "date" });
    const keep = h("input", { type: "checkbox", checked: true });
    const turn = (value) => {
      by = value;
      whose.hidden = by === "folders";
      folders(by === "folders");
    };
    turn(by);
    return {
      element: h("div.stack",
        h("div.field", h("span.label", t("jobs.who")), h("div", choice({ label: t("jobs.who"), options: ["folders", "one"].map((value) => ({ value, label: t(`jobs.who.${value}`) })), value: by, onchange: turn })), h("p.help", t("jobs.who.help"))),
        whose, tags.element,
        h("div.fields", field({ label: t("jobs.consent"), control: note }), field({ label: t("jobs.consent.until"), control: until })),
        h("div.field", h("span.label", t("jobs.face")), h("div", choice({ label: t("jobs.face"), options: ["only", "largest"].map((value) => ({ value, label: t(`compare.face.${value}`) })), value: face, onchange: (value) => (face = value) }))),
        h("label.check", keep, h("span", t("jobs.keep"), h("span.soft.small", " ", t("jobs.keep.help"))))),
      value: () => ({
        ...(by === "one" && { person: name.value.trim() }),
        tags: tags.tags(), face, keep_picture: keep.checked,
        ...(note.value.trim() && { consent_note: note.value.trim() }),
        ...(until.value && { consent_until: until.value }),
      }),
    };
  },

  cluster: () => ({ element: h("p.soft.small", t("jobs.album.help")), value: () => ({}) }),
};
