// What values look like.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { table } from "../tables.js";
import { inline, said } from "./said.js";

/** @typedef {{name: string, schema: any, required: boolean, note?: any}} Field */

/** @type {[string, string][]} What bounds a value, and how it is written. */
const BOUNDS = [["minimum", "≥ "], ["exclusiveMinimum", "> "], ["maximum", "≤ "], ["exclusiveMaximum", "< "], ["minLength", "length ≥ "], ["maxLength", "length ≤ "], ["minItems", "items ≥ "], ["maxItems", "items ≤ "]];

/** @param {string} name @param {any} schema */
export function schemaCard(name, schema) {
  const body = h("div.body.stack");
  const fill_ = () => {
    const fields = Object.entries(schema.properties ?? {}).map(([field, one]) => ({ name: field, schema: one, required: schema.required?.includes(field) ?? false }));
    body.append(...[said(schema.description), fields.length > 0 ? fieldTable(fields) : h("p", typeOf(schema))].filter(Boolean));
  };
  const card = h("details.entry", { id: `schema-${name}`, "data-text": name.toLowerCase(), ontoggle: () => card.open && !body.firstChild && fill_() },
    h("summary", h("code.address", name), h("span.grow.soft.says", firstLine(schema.description))), body);
  return card;
}

const firstLine = (text) => (text ? inline(text.trim().split("\n")[0]) : null);

/** @param {Field[]} fields */
export function fieldTable(fields) {
  return h("div.card.flush", table({
    label: t("docs.fields"),
    columns: [{ title: t("docs.name") }, { title: t("docs.type") }, { title: t("docs.meaning") }],
    rows: fields.map(({ name, schema, required, note }) => [
      [h("code", name), required && h("span.must", { title: t("docs.required") }, " *", h("span.quiet-reader", t("docs.required")))],
      typeOf(schema),
      [schema.description && h("span", inline(schema.description)), h("small", ...notes(schema, note))],
    ]),
  }));
}

function notes(schema, note) {
  const bounds = BOUNDS.filter(([name]) => schema[name] !== undefined).map(([name, sign]) => `${sign}${schema[name]}`);
  const byDefault = schema.default !== undefined && schema.default !== null && schema.default !== "" ? [t("docs.default"), " ", h("code", JSON.stringify(schema.default))] : null;
  return [note, bounds.join(", "), schema.pattern && h("code", schema.pattern), byDefault].filter(Boolean).flatMap((one, i) => (i ? [" · ", one] : [one]));
}

/** A type in few words, with links to what it is made of. @param {any} schema */
export function typeOf(schema) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return h("a", { href: `#schema-${name}` }, h("code", name));
  }
  if (schema.anyOf) return h("span", schema.anyOf.flatMap((one, i) => (i ? [" | ", typeOf(one)] : [typeOf(one)])));
  if (schema.enum) return h("span", schema.enum.flatMap((one, i) => [i ? " | " : null, h("code", JSON.stringify(one))]));
  if (schema.prefixItems) return h("span", "[", schema.prefixItems.flatMap((one, i) => [i ? ", " : null, typeOf(one)]), "]");
  if (schema.type === "array") return h("span", typeOf(schema.items ?? {}), "[]");
  if (schema.type === "object" && schema.additionalProperties) return h("span", "{…: ", typeOf(schema.additionalProperties), "}");
  return h("code", schema.format === "binary" || schema.contentEncoding === "base64" ? t(`docs.file.${schema.format ?? "base64"}`) : [schema.type ?? t("docs.anything"), schema.format && ` (${schema.format})`]);
}
