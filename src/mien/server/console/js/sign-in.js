// The question for an API key.

import { h, fill } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { errorNotice, notice } from "./notices.js";
import { languageButton } from "./preferences.js";
import { signIn } from "./session.js";

/**
 * @param {{refused: boolean, done: () => void}} about `refused`: there was a key, and it no longer serves.
 */
export function signInPanel({ refused, done }) {
  const said = h("div", { role: "alert" }, refused && notice({ kind: "warn", title: t("sign-in.refused"), text: t("sign-in.refused.text") }));
  const key = h("input.input.mono", { id: "key", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "key-help" });
  const stays = h("input", { type: "checkbox" });
  const button = h("button.button.primary", { type: "submit" }, t("sign-in.open"));

  async function submit(event) {
    event.preventDefault();
    button.setAttribute("aria-busy", "true");
    fill(said);
    try {
      await signIn(key.value.trim(), stays.checked);
      done();
    } catch (error) {
      fill(said, error.status === 401
        ? notice({ kind: "bad", title: t("sign-in.wrong"), text: t("sign-in.wrong.text") })
        : errorNotice(error));
      key.select();
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  return h("main.sign-in",
    h("form", { onsubmit: submit },
      h("div.row.apart", h("p.brand", icon("mark"), "Mien"), languageButton()),
      h("div", h("h1", t("sign-in.title")), h("p.soft", t("sign-in.lede"))),
      said,
      h("div.field", h("label", { for: "key" }, t("sign-in.key")), key, h("p.help", { id: "key-help" }, t("sign-in.help"), " ", h("code", "mien keys create"))),
      h("label.check", stays, h("span", t("sign-in.remember"), h("span.help.soft.small", " ", t("sign-in.remember.help")))),
      button));
}
