// Form controls with their labels.

import { h } from "./dom.js";

let made = 0;

/** An identifier that no other element has. */
export const freshId = () => `field-${(made += 1)}`;

/**
 * A labelled control with help below it.
 * @param {{label: any, help?: any, control: HTMLElement}} about
 */
export function field({ label, help, control }) {
  control.id ||= freshId();
  const helpId = `${control.id}-help`;
  if (help) control.setAttribute("aria-describedby", helpId);
  return h("div.field", h("label", { for: control.id }, label), control, help && h("p.help", { id: helpId }, help));
}

/**
 * One of few, always visible: radio buttons side by side.
 * @param {{label: any, options: {value: string, label: any, says?: any}[], value: string,
 *   onchange: (value: string) => void}} about `says` names an option that is only an icon.
 */
export function choice({ label, options, value, onchange }) {
  const name = freshId();
  return h("div.choice", { role: "radiogroup", "aria-label": label }, options.map((option) =>
    h("label", { title: option.says },
      h("input", { type: "radio", name, value: option.value, checked: option.value === value, "aria-label": option.says, onchange: () => onchange(option.value) }),
      h("span", option.label))));
}

/**
 * Several of many: checkboxes that look like pills.
 * @param {{label: any, options: {value: string, label: any}[], chosen: Set<string>, onchange: (chosen: Set<string>) => void}} about
 */
export function pills({ label, options, chosen, onchange }) {
  const now = new Set(chosen);
  const turn = (value, on) => {
    if (on) now.add(value);
    else now.delete(value);
    onchange(new Set(now));
  };
  return h("div.pills", { role: "group", "aria-label": label }, options.map((option) =>
    h("label.pill",
      h("input", { type: "checkbox", checked: now.has(option.value), onchange: (event) => turn(option.value, event.target.checked) }),
      h("span", option.label))));
}
