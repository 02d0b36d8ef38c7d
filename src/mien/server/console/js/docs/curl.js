// A request as a line for a shell.

import { resolved } from "./operation.js";

/** What stands for values of a name. */
const SAMPLES = { collection: "staff", person: "Ada", subject: "Ada", name: "Ada", kind: "analyze", scopes: ["detect"] };
const FOR_ADDRESS = new Set(["collection", "person", "subject"]);
const PHOTOS = "multipart/form-data";
const JSON_ = "application/json";
const DEPTH = 4; // Schemas may hold themselves.

/**
 * @param {{method: string, path: string, told: any, document_: any, origin: string}} about
 * @returns {string}
 */
export function curlOf({ method, path, told, document_, origin }) {
  const kinds = told.requestBody?.content ?? {};
  const address = path.replace(/\{(\w+)\}/g, (_, name) => (FOR_ADDRESS.has(name) ? SAMPLES[name] : `$${name.toUpperCase()}`));
  const needed = (told.parameters ?? []).filter((one) => one.in === "query" && one.required).map((one) => `${one.name}=${one.schema.enum?.[0] ?? "…"}`);
  const sent = kinds[PHOTOS] ? formOf(resolved(kinds[PHOTOS].schema, document_)) : kinds[JSON_] ? jsonOf(kinds[JSON_].schema, document_) : [];
  const lines = [
    `curl ${method === "get" || (method === "post" && sent.length) ? "" : `-X ${method.toUpperCase()} `}"${origin}${address}${needed.length ? `?${needed.join("&")}` : ""}"`,
    ...(told.security?.length ? ['-H "Authorization: Bearer $MIEN_KEY"'] : []),
    ...sent,
    ...outputOf(told),
  ];
  return lines.join(" \\\n  ");
}

function formOf({ properties, required = [] }) {
  return Object.entries(properties)
    .filter(([name, schema]) => required.includes(name) || isFile(schema))
    .map(([name, schema]) => `-F ${isFile(schema) ? `${name}=@${name}.jpg` : quoted(`${name}=${SAMPLES[name] ?? plain(schema)}`)}`);
}

const isFile = (schema) => (schema.items ?? schema).format === "binary";
const plain = (schema) => schema.enum?.[0] ?? (schema.type === "integer" ? schema.minimum ?? 1 : "…");

function jsonOf(schema, document_) {
  return ['-H "Content-Type: application/json"', `-d ${quoted(JSON.stringify(exampleOf(schema, document_, DEPTH)))}`];
}

/** A value that fits: what is required, and of a body in which nothing is, its first field. */
function exampleOf(schema, document_, depth) {
  const whole = resolved(schema, document_);
  if (whole.default !== undefined && whole.default !== null && whole.default !== "") return whole.default;
  if (whole.anyOf) return exampleOf(whole.anyOf.find((one) => one.type !== "null"), document_, depth);
  if (whole.enum) return whole.enum[0];
  if (whole.prefixItems) return whole.prefixItems.map((one) => exampleOf(one, document_, depth - 1));
  if (whole.type === "array") return depth > 0 && whole.items ? [exampleOf(whole.items, document_, depth - 1)] : [];
  if (whole.type === "object") return depth > 0 ? objectOf(whole, document_, depth) : {};
  return { string: "…", integer: whole.minimum ?? 1, number: whole.minimum ?? 0.5, boolean: true }[whole.type] ?? null;
}

function objectOf({ properties = {}, required = [] }, document_, depth) {
  const names = required.length ? required : Object.keys(properties).slice(0, 1);
  return Object.fromEntries(names.map((name) => [name, SAMPLES[name] ?? exampleOf(properties[name], document_, depth - 1)]));
}

/** Files go into a file. */
function outputOf(told) {
  const kind = Object.keys(told.responses["200"]?.content ?? {})[0] ?? "";
  if (kind.startsWith("image/")) return [`-o picture.${kind.endsWith("png") ? "png" : "jpg"}`];
  return kind === "text/event-stream" ? ["--no-buffer"] : [];
}

/** For a POSIX shell. @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
