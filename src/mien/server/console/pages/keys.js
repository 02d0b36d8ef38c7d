// Keys: who may ask this server, and what.

import { get, patch, post, remove, segment } from "../js/api.js";
import { listCollections } from "../js/collections.js";
import { confirmed, filledIn, openDialog } from "../js/dialog.js";
import { fill, h } from "../js/dom.js";
import { chip } from "../js/figures.js";
import { choice, field } from "../js/fields.js";
import { copyButton } from "../js/files.js";
import { day, moment, number, t } from "../js/i18n.js";
import { icon } from "../js/icons.js";
import { keepKey } from "../js/key.js";
import { keyForm, lastDay } from "../js/key-form.js";
import { empty, notice, skeleton } from "../js/notices.js";
import { docsLink, pageHead } from "../js/router.js";
import { whoami } from "../js/session.js";
import { table } from "../js/tables.js";
import { toast } from "../js/toast.js";

/** For how long both secrets serve, in seconds. */
const GRACES = [0, 3600, 86400, 7 * 86400];

export async function mount(root, { signal }) {
  const me = whoami();
  const list = h("div.stack", skeleton(6, "2rem"));
  const add = h("button.button.primary", { type: "button", onclick: create }, icon("plus"), t("keys.new"));
  root.append(pageHead({ title: t("keys.title"), lede: t("keys.lede"), actions: [docsLink(), add] }), list);
  await show();

  async function show() {
    const keys = (await get("keys", { query: { limit: 1000 }, signal })).items;
    const serving = keys.filter(serves).sort(newest);
    const past = keys.filter((key) => !serves(key)).sort(newest);
    fill(list,
      me.open && notice({ kind: "warn", title: t("keys.open"), text: t("keys.open.text") }),
      serving.length > 0
        ? h("section.card.flush", keyTable(t("keys.serving"), serving, tools))
        : empty({ icon: "keys", title: t("keys.none"), text: t("keys.none.text") }),
      past.length > 0 && h("details.more", h("summary", t("keys.past", { n: past.length })), h("section.card.flush", keyTable(t("keys.past.title"), past))));
  }

  function tools(key) {
    const { name } = key;
    return h("div.row.fixed.tools",
      tool("edit", t("keys.edit", { name }), () => edit(key)),
      tool("again", t("keys.rotate", { name }), () => rotate(key)),
      tool("trash", t("keys.revoke", { name }), () => revoke(key)));
  }

  async function create() {
    let made = null;
    const form = keyForm({ collections: await listCollections(signal), first: me.open });
    const done = await filledIn({
      title: t("keys.new"),
      body: [me.open && notice({ kind: "warn", title: t("keys.first"), text: t("keys.first.text") }), form.element],
      action: t("keys.create"),
      act: async () => (made = await post("keys", { json: form.value(), signal })),
      signal,
    });
    if (done) tell(made, t("keys.made"));
  }

  async function edit(key) {
    const form = keyForm({ collections: await listCollections(signal), key });
    const done = await filledIn({
      title: t("keys.edit", { name: key.name }),
      body: form.element,
      action: t("keys.save"),
      act: () => patch(`keys/${segment(key.id)}`, { json: form.value(), signal }),
      signal,
    });
    if (!done) return;
    toast(t("keys.saved"));
    await show();
  }

  async function rotate(key) {
    let made = null;
    let grace = GRACES[1];
    const options = GRACES.map((seconds) => ({ value: String(seconds), label: t(`keys.grace.${seconds}`) }));
    const done = await filledIn({
      title: t("keys.rotate", { name: key.name }),
      body: [
        h("p", t("keys.rotate.text")),
        h("div.field", h("span.label", t("keys.grace")), h("div", choice({ label: t("keys.grace"), options, value: String(grace), onchange: (value) => (grace = Number(value)) })), h("p.help", t("keys.grace.help"))),
      ],
      action: t("keys.rotate.do"),
      act: async () => (made = await post(`keys/${segment(key.id)}/rotate`, { json: { grace_s: grace }, signal })),
      signal,
    });
    if (done) tell(made, t("keys.rotated"));
  }

  async function revoke(key) {
    const text = key.id === me.key ? t("keys.revoke.own") : t("keys.revoke.text");
    const act = () => remove(`keys/${segment(key.id)}`, { signal });
    if (!(await confirmed({ title: t("keys.revoke", { name: key.name }), text, action: t("keys.revoke.do"), act, signal }))) return;
    toast(t("keys.revoked"));
    await show();
  }

  /** The only time that a key can be seen. */
  function tell(made, title) {
    const own = me.open || made.id === me.key;
    const text = h("input.input.mono", { readonly: true, value: made.key, autocomplete: "off", spellcheck: "false", onfocus: (event) => event.target.select() });
    const use = () => {
      keepKey(made.key, false);
      location.reload();
    };
    const dialog = openDialog({
      title,
      body: h("div.stack",
        h("p", t("keys.once")),
        field({ label: made.name, control: text }),
        h("div.row", copyButton(made.key)),
        own && notice({ kind: "info", title: t("keys.own"), text: t("keys.own.text") })),
      actions: [
        own ? h("button.button.primary", { type: "button", onclick: use }, t("keys.use")) : h("button.button.primary", { type: "button", onclick: () => dialog.close() }, t("keys.kept")),
      ],
      // Without a key nothing can be shown any more; the console asks for one.
      onclose: () => show().catch(() => {}),
      signal,
    });
    text.focus();
  }
}

const newest = (a, b) => b.created.localeCompare(a.created);
const expired = (key) => key.expires !== null && Date.parse(key.expires) <= Date.now();
const serves = (key) => key.revoked === null && !expired(key);

function tool(name, says, onclick) {
  return h("button.button.plain.icon.small", { type: "button", "aria-label": says, title: says, onclick }, icon(name));
}

/** @param {any} label @param {any[]} keys @param {(key: any) => HTMLElement} [tools] */
function keyTable(label, keys, tools) {
  const columns = ["name", "scopes", "collections", "rate", "used", "until"].map((name) => ({ title: t(`keys.${name}`) }));
  return table({
    label,
    columns: tools ? [...columns, { title: t("keys.tools"), kind: "tools" }] : columns,
    rows: keys.map((key) => [
      [key.name, " ", key.id === whoami().key && chip(t("keys.yours"), "accent"), h("small", h("code", key.id))],
      h("span.row.chips", key.scopes.map((scope) => chip(t(`scope.${scope}`), scope === "admin" ? "warn" : undefined))),
      key.collections === null ? t("keys.all") : key.collections.join(", ") || t("none"),
      key.rate_per_minute === null ? t("keys.unlimited") : t("keys.rate.value", { rate: number(key.rate_per_minute) }),
      key.last_used === null ? h("span.soft", t("keys.never")) : moment(key.last_used),
      until(key),
      ...(tools ? [tools(key)] : []),
    ]),
  });
}

function until(key) {
  if (key.revoked !== null) return [chip(t("keys.is-revoked"), "bad"), h("small", moment(key.revoked))];
  if (key.expires === null) return h("span.soft", t("keys.no-end"));
  return expired(key) ? [chip(t("keys.is-expired"), "warn"), h("small", moment(key.expires))] : day(lastDay(key.expires));
}
