// A copy of a photograph in which nobody can be recognised: seen first, then taken along.

import { blob, form } from "./api.js";
import { openDialog } from "./dialog.js";
import { fill, h } from "./dom.js";
import { choice } from "./fields.js";
import { download, renamed } from "./files.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { errorNotice } from "./notices.js";

const WAYS = ["pixelate", "blur", "solid"];
const ENDINGS = { "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp" };

/** @param {import("./photos.js").Photo} photo @param {AbortSignal} signal */
export function anonymise(photo, signal) {
  let made = null;
  let asked = 0;
  const seen = h("div.photo", { style: { "min-height": "14rem" }, "aria-live": "polite" });
  const save = h("button.button.primary", { type: "button", disabled: true, onclick: () => download(made, renamed(photo.name, `-anonymous${ENDINGS[made.type] ?? ""}`)) }, icon("download"), t("download"));

  async function look(way) {
    const mine = (asked += 1);
    save.disabled = true;
    seen.setAttribute("aria-busy", "true");
    try {
      const picture = await blob("POST", "anonymise", { form: form({ photo: photo.file, way }), signal });
      if (mine !== asked) return; // Another way was chosen meanwhile.
      made = picture;
      const url = URL.createObjectURL(picture);
      const image = h("img", { src: url, alt: t("anonymise.alt"), style: { "max-height": "56dvh" }, onload: () => URL.revokeObjectURL(url) });
      fill(seen, image);
      save.disabled = false;
    } catch (error) {
      if (!signal.aborted && mine === asked) fill(seen, errorNotice(error, { again: () => look(way) }));
    } finally {
      seen.removeAttribute("aria-busy");
    }
  }

  const options = WAYS.map((way) => ({ value: way, label: t(`anonymise.${way}`) }));
  openDialog({
    title: t("anonymise.title"),
    body: h("div.stack", h("div.row", choice({ label: t("anonymise.way"), options, value: WAYS[0], onchange: look })), seen, h("p.soft.small", t("anonymise.lede"))),
    actions: [save],
    wide: true,
    signal,
  });
  look(WAYS[0]);
}
