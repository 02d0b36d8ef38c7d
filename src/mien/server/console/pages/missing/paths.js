// Addresses of cases, in the API and in the console.

import { segment, within } from "../../js/api.js";
import { hashTo } from "../../js/router.js";

/** @param {string} collection @param {string} id @param {string} [rest] */
export const casePath = (collection, id, rest = "") => within(collection, `cases/${segment(id)}${rest && `/${rest}`}`);

/** @param {string} collection @param {string} id */
export const caseHash = (collection, id) => hashTo(`missing/${segment(id)}`, { collection });

/** @param {string} collection @param {string} id @param {string} name */
export const picturePath = (collection, id, name) => casePath(collection, id, `pictures/${segment(name)}`);
