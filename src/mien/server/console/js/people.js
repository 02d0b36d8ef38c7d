// People as the API tells of them, in words.

import { h } from "./dom.js";
import { chip } from "./figures.js";
import { day, t } from "./i18n.js";
import { segment, within } from "./api.js";
import { hashTo } from "./router.js";

const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** @param {{name: string | null}} person */
export const nameOf = (person) => person.name ?? t("person.unnamed");

/** Address of somebody in the API. @param {string} collection @param {string} id @param {string} [rest] */
export const personPath = (collection, id, rest = "") => within(collection, `people/${segment(id)}${rest && `/${rest}`}`);

/** Address of somebody in the console. @param {string} collection @param {string} id */
export const personHash = (collection, id) => hashTo(`people/${segment(id)}`, { collection });

/** What a photograph was called when it was sent. @param {string} source */
export const photoName = (source) => source.replace(/^upload:/, "").replace(/^.*[/\\]/, "");

/** A chip that says until when somebody consents, once that is near or over. @param {string | null} until Day, ISO 8601. */
export function consentChip(until) {
  if (!until) return null;
  const left = daysLeft(until);
  if (left < 0) return chip(t("consent.lapsed"), "bad");
  return left <= SOON_DAYS && chip(t("consent.soon", { day: day(until) }), "warn");
}

/** @param {string} until */
export const daysLeft = (until) => Math.floor((Date.parse(until) - Date.now()) / DAY_MS) + 1;

/** @param {readonly string[]} tags */
export const tagChips = (tags) => tags.map((tag) => h("span.chip", tag));
