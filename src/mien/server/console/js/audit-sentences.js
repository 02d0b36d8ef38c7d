// Entries of the audit log as sentences.

import { get } from "./api.js";
import { number, t, tOr } from "./i18n.js";

/** How many: details hold identifiers or counts. @param {any} value */
const many = (value) => (Array.isArray(value) ? value.length : typeof value === "object" && value !== null ? Object.keys(value).length : Number(value ?? 0));
const counted = (what) => (value) => t(`audit.count.${what}`, { n: many(value), count: number(many(value)) });
const people = counted("people");
const faces = counted("faces");
const probes = counted("probes");

/** @type {Record<string, (detail: any) => Record<string, any>>} What the sentence of an action names. */
const NAMES = {
  enrolled: (one) => ({ people: people(one.people), faces: faces(one.faces) }),
  searched: (one) => ({ probes: probes(one.probes) }),
  compared: (one) => ({ probes: probes(one.probes) }),
  merged: (one) => ({ people: people(one.people) }),
  moved: (one) => ({ faces: faces(one.faces) }),
  dropped: (one) => ({ faces: faces(one.faces) }),
  forgot: (one) => ({ people: people(one.people), faces: faces(one.faces) }),
  swept: (one) => ({ people: people(one.people), faces: faces(one.faces) }),
  grouped: (one) => ({ faces: faces(one.faces), people: people(one.people) }),
  "made job": (one) => ({ kind: tOr(`jobs.kind.${one.kind}`, one.kind) }),
};

/** @type {Record<string, (detail: any) => string>} Actions of which there are several sorts. */
const SORTS = {
  saw: (one) => (one.picture ? "picture" : one.job ? "results" : one.faces ? "faces" : one.face ? "face" : "person"),
  listed: (one) => ("people" in one ? "people" : "faces"),
  "saw case": (one) => (one.picture ? "picture" : "case"),
};

/** What was done. @param {{action: string, detail: any}} entry */
export function sentence({ action, detail }) {
  const sorted = action in SORTS ? `${action}.${SORTS[action](detail)}` : action;
  return tOr(`audit.did.${sorted}`, action, NAMES[action]?.(detail));
}

/**
 * Who did it.
 * @param {string} actor
 * @param {Map<string, string>} keys Names of keys by identifier.
 */
export function who(actor, keys) {
  if (actor === "local") return t("audit.local");
  const id = actor.startsWith("key:") ? actor.slice("key:".length) : null;
  if (id === null) return t("audit.user", { name: actor });
  return keys.get(id) ?? t("audit.key", { id });
}

/** Names of keys by identifier. @param {AbortSignal} signal @returns {Promise<Map<string, string>>} */
export async function keyNames(signal) {
  const { items } = await get("keys", { query: { limit: 1000 }, signal });
  return new Map(items.map((key) => [key.id, key.name]));
}
