// Photographs for a job: which ones, and how far they have got.

import { get, post, segment } from "../../js/api.js";
import { fill, h } from "../../js/dom.js";
import { chip, meters } from "../../js/figures.js";
import { folderOf, inOrder, pathOf } from "../../js/folders.js";
import { number, size, t } from "../../js/i18n.js";
import { icon } from "../../js/icons.js";
import { errorNotice, notice } from "../../js/notices.js";
import { photoInput } from "../../js/photo-input.js";
import { uploadTo } from "../../js/uploading.js";

const MOST_NAMES = 12;

/**
 * Ask for many photographs, in folders too.
 * @param {{signal: AbortSignal, people: () => boolean, changed: () => void}} about `people`: whether folders name people.
 * @returns {{element: HTMLElement, files: () => File[], show: () => void}}
 */
export function manyPhotographs({ signal, people, changed }) {
  let files = [];
  const element = h("div.stack");
  show();

  function take(more) {
    const known = new Map([...files, ...more].map((file) => [pathOf(file), file]));
    files = inOrder([...known.values()]);
    show();
    changed();
  }

  function clear() {
    files = [];
    show();
    changed();
    element.querySelector("button")?.focus();
  }

  function show() {
    fill(element,
      photoInput({ take, signal, several: true, folders: true, slim: files.length > 0, title: t("jobs.drop"), hint: t("jobs.drop.hint") }),
      files.length > 0 && h("div.card.stack",
        h("div.row.apart",
          h("p", { role: "status" }, h("span.strong", t("jobs.chosen", { n: files.length, count: number(files.length) })), " ", h("span.soft", size(files.reduce((sum, file) => sum + file.size, 0)))),
          h("button.button.plain.small", { type: "button", onclick: clear }, icon("close"), t("remove"))),
        people() ? peopleIn(files) : names(files.map(pathOf))));
  }
  return { element, files: () => files, show };
}

function names(all) {
  return h("ul.names.small.soft", all.slice(0, MOST_NAMES).map((name) => h("li.clip", name)), all.length > MOST_NAMES && h("li", t("jobs.and-more", { n: all.length - MOST_NAMES })));
}

/** Who will be enrolled, by the folders. */
function peopleIn(files) {
  const counts = new Map();
  for (const file of files) counts.set(folderOf(file), (counts.get(folderOf(file)) ?? 0) + 1);
  const loose = counts.get("") ?? 0;
  counts.delete("");
  return [
    counts.size > 0 && h("div.stack.tight",
      h("p.small.soft", t("jobs.people", { n: counts.size })),
      h("div.row.chips", [...counts].slice(0, 4 * MOST_NAMES).map(([name, count]) => chip([name, " ", h("span.soft", number(count))])), counts.size > 4 * MOST_NAMES && chip(t("jobs.and-more", { n: counts.size - 4 * MOST_NAMES })))),
    loose > 0 && notice({ kind: "warn", title: t("jobs.loose", { n: loose }), text: t("jobs.loose.text") }),
  ];
}

/**
 * Send photographs to a job, show how far it is, and start it.
 * @param {{job: any, files: File[], signal: AbortSignal, started: (job: any) => void}} about
 * @returns {HTMLElement}
 */
export function sending({ job, files, signal, started }) {
  const bar = h("div", { role: "status" });
  const said = h("div");
  const element = h("section.card.stack", h("h2", t("jobs.sending")), bar, said, h("p.soft.small", t("jobs.sending.text")));
  // Whoever leaves the console in the middle is asked whether they mean it.
  const leaving = new AbortController();
  window.addEventListener("beforeunload", (event) => event.preventDefault(), { signal: AbortSignal.any([signal, leaving.signal]) });
  let upload = null;
  goOn();

  async function goOn() {
    fill(said);
    try {
      upload ??= uploadTo({ job: job.id, files, limits: (await get("system", { signal })).limits, told: show, signal });
      show();
      await upload.goOn();
      const row = await post(`jobs/${segment(job.id)}/start`, { signal });
      leaving.abort();
      started(row);
    } catch (error) {
      if (!signal.aborted) fill(said, errorNotice(error, { again: goOn }));
    }
  }

  function show() {
    const { files: sent, ofFiles, bytes, ofBytes } = upload.sent();
    fill(bar,
      meters([{ name: t("jobs.sent"), share: ofBytes ? bytes / ofBytes : 1, value: t("jobs.of", { done: number(sent), total: number(ofFiles) }) }]),
      h("p.soft.small", t("jobs.sent.bytes", { done: size(bytes), total: size(ofBytes) })));
  }
  return element;
}

/**
 * A job that waits for its photographs: more of them, and the start.
 * @param {{job: any, signal: AbortSignal, started: (job: any) => void}} about
 */
export function addPhotographs({ job, signal, started }) {
  const skip = h("input", { type: "checkbox", checked: true });
  const said = h("div");
  const send = h("button.button.primary", { type: "button", hidden: true, onclick: press }, t("jobs.send"));
  const start = h("button.button", { type: "button", disabled: job.total === 0, onclick: begin }, t("jobs.start", { n: job.total, count: number(job.total) }));
  const same = h("label.check", { hidden: true }, skip, h("span", t("jobs.same", { n: job.total, count: number(job.total) })));
  const many = manyPhotographs({ signal, people: () => false, changed });
  const element = h("section.stack", h("h2", t("jobs.add")), h("p.soft", t("jobs.add.text")), many.element, same, said, h("div.row", send, start));

  function changed() {
    send.hidden = many.files().length === 0;
    same.hidden = send.hidden || job.total === 0;
  }

  function press() {
    const files = many.files().slice(skip.checked ? job.total : 0);
    fill(element, sending({ job, files, signal, started }));
  }

  async function begin() {
    try {
      started(await post(`jobs/${segment(job.id)}/start`, { signal }));
    } catch (error) {
      if (!signal.aborted) fill(said, errorNotice(error));
    }
  }
  return element;
}
