// Language and theme.

import { h } from "./dom.js";
import { LANGUAGES, language, setLanguage, t } from "./i18n.js";
import { icon } from "./icons.js";
import { THEMES, setTheme, theme } from "./theme.js";
import { choice } from "./fields.js";

const ICONS = { light: "sun", auto: "auto", dark: "moon" };

/** Switches to the other language, named in that language. */
export function languageButton() {
  const button = h("button.button.plain.small", { type: "button" });
  const other = () => (language() === "en" ? "zh" : "en");
  const label = () => {
    button.textContent = LANGUAGES[other()];
    button.lang = other();
  };
  button.addEventListener("click", () => {
    setLanguage(other());
    label();
  });
  label();
  return button;
}

export function themeChoice() {
  const options = THEMES.map((name) => ({ value: name, label: icon(ICONS[name]), says: t(`theme.${name}`) }));
  return choice({ label: t("theme"), options, value: theme(), onchange: setTheme });
}
