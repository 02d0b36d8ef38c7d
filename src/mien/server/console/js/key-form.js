// What a key may do, where, how often and until when.

import { h } from "./dom.js";
import { choice, field, freshId } from "./fields.js";
import { t } from "./i18n.js";
import { tagsField } from "./tags.js";

const SCOPES = ["detect", "verify", "search", "enroll", "admin"];

/**
 * @param {object} about
 * @param {{name: string}[]} about.collections
 * @param {any} [about.key] That is to be changed.
 * @param {boolean} [about.first] Whether it is the first key, which has to be an administrator's.
 * @returns {{element: HTMLElement, value: () => Record<string, any>}} `value`: as the API takes it.
 */
export function keyForm({ collections, key, first = false }) {
  const name = h("input.input", { required: true, maxlength: 100, value: key?.name ?? null, autofocus: true, autocomplete: "off", placeholder: t("keys.name.example") });
  const scopes = SCOPES.map((scope) => scopeBox(scope, first ? scope === "admin" : key?.scopes.includes(scope), first && scope === "admin"));
  const where = whichCollections(collections, key?.collections ?? null);
  const rate = h("input.input", { type: "number", min: 1, max: 1_000_000, step: 1, inputmode: "numeric", value: key?.rate_per_minute ?? null, placeholder: t("keys.unlimited") });
  const last = key?.expires ? lastDay(key.expires) : "";
  const until = h("input.input", { type: "date", value: last });

  return {
    element: h("div.stack",
      field({ label: t("keys.name"), help: t("keys.name.help"), control: name }),
      h("fieldset.stack.tight", h("legend", t("keys.scopes")), scopes.map((one) => one.element)),
      where.element,
      h("div.fields",
        field({ label: t("keys.rate"), help: t("keys.rate.help"), control: rate }),
        field({ label: t("keys.until"), help: t("keys.until.help"), control: until }))),
    value: () => ({
      name: name.value.trim(),
      scopes: scopes.filter((one) => one.box.checked).map((one) => one.scope),
      collections: where.value(),
      rate_per_minute: rate.value ? Number(rate.value) : null,
      // An end that was not touched may be a moment of a day; it stays as it is.
      ...(until.value !== last || !key ? { expires: until.value || null } : {}),
    }),
  };
}

function scopeBox(scope, checked, fixed) {
  const box = h("input", { type: "checkbox", checked, disabled: fixed });
  return { scope, box, element: h("label.check", box, h("span", h("span.strong", t(`scope.${scope}`)), h("span.soft.small", " ", t(`scope.${scope}.text`)))) };
}

/** All collections, or some, which need not be there yet. */
function whichCollections(collections, chosen) {
  let all = chosen === null;
  const some = tagsField({ label: t("keys.collections.some"), tags: chosen ?? [], known: collections.map((one) => one.name), placeholder: t("keys.collections.placeholder"), bare: true });
  some.element.hidden = all;
  const options = [{ value: "all", label: t("keys.all") }, { value: "some", label: t("keys.collections.some") }];
  const turn = (value) => {
    all = value === "all";
    some.element.hidden = all;
  };
  const id = freshId();
  return {
    element: h("div.field",
      h("span.label", { id }, t("keys.collections")),
      h("div", choice({ label: t("keys.collections"), options, value: all ? "all" : "some", onchange: turn })),
      some.element),
    value: () => (all ? null : some.tags()),
  };
}

/** The last day on which a key serves, in UTC. @param {string} expires The first moment at which it does not. */
export const lastDay = (expires) => new Date(Date.parse(expires) - 1).toISOString().slice(0, 10);
