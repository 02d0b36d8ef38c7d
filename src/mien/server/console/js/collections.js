// Choosing a collection of people.

import { get } from "./api.js";
import { h } from "./dom.js";
import { field } from "./fields.js";
import { t } from "./i18n.js";
import { recall, remember } from "./storage.js";

/** @typedef {{name: string, people: number, faces: number, unsearchable: number, embedder: string, space: string}} Collection CollectionOverview of the API. */

/** Those that the caller may see. @param {AbortSignal} signal @returns {Promise<Collection[]>} */
export const listCollections = async (signal) => (await get("collections", { query: { limit: 1000 }, signal })).items;

/** The one that was used last, if it is still there, else the largest. @param {Collection[]} collections */
export function usualCollection(collections) {
  const last = recall("collection");
  const known = collections.find((one) => one.name === last);
  return (known ?? [...collections].sort((a, b) => b.people - a.people)[0])?.name ?? null;
}

/**
 * @param {{collections: Collection[], value: string | null, onchange: (name: string) => void, label?: any, help?: any}} about
 */
export function collectionField({ collections, value, onchange, label = t("collection"), help }) {
  const chosen = (event) => {
    remember("collection", event.target.value);
    onchange(event.target.value);
  };
  const control = h("select.input", { onchange: chosen }, collections.map(({ name, people }) =>
    h("option", { value: name, selected: name === value }, t("collection.people", { name, n: people }))));
  return field({ label, help, control });
}
