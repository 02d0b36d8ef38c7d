// What a reviewer decides about faces and groups: each is done, said, and shown.

import { post, segment, within } from "../../js/api.js";
import { fill } from "../../js/dom.js";
import { t } from "../../js/i18n.js";
import { errorNotice } from "../../js/notices.js";
import { toast } from "../../js/toast.js";
import { nameGroup } from "./naming.js";
import { chooseGroup } from "./target.js";

/**
 * @param {object} about
 * @param {string} about.album
 * @param {() => any[]} about.groups That are shown.
 * @param {HTMLElement} about.list Holds them.
 * @param {HTMLElement} about.said For what went wrong.
 * @param {() => Promise<void>} about.look Shows what there is now.
 * @param {import("../../js/pictures.js").Shelf} about.shelf
 * @param {AbortSignal} about.signal
 */
export function decisions({ album, groups, list, said, look, shelf, signal }) {
  const boxes = () => /** @type {HTMLInputElement[]} */ ([...list.querySelectorAll("input.pick, input.tick")]);

  async function doing(act, says) {
    const place = boxes().findIndex((box) => box.checked);
    fill(said);
    try {
      await act();
      toast(says);
      await look();
      // Who works by the keyboard goes on where they were.
      boxes()[Math.min(place, boxes().length - 1)]?.focus({ preventScroll: true });
    } catch (error) {
      if (!signal.aborted) fill(said, errorNotice(error));
    }
  }

  const tell = (path, json) => post(within(album, `clusters/${path}`), { json, signal });

  /** @param {string[]} faces @param {string | null} to A group; null: a new one. */
  const move = (faces, to) => doing(() => tell("move", { faces, to }), t("clusters.moved", { n: faces.length }));

  return {
    move,

    /** @param {string[]} faces */
    async moveTo(faces) {
      const to = await chooseGroup({ groups: groups(), album, shelf, n: faces.length, signal });
      if (to) await move(faces, to);
    },

    /** @param {string[]} chosen Groups; who has a name keeps it; of several, the largest. */
    merge(chosen) {
      const among = groups().filter((group) => chosen.includes(group.id));
      const into = among.find((group) => group.name !== null) ?? among[0];
      const others = chosen.filter((id) => id !== into.id);
      return doing(() => tell(`${segment(into.id)}/merge`, { others }), t("clusters.merged", { n: chosen.length }));
    },

    async rename(group) {
      fill(said);
      try {
        if (await nameGroup({ group, album, shelf, signal })) await look();
      } catch (error) {
        if (!signal.aborted) fill(said, errorNotice(error));
      }
    },
  };
}
