// The public API, and nothing else. Every failure becomes an ApiError, also when no server answers.

import { readKey } from "./key.js";

/** What the server refused, or that it did not answer (status 0). `code` never changes between versions. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{code: string, message: string, hint?: string, details?: any}} told
   * @param {string} [requestId]
   * @param {number | null} [waitS] After how many seconds to ask again, if the server said so.
   */
  constructor(status, told, requestId = "", waitS = null) {
    super(told.message);
    this.status = status;
    this.code = told.code;
    this.hint = told.hint ?? "";
    this.details = told.details ?? null;
    this.requestId = requestId;
    this.waitS = waitS;
  }
}

/** Fires `unauthenticated` when a key is asked for, or refused. */
export const refusals = new EventTarget();

/**
 * @typedef {object} Asking
 * @property {Record<string, any>} [query] Null and undefined are left out; an array repeats.
 * @property {any} [json]
 * @property {FormData} [form]
 * @property {string} [ifMatch] Version of a person.
 * @property {string} [idempotencyKey] From freshKey(), the same for a repetition.
 * @property {AbortSignal} [signal]
 */

/** @param {string} path Below /v1, such as `people/x`. @param {Asking} [asking] @returns {Promise<any>} */
export const get = (path, asking) => answered("GET", path, asking).then(content);
/** @param {string} path @param {Asking} [asking] @returns {Promise<any>} */
export const post = (path, asking) => answered("POST", path, asking).then(content);
/** @param {string} path @param {Asking} [asking] @returns {Promise<any>} */
export const put = (path, asking) => answered("PUT", path, asking).then(content);
/** @param {string} path @param {Asking} [asking] @returns {Promise<any>} */
export const patch = (path, asking) => answered("PATCH", path, asking).then(content);
/** @param {string} path @param {Asking} [asking] @returns {Promise<any>} */
export const remove = (path, asking) => answered("DELETE", path, asking).then(content);

/** A picture: images of the API need the key, so they cannot be the source of an <img>. */
export const blob = (method, path, asking) => answered(method, path, asking).then((answer) => answer.blob());

/** One object and its version, which goes back as `ifMatch`. @returns {Promise<{item: any, version: string | null}>} */
export async function versioned(path, asking) {
  const answer = await answered("GET", path, asking);
  return { item: await answer.json(), version: answer.headers.get("etag") };
}

/**
 * The parts of a list, one by one, as far as the reader goes.
 * @param {string} path @param {Asking} [asking]
 * @returns {AsyncGenerator<any[]>}
 */
export async function* parts(path, asking = {}) {
  let cursor = null;
  do {
    const part = await get(path, { ...asking, query: { ...asking.query, cursor } });
    yield part.items;
    cursor = part.next;
  } while (cursor);
}

/**
 * Server-sent events. Through fetch, because EventSource cannot send a key.
 * @param {string} path @param {Asking} [asking]
 * @returns {AsyncGenerator<{event: string, data: any}>}
 */
export async function* events(path, asking) {
  const answer = await answered("GET", path, asking);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (waiting + value).split(/\r?\n\r?\n/);
      waiting = blocks.pop();
      for (const block of blocks) {
        const told = readEvent(block);
        if (told) yield told;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * Photographs and other fields as a form.
 * @param {Record<string, any>} fields A File, text or number; an array repeats; null is left out.
 */
export function form(fields) {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value].flat()) {
      if (one instanceof File) made.append(name, one, one.name);
      else if (one !== null && one !== undefined) made.append(name, String(one));
    }
  }
  return made;
}

/** An idempotency key. Not randomUUID, which insecure origins lack. */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Names in paths. @param {string} name */
export const segment = (name) => encodeURIComponent(name);

/** An address below a collection. @param {string} collection @param {string} [rest] */
export const within = (collection, rest = "") => `collections/${segment(collection)}${rest && `/${rest}`}`;

async function answered(method, path, asking = {}) {
  let answer;
  try {
    answer = await fetch(address(path, asking.query), {
      method,
      headers: headers(asking),
      body: asking.form ?? (asking.json === undefined ? undefined : JSON.stringify(asking.json)),
      signal: asking.signal,
      credentials: "omit",
      cache: "no-store",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { code: "server_unreachable", message: String(error.message) });
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

function headers(asking) {
  const key = readKey();
  return {
    accept: "application/json",
    ...(key && { authorization: `Bearer ${key}` }),
    ...(asking.json !== undefined && { "content-type": "application/json" }),
    ...(asking.ifMatch && { "if-match": asking.ifMatch }),
    ...(asking.idempotencyKey && { "idempotency-key": asking.idempotencyKey }),
  };
}

function address(path, query = {}) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined && one !== "") parameters.append(name, one);
  }
  return `/v1/${path}${parameters.size ? `?${parameters}` : ""}`;
}

function content(answer) {
  return answer.status === 204 ? null : answer.json();
}

async function refusal(answer) {
  const told = await answer.json().catch(() => null);
  const requestId = told?.request_id ?? answer.headers.get("x-request-id") ?? "";
  const body = told?.error ?? { code: "server_error", message: `HTTP ${answer.status}` };
  if (answer.status === 401) refusals.dispatchEvent(new Event("unauthenticated"));
  const wait = answer.headers.get("retry-after");
  return new ApiError(answer.status, body, requestId, wait === null ? null : Number(wait));
}

function readEvent(block) {
  const lines = block.split(/\r?\n/).map((line) => /^(\w+): ?(.*)$/.exec(line)).filter(Boolean);
  const data = lines.filter(([, name]) => name === "data").map(([, , text]) => text).join("\n");
  const event = lines.find(([, name]) => name === "event")?.[2] ?? "message";
  return data ? { event, data: JSON.parse(data) } : null;
}
