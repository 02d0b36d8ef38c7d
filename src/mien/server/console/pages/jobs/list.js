// All jobs, the newest first; while some are open, their progress.

import { get } from "../../js/api.js";
import { keyNames, who } from "../../js/audit-sentences.js";
import { fill, h } from "../../js/dom.js";
import { moment, t } from "../../js/i18n.js";
import { icon } from "../../js/icons.js";
import { isOpen, jobHash, jobTitle, progress, stateChip } from "../../js/job-words.js";
import { empty, skeleton } from "../../js/notices.js";
import { hashTo, pageHead } from "../../js/router.js";
import { allowed } from "../../js/session.js";
import { table } from "../../js/tables.js";

const PORTION = 50;
const EVERY_MS = 2000;

export async function listJobs(root, { signal }) {
  const view = h("div.stack", skeleton(6, "2rem"));
  root.append(pageHead({ title: t("jobs.title"), lede: t("jobs.lede"), actions: [h("a.button.primary", { href: hashTo("jobs/new") }, icon("plus"), t("jobs.new"))] }), view);
  const keys = allowed(["admin"]) ? await keyNames(signal) : new Map();
  /** How many are shown; more are asked for at the end of the list. */
  let wanted = PORTION;
  let jobs = await ask();
  show();

  // Each open job has a stream of its own, but a browser holds few connections; so the list asks anew.
  const timer = setInterval(async () => {
    if (document.hidden || !jobs.items.some(isOpen)) return;
    try {
      jobs = await ask();
      show();
    } catch {
      // The list stays as it was; the next answer brings it up to date.
    }
  }, EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));

  function ask() {
    return get("jobs", { query: { limit: wanted }, signal });
  }

  async function more() {
    wanted += PORTION;
    jobs = await ask();
    show();
  }

  function show() {
    const focused = view.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
    const shown = jobs.items.length > 0 ? h("section.card.flush", jobTable(jobs.items, keys)) : empty({ icon: "jobs", title: t("jobs.none"), text: t("jobs.none.text") });
    fill(view, shown, jobs.next && h("div", h("button.button", { type: "button", onclick: more }, t("jobs.more"))));
    if (focused) /** @type {HTMLElement | null} */ (view.querySelector(`a[href="${CSS.escape(focused)}"]`))?.focus();
  }
}

function jobTable(jobs, keys) {
  const all = allowed(["admin"]);
  return table({
    label: t("jobs.title"),
    columns: [{ title: t("jobs.job") }, { title: t("jobs.state") }, { title: t("jobs.progress") }, { title: t("jobs.made") }, ...(all ? [{ title: t("jobs.owner") }] : [])],
    rows: jobs.map((job) => [
      h("a", { href: jobHash(job) }, jobTitle(job)),
      [stateChip(job), job.failed > 0 && h("small", t("jobs.failed", { n: job.failed }))],
      h("div.bare-meter", progress(job)),
      moment(job.created),
      ...(all ? [who(job.owner, keys)] : []),
    ]),
  });
}
