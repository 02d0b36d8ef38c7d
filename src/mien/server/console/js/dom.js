// Building elements. Text is always a text node: nothing from a server is ever read as markup.

/** A text that depends on the language: shown where it is put, and said again when the language changes. */
export class Live {
  #say;
  /** @param {() => string} say */
  constructor(say) {
    this.#say = say;
  }
  toString() {
    return this.#say();
  }
}

/** @type {WeakMap<Node, Live>} */
const texts = new WeakMap();
/** @type {WeakMap<Element, Map<string, Live>>} */
const attributes = new WeakMap();

/** @typedef {Node | string | number | Live | null | undefined | false} Child */
/** @typedef {Child | Child[]} Children */

/**
 * Make an element: `h("p.soft", {id: "x", onclick: f}, "text", other)`.
 *
 * @param {string} what Tag and classes, such as `button.primary.small`.
 * @param {...(Record<string, any> | Children)} rest First, if it is a plain object: attributes. `on…` are listeners,
 *   `style` is an object (custom properties too), false and null leave an attribute out, true sets it empty.
 * @returns {any} HTMLElement of that tag.
 */
export function h(what, ...rest) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  const first = rest[0];
  if (first && Object.getPrototypeOf(first) === Object.prototype) {
    rest.shift();
    for (const [name, value] of Object.entries(first)) give(element, name, value);
  }
  put(element, ...rest);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element of a drawing.
 *
 * @param {string} tag
 * @param {Record<string, any>} given As for h().
 * @param {...Children} children
 * @returns {any} SVGElement of that tag.
 */
export function svg(tag, given, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(given)) give(element, name, value);
  put(element, ...children);
  return element;
}

/**
 * Put children into an element, after those that are there.
 * @param {Element} element
 * @param {...any} children
 */
export function put(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : textNode(child));
  }
}

/**
 * Put children into an element instead of those that are there.
 * @param {Element} element
 * @param {...any} children
 */
export function fill(element, ...children) {
  element.replaceChildren();
  put(element, ...children);
}

/**
 * Set one attribute, listener or style.
 * @param {any} element
 * @param {string} name
 * @param {any} value
 */
export function give(element, name, value) {
  if (name.startsWith("on") && typeof value === "function") {
    element.addEventListener(name.slice(2), value);
  } else if (name === "style") {
    // Through the object model: the content security policy refuses style attributes.
    for (const [property, setting] of Object.entries(value)) element.style.setProperty(property, String(setting));
  } else if (value === false || value === null || value === undefined) {
    element.removeAttribute(name);
    attributes.get(element)?.delete(name);
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
    follow(element, name, value);
  }
}

/** Say everything in the document again in the present language: what is to come back is hidden, not taken out. */
export function relabel() {
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const said = texts.get(node);
    if (said) node.nodeValue = String(said);
    if (!(node instanceof Element)) continue;
    for (const [name, live] of attributes.get(node) ?? []) node.setAttribute(name, String(live));
  }
}

function textNode(child) {
  const node = document.createTextNode(String(child));
  if (child instanceof Live) texts.set(node, child);
  return node;
}

function follow(element, name, value) {
  const known = attributes.get(element) ?? new Map();
  if (value instanceof Live) attributes.set(element, known.set(name, value));
  else known.delete(name);
}
