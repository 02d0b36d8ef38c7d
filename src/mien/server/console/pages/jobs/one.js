// One job: how far it is as it goes on, and what came of each photograph.

import { ApiError, events, get, parts, post, remove, segment } from "../../js/api.js";
import { confirmed } from "../../js/dialog.js";
import { fill, h } from "../../js/dom.js";
import { choice } from "../../js/fields.js";
import { facts } from "../../js/figures.js";
import { download, pretty } from "../../js/files.js";
import { duration, moment, number, t } from "../../js/i18n.js";
import { icon } from "../../js/icons.js";
import { isOpen, jobTitle, outcome, progress, stateChip, sums } from "../../js/job-words.js";
import { empty, errorNotice, skeleton } from "../../js/notices.js";
import { hashTo, pageHead } from "../../js/router.js";
import { table } from "../../js/tables.js";
import { toast } from "../../js/toast.js";
import { addPhotographs } from "./sending.js";

const PORTION = 100;
const AGAIN_MS = 2000;
const UNUSED = 422; // The error of a job is told like that of a request.

export async function showJob(root, id, { signal }) {
  const path = `jobs/${segment(id)}`;
  const buttons = h("div.row");
  const title = h("span", t("jobs.title"));
  const about = h("div.stack", skeleton(5));
  const rest = h("div.stack.loose");
  const told = h("p.quiet-reader", { role: "status" });
  root.append(h("a.row.small.back", { href: hashTo("jobs") }, icon("back"), t("jobs.all")), pageHead({ title, actions: [buttons] }), about, rest, told);
  let job = await get(path, { signal });
  let results = null;
  fill(title, jobTitle(job));
  show();
  follow();

  function show() {
    fill(about, overview(job));
    const says = String(t(`jobs.state.${job.state}`));
    if (told.textContent !== says) told.textContent = says;
    fill(buttons,
      isOpen(job) && job.state !== "waiting" && h("button.button", { type: "button", onclick: cancel }, t("jobs.cancel")),
      job.done > 0 && h("button.button", { type: "button", onclick: save }, icon("download"), t("jobs.download")),
      h("button.button.danger", { type: "button", onclick: forget }, icon("trash"), t("jobs.delete")));
    if (job.state === "waiting") return waiting();
    if (job.done > 0 && results === null) {
      results = resultList(path, job.kind, signal);
      fill(rest, results.element);
    }
    results?.grown();
  }

  function waiting() {
    if (!rest.firstChild) fill(rest, addPhotographs({ job, signal, started }));
  }

  function started(row) {
    job = row;
    fill(rest);
    show();
    follow();
  }

  /** Until it ends, while somebody looks. */
  async function follow() {
    while (isOpen(job) && job.state !== "waiting" && !signal.aborted) {
      if (document.hidden) await seen(signal);
      const leaving = new AbortController();
      const hide = () => document.hidden && leaving.abort();
      document.addEventListener("visibilitychange", hide, { signal: AbortSignal.any([signal, leaving.signal]) });
      try {
        for await (const { data } of events(`${path}/events`, { signal: AbortSignal.any([signal, leaving.signal]) })) {
          job = data;
          show();
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!leaving.signal.aborted && error.status >= 400 && error.status < 500) return fill(rest, errorNotice(error));
      } finally {
        leaving.abort();
      }
      // A stream may end before the job does: the server stops, or something between has had enough.
      if (isOpen(job)) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  async function cancel() {
    const done = await confirmed({
      title: t("jobs.cancel.title"), text: t("jobs.cancel.text"), action: t("jobs.cancel"), signal,
      act: async () => (job = await post(`${path}/cancel`, { signal })),
    });
    if (done) show();
  }

  async function forget() {
    const text = t(isOpen(job) ? "jobs.delete.open" : "jobs.delete.text");
    if (!(await confirmed({ title: t("jobs.delete.title"), text, action: t("jobs.delete"), act: () => remove(path, { signal }), signal }))) return;
    toast(t("jobs.deleted"));
    location.hash = hashTo("jobs");
  }

  async function save(event) {
    const button = event.currentTarget;
    button.setAttribute("aria-busy", "true");
    try {
      const rows = [];
      for await (const some of parts(`${path}/results`, { query: { limit: 1000 }, signal })) rows.push(...some);
      download(new Blob([pretty({ job, results: rows })], { type: "application/json" }), `${job.kind}-${job.id}.json`);
    } catch (error) {
      if (!signal.aborted) rest.prepend(errorNotice(error));
    } finally {
      button.removeAttribute("aria-busy");
    }
  }
}

const seen = (signal) => new Promise((resolve) => {
  document.addEventListener("visibilitychange", resolve, { once: true, signal });
  signal.addEventListener("abort", resolve, { once: true });
});

function overview(job) {
  const seconds = job.started ? (Date.parse(job.finished ?? new Date().toISOString()) - Date.parse(job.started)) / 1000 : 0;
  const rate = seconds > 0 ? job.done / seconds : 0;
  const left = job.state === "running" && rate > 0 ? (job.total - job.done) / rate : null;
  return h("section.card.stack",
    h("div.row", stateChip(job), h("span.soft.small", t(`jobs.state.${job.state}.text`))),
    job.state !== "waiting" && progress(job),
    job.error && errorNotice(new ApiError(UNUSED, job.error)),
    facts(/** @type {[any, any][]} */ ([
      [t("jobs.photographs"), number(job.total)],
      ...(job.failed > 0 ? [[t("jobs.failures"), number(job.failed)]] : []),
      ...sums(job),
      [t("jobs.made"), moment(job.created)],
      ...(job.started ? [[t("jobs.duration"), duration(Math.max(seconds, 1))]] : []),
      ...(rate > 0 ? [[t("jobs.rate"), number(rate, 1)]] : []),
      ...(left !== null ? [[t("jobs.left"), duration(Math.max(left, 1))]] : []),
    ])));
}

/** What came of each photograph, as far as somebody reads. */
function resultList(path, kind, signal) {
  const body = h("div.stack", skeleton(4));
  let rows = [];
  let only = "all";
  let asking = false;
  let stale = false;
  /** @type {AsyncGenerator<any[]> | null} While there is more. */
  let reading = null;
  const options = ["all", "failures"].map((value) => ({ value, label: t(`jobs.only.${value}`) }));
  const element = h("section.stack",
    h("div.row.apart", h("h2", t("jobs.results")), choice({ label: t("jobs.only"), options, value: only, onchange: turn })), body);

  function turn(value) {
    only = value;
    rows = [];
    grown();
  }

  /** There may be more results than before; as long as they fit into one part, they are all read anew. */
  async function grown() {
    if (rows.length >= PORTION) return;
    stale = true;
    if (asking) return;
    while (stale) {
      stale = false;
      rows = [];
      reading = parts(`${path}/results`, { query: { limit: PORTION }, signal });
      await more();
    }
  }

  async function more() {
    asking = true;
    try {
      // Failures are few: parts without any are passed over.
      const enough = rows.length + PORTION;
      do {
        const { value, done } = await reading.next();
        rows = [...rows, ...(value ?? []).filter((row) => only === "all" || hasFailed(row))];
        if (done || value.length < PORTION) reading = null;
      } while (reading && only === "failures" && rows.length < enough);
      show();
    } catch (error) {
      if (!signal.aborted) fill(body, errorNotice(error, { again: grown }));
    } finally {
      asking = false;
    }
  }

  function show() {
    if (!rows.length) return fill(body, empty({ icon: only === "all" ? "jobs" : "check", title: t(`jobs.only.${only}.none`) }));
    fill(body,
      h("div.card.flush", table({
        label: t("jobs.results"),
        columns: [{ title: t("jobs.photograph") }, { title: t("jobs.outcome") }],
        rows: rows.map((row) => [h("span.path", row.source), outcome(kind, row)]),
      })),
      reading && h("div", h("button.button", { type: "button", onclick: more }, t("jobs.more"))));
  }
  return { element, grown };
}

const hasFailed = (row) => Boolean(row.error ?? row.failures?.length);
