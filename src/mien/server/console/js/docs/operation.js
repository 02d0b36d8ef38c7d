// One thing that can be asked.

import { h } from "../dom.js";
import { t, tOr } from "../i18n.js";
import { tabbed } from "../tabs.js";
import { curlOf } from "./curl.js";
import { example } from "./introduction.js";
import { inline, said } from "./said.js";
import { fieldTable, typeOf } from "./schema.js";

/** @param {import("./main.js").Operation} operation @param {any} document_ */
export function operationCard({ id, method, path, told }, document_) {
  const body = h("div.body.stack");
  const card = h("details.entry", {
    id, "data-text": `${method} ${path} ${told.summary} ${told["x-scope"]}`.toLowerCase(),
    // Filled when it is opened: there are a hundred of them.
    ontoggle: () => card.open && !body.firstChild && body.append(...content({ method, path, told }, document_)),
  }, h("summary",
    h(`span.method.${method}`, method.toUpperCase()),
    h("code.address", path),
    h("span.grow.soft.says", told.summary),
    h("span.chip", scopeOf(told))), body);
  return card;
}

const scopeOf = (told) => tOr(`docs.scope.${told["x-scope"]}`, told["x-scope"]);

function content({ method, path, told }, document_) {
  return [
    said(told.description),
    told.parameters?.length > 0 && part(t("docs.parameters"), fieldTable(told.parameters.map(parameterField))),
    told.requestBody && part(t("docs.body"), bodies(told.requestBody, document_)),
    part(t("docs.answers"), answers(told.responses)),
    part(t("docs.example"), example(curlOf({ method, path, told, document_, origin: location.origin }))),
  ].filter(Boolean);
}

const part = (title, content_) => h("section.stack.tight", h("h3", title), content_);

const parameterField = ({ name, in: place, required, schema }) => ({ name, schema, required, note: t(`docs.in.${place}`) });

function bodies({ content: kinds }, document_) {
  const tabs = Object.entries(kinds).map(([kind, { schema }]) => ({ title: kind, panel: bodyOf(kind, schema, document_) }));
  return tabs.length === 1 ? h("div.stack.tight", h("p.small.soft", h("code", tabs[0].title)), tabs[0].panel) : tabbed({ label: t("docs.body"), tabs });
}

function bodyOf(kind, schema, document_) {
  if (!schema || !Object.keys(schema).length) return h("p.soft.small", t("docs.bytes"));
  const whole = resolved(schema, document_);
  if (!whole.properties) return h("p", typeOf(schema));
  const fields = Object.entries(whole.properties).map(([name, one]) => ({ name, schema: one, required: whole.required?.includes(name) ?? false }));
  return h("div.stack.tight", schema.$ref && h("p.small", typeOf(schema)), fieldTable(fields));
}

function answers(responses) {
  return h("ul.stack.tight", Object.entries(responses).map(([status, { description, content: kinds, headers }]) =>
    h("li.answer",
      h(`span.status${status.startsWith("2") ? ".good" : ""}`, status === "default" ? t("docs.error") : status),
      h("div.grow",
        Object.entries(kinds ?? {}).map(([kind, { schema }]) => h("p", schema && Object.keys(schema).length ? typeOf(schema) : null, " ", h("code.soft", kind))),
        h("p.soft.small", inline(description), headers && [" ", t("docs.headers"), " ", h("code", Object.keys(headers).join(", "))])))));
}

/** A schema itself, where there is a reference to it. @param {any} schema @param {any} document_ */
export const resolved = (schema, document_) => (schema.$ref ? document_.components.schemas[schema.$ref.split("/").at(-1)] : schema);
