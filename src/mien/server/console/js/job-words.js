// Jobs in words: what they are called, how far they are, what came of a photograph.

import { segment } from "./api.js";
import { h } from "./dom.js";
import { summary } from "./face-card.js";
import { chip, meters } from "./figures.js";
import { number, t, tOr } from "./i18n.js";
import { hashTo } from "./router.js";

/** @typedef {{id: string, kind: string, collection: string | null, state: string, owner: string, done: number, failed: number, total: number, created: string, started: string | null, finished: string | null, error: any, summary: Record<string, number> | null}} Job JobRow of the API. */

/** Each kind: the scope it needs, and whether it is about a collection. */
export const KINDS = Object.freeze({
  analyze: { scope: "detect", collection: false, icon: "analyze" },
  identify: { scope: "search", collection: true, icon: "identify" },
  enroll: { scope: "enroll", collection: true, icon: "people" },
  cluster: { scope: "enroll", collection: true, icon: "clusters" },
});

/** @type {Record<string, "accent" | "good" | "warn" | "bad" | undefined>} */
const STATES = { queued: "accent", running: "accent", waiting: "warn", done: "good", failed: "bad", cancelled: undefined };
const OPEN = new Set(["waiting", "queued", "running"]);
const MOST_FACES = 3;

/** Whether it has not ended. @param {Job} job */
export const isOpen = (job) => OPEN.has(job.state);

/** Address in the console. @param {Job} job */
export const jobHash = (job) => hashTo(`jobs/${segment(job.id)}`);

/** @param {Job} job */
export const jobTitle = (job) => t(job.collection === null ? "jobs.name" : "jobs.name.in", { kind: tOr(`jobs.kind.${job.kind}`, job.kind), collection: job.collection });

/** @param {Job} job */
export const stateChip = (job) => chip(t(`jobs.state.${job.state}`), STATES[job.state]);

/** @param {Job} job */
export function progress(job) {
  const share = job.total ? job.done / job.total : 0;
  const kind = job.state === "failed" ? "bad" : job.state === "done" ? "good" : undefined;
  return meters([{ name: t("jobs.progress"), share, value: t("jobs.of", { done: number(job.done), total: number(job.total) }), kind }]);
}

/** What came of all photographs so far, in numbers. @param {Job} job @returns {[any, any][]} */
export const sums = (job) => Object.entries(job.summary ?? {}).map(([name, count]) => [tOr(`jobs.sum.${name}`, name), number(count)]);

/** What came of one photograph. @param {string} kind @param {any} row Of the results. */
export function outcome(kind, row) {
  const error = row.error ?? row.failures?.[0]?.error;
  if (error) return [chip(tOr(`error.${error.code}`, error.code), "bad"), h("small", error.message)];
  return OUTCOMES[kind]?.(row) ?? null;
}

/** @type {Record<string, (row: any) => any>} */
const OUTCOMES = {
  analyze: ({ faces }) => [
    t("analyze.found", { n: faces.length }),
    faces.slice(0, MOST_FACES).map((face) => [summary(face)]).filter(([says]) => says).map((says) => h("small", says)),
  ],
  identify: ({ people }) => (people.length ? h("span.row", people.map(one)) : h("span.soft", t("analyze.found", { n: 0 }))),
  enroll: ({ person, faces, repeated, resembles }) => [
    h("span.row", h("span.strong", person), faces.length > 0 ? t("jobs.kept", { n: faces.length }) : repeated > 0 && h("span.soft", t("jobs.repeated"))),
    resembles.length > 0 && h("small", t("jobs.resembles", { name: resembles[0].person })),
  ],
  cluster: ({ faces, repeated, refused }) => [
    repeated ? h("span.soft", t("jobs.repeated")) : t("jobs.kept", { n: faces }),
    refused > 0 && h("small", t("jobs.refused", { n: refused })),
  ],
};

function one({ person, decision, candidates }) {
  if (decision === "known") return h("span.strong", person);
  if (decision === "uncertain") return h("span", t("live.perhaps", { name: candidates[0].person }));
  return h("span.soft", t("decision.unknown"));
}
