// Photographs for an album: a few at once, portion by portion; for many there are jobs, which go on without a browser.

import { form, get, post, within } from "../../js/api.js";
import { confirmed } from "../../js/dialog.js";
import { fill, h } from "../../js/dom.js";
import { meters } from "../../js/figures.js";
import { number, t } from "../../js/i18n.js";
import { errorNotice, notice } from "../../js/notices.js";
import { photoName } from "../../js/people.js";
import { photoInput } from "../../js/photo-input.js";
import { portionsOf } from "../../js/portions.js";
import { hashTo } from "../../js/router.js";

const MANY = 120;

/**
 * @param {object} about
 * @param {string} about.album
 * @param {() => any[]} about.groups That are in it.
 * @param {() => Promise<void>} about.done Something was added.
 * @param {AbortSignal} about.signal
 * @returns {{element: HTMLElement, show: () => void}} `show` it, larger while the album is empty.
 */
export function addPhotographs({ album, groups, done, signal }) {
  const input = h("div");
  const said = h("div.stack.tight", { role: "status" });
  return { element: h("div.stack.tight", input, said), show };

  function show() {
    fill(input, photoInput({ take, signal, several: true, slim: groups().length > 0, title: t("clusters.add"), hint: t("clusters.add.hint") }));
  }

  async function take(files) {
    // Where everybody has a name, no album may be meant.
    const enrolled = groups().length > 0 && groups().every((group) => group.name !== null);
    if (enrolled && !await confirmed({ title: t("clusters.enrolled", { name: album }), text: t("clusters.enrolled.text"), action: t("clusters.enrolled.do"), danger: false, act: async () => {}, signal })) return;
    if (files.length > MANY) return fill(said, tooMany(files));
    await send(files);
  }

  function tooMany(files) {
    return notice({
      title: t("clusters.many", { n: files.length }),
      text: t("clusters.many.text"),
      more: h("div.row",
        h("a.button.small.primary", { href: hashTo("jobs/new", { kind: "cluster", collection: album }) }, t("clusters.many.job")),
        h("button.button.small", { type: "button", onclick: () => send(files) }, t("clusters.many.here"))),
    });
  }

  async function send(files) {
    const total = { photographs: 0, repeated: 0, faces: 0, refused: 0, new_groups: 0, merged_groups: 0, failures: [] };
    let sent = 0;
    input.hidden = true;
    try {
      const { limits } = await get("system", { signal });
      for (const portion of portionsOf(files, limits)) {
        fill(said, h("div.card", meters([{ name: t("clusters.adding"), share: sent / files.length, value: t("system.of", { count: number(sent), most: number(files.length) }) }])));
        add(total, await post(within(album, "clusters"), { form: form({ photo: portion }), signal }));
        sent += portion.length;
      }
      fill(said, report(total));
    } catch (error) {
      if (signal.aborted) return;
      fill(said, sent > 0 && report(total), errorNotice(error, { again: () => send(files.slice(sent)) }));
    }
    input.hidden = false;
    await done();
  }
}

function add(total, part) {
  for (const [name, value] of Object.entries(total)) {
    if (Array.isArray(value)) value.push(...part[name]);
    else total[name] += part[name];
  }
}

function report({ photographs, repeated, faces, refused, new_groups: fresh, merged_groups: merged, failures }) {
  const lines = [
    [faces, "clusters.added.faces"], [fresh, "clusters.added.groups"], [merged, "clusters.added.merged"],
    [repeated, "clusters.added.repeated"], [refused, "clusters.added.refused"],
  ].filter(([n]) => n).map(([n, words]) => h("li", t(/** @type {string} */ (words), { n })));
  return notice({
    kind: "good",
    title: t("clusters.added", { n: photographs }),
    more: [
      h("ul", lines),
      failures.length > 0 && h("details.more", h("summary", t("clusters.failed", { n: failures.length })),
        h("ul.failures", failures.map(({ source, error }) => h("li", h("span.strong", photoName(source)), h("span", error.message), h("code", error.code))))),
    ],
  });
}
