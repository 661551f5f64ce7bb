// Small helpers for the document. Text is always set as text, never as markup.

export const at = (id) => document.getElementById(id);

/** Make an element: attributes by name (`text` its text, `on` its listeners), then children. */
export function make(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for drawings. */
export function draw(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "text") element.textContent = value;
    else if (key === "on") for (const [event, call] of Object.entries(value)) element.addEventListener(event, call);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function fill(parent, ...children) {
  parent.replaceChildren(...children.filter((child) => child !== null));
}

/** A number for people: `digits` significant ones, a true minus. */
export function number(value, digits = 6) {
  if (value === null || value === undefined) return "none";
  if (value === "inf" || value === Infinity) return "∞";
  if (value === "-inf" || value === -Infinity) return "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e-4 && size < 1e6
    ? String(Number(value.toPrecision(digits)))
    : value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
  return text.replace(/-/g, "−");
}

const RAISED = { "-": "⁻", "−": "⁻", ".": "·", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** A number as an exponent. */
export const superscript = (v) => [...String(v)].map((ch) => RAISED[ch] ?? ch).join("");

/** Python's sentences with the signs of print. */
export function typeset(text) {
  return text.replace(/\bR\^d\b/g, "ℝᵈ").replace(/\^(-?\d+(\.\d+)?)/g, (_, v) => superscript(v))
    .replace(/(?<=\w)'(?!\w)/g, "′").replace(/(?<=\w)\*(?=\w)/g, "·").replace(/(?<![\w.)])-(?=\d)|(?<= )-(?= )/g, "−");
}

export const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)}\u00a0%`;

/** Run a function at most once a frame, with the latest arguments. */
export function eachFrame(call) {
  let waiting = null;
  return (...last) => {
    if (waiting === null) requestAnimationFrame(() => {
      const now = waiting;
      waiting = null;
      call(...now);
    });
    waiting = last;
  };
}

/** Shapes of the classes, so that colour is not all there is; in a square of side 2 around 0. */
export const SHAPES = [
  "M-.85 0a.85.85 0 1 0 1.7 0a.85.85 0 1 0-1.7 0z",
  "M-.75-.75h1.5v1.5h-1.5z",
  "M0-1 .95.7H-.95z",
  "M0-1.05 1.05 0 0 1.05-1.05 0z",
  "M-.3-.95h.6v.65h.65v.6h-.65v.65h-.6v-.65h-.65v-.6h.65z",
  "M0 1 .95-.7H-.95z",
];

export function mark(c) {
  return draw("svg", { viewBox: "-1.2 -1.2 2.4 2.4", "aria-hidden": "true" },
    draw("path", { d: SHAPES[c % SHAPES.length], class: `fill-${c % 6}` }));
}
