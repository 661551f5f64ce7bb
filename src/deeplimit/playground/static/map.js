// The map: decisions over the plane, the examples, the pointer.

import { posterior, SOURCES } from "./data.js";
import { at, eachFrame, fill, make, mark, SHAPES } from "./dom.js";
import { chains, contour, Painter } from "./picture.js";
import { set, state } from "./state.js";

export const SIZE = 200;
const SHOWN_LINKS = 12;
// Height of the head of a pin over its point, in pixels of the page.
const HEAD = 20;

let colours = null;
let painter = null;
let shown = null;
let scene = null;
let bayes = { key: null, lines: [] };

/** Colours of the style sheet, as numbers for the workers. */
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const rgb = (name) => {
    const hex = style.getPropertyValue(name).trim().replace("#", "");
    const full = hex.length === 3 ? [...hex].map((ch) => ch + ch).join("") : hex;
    return [0, 2, 4].map((k) => parseInt(full.slice(k, k + 2), 16));
  };
  colours = {
    classes: ["--a", "--b", "--c", "--d", "--e", "--f"].map(rgb),
    ground: rgb("--card"), ink: style.getPropertyValue("--ink").trim(), card: style.getPropertyValue("--card").trim(),
    css: ["--a", "--b", "--c", "--d", "--e", "--f"].map((name) => style.getPropertyValue(name).trim()),
  };
}

/** Wire the map: `move` the pointer to a point, `press` there, `act` and `pin` by key. */
export function wireMap({ move, press, act, pin, drawn }) {
  readColours();
  painter = new Painter((picture, question) => {
    shown = picture.image ? picture : null;
    drawn(picture, question);
  });
  const canvas = at("map");
  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    return fromScreen((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  };
  const moved = eachFrame((event) => {
    if (!state.pinned) move(point(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    // A finger that moves is scrolling the page.
    if (event.pointerType !== "touch") moved(event);
  });
  canvas.addEventListener("click", (event) => press(point(event), onPin(event)));
  canvas.addEventListener("keydown", (event) => {
    const step = (event.shiftKey ? 0.004 : 0.025) * (scene.view.x1 - scene.view.x0);
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (way) {
      const [x, y] = state.q ?? middle();
      move(clamped([x + way[0] * step, y + way[1] * step]));
    } else if (event.key === "Enter") act(state.q ?? middle());
    else if (event.key === " ") pin(state.q ?? middle());
    else return;
    event.preventDefault();
  });
  new ResizeObserver(() => redraw()).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readColours();
    if (scene) paint(scene);
  });
}

/** Whether a click is on the pin. */
function onPin(event) {
  if (!state.pinned || !state.q) return false;
  const box = at("map").getBoundingClientRect();
  const [x, y] = toScreen(...state.q, box.width);
  const [a, b] = [event.clientX - box.left - x, event.clientY - box.top - y];
  return Math.hypot(a, b) < 12 || Math.hypot(a, b + HEAD) < 12;
}

export function middle() {
  const { x0, x1, y0, y1 } = scene.view;
  return round([(x0 + x1) / 2, (y0 + y1) / 2]);
}

// Four digits: a pointer knows no more, and code and address stay short.
const round = (q) => q.map((v) => Math.round(v * 1e4) / 1e4);

function clamped([x, y]) {
  const { x0, x1, y0, y1 } = scene.view;
  return round([Math.min(x1, Math.max(x0, x)), Math.min(y1, Math.max(y0, y))]);
}

function fromScreen(a, b) {
  const { x0, x1, y0, y1 } = scene.view;
  return clamped([x0 + a * (x1 - x0), y1 - b * (y1 - y0)]);
}

/** Ask for a new picture: {key, profile, data, settings, view, stamp}. */
export function paint(next) {
  scene = next;
  painter.ask({ ...next, size: SIZE, colours: { classes: colours.classes, ground: colours.ground } });
}

/** Draw all again: the picture, boundaries, examples, pointer. `found` is what model.js said. */
export function redraw(found = scene?.found) {
  if (!scene) return;
  scene.found = found;
  const canvas = at("map");
  const ratio = Math.min(3, devicePixelRatio || 1);
  const side = Math.round(canvas.clientWidth * ratio);
  if (!side) return;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const g = canvas.getContext("2d");
  g.fillStyle = colours.card;
  g.fillRect(0, 0, side, side);
  if (shown) {
    const small = new OffscreenCanvas(SIZE, SIZE);
    small.getContext("2d").putImageData(shown.image, 0, 0);
    g.imageSmoothingQuality = "high";
    g.drawImage(small, 0, 0, side, side);
    boundaries(g, side, ratio);
  }
  if (state.bayes && SOURCES[state.source]) bayesBoundary(g, side, ratio);
  if (found && state.links) links(g, side, ratio, found);
  examples(g, side, ratio);
  pointer(g, side, ratio);
}

const toScreen = (x, y, side) => {
  const { x0, x1, y0, y1 } = scene.view;
  return [((x - x0) / (x1 - x0)) * side, ((y1 - y) / (y1 - y0)) * side];
};

function stroke(g, lines, side, width, dash = []) {
  const unit = side / SIZE;
  g.beginPath();
  for (const line of lines) line.forEach(([x, y], k) => g[k ? "lineTo" : "moveTo"]((x + 0.5) * unit, (y + 0.5) * unit));
  g.setLineDash(dash);
  g.lineWidth = width;
  g.strokeStyle = colours.ink;
  g.stroke();
  g.setLineDash([]);
}

function boundaries(g, side, ratio) {
  const C = scene.data.classes;
  shown.lines ??= Array.from({ length: C === 2 ? 1 : C }, (_, c) =>
    chains(contour((r, j) => shown.leads[(r * SIZE + j) * C + c], SIZE)));
  for (const lines of shown.lines) stroke(g, lines, side, 1.8 * ratio);
}

/** Where the best rule there is changes its mind; drawn in dashes, since it is none of the page's. */
function bayesBoundary(g, side, ratio) {
  const { view, noise } = scene;
  const key = JSON.stringify([state.source, noise, view]);
  if (bayes.key !== key) {
    const C = SOURCES[state.source].classes;
    const p = Array.from({ length: SIZE * SIZE }, (_, k) => {
      const x = view.x0 + (((k % SIZE) + 0.5) / SIZE) * (view.x1 - view.x0);
      const y = view.y1 - ((Math.floor(k / SIZE) + 0.5) / SIZE) * (view.y1 - view.y0);
      return posterior(state.source, x, y, noise);
    });
    const lead = (c) => (r, j) => {
      const here = p[r * SIZE + j];
      return here ? here[c] - Math.max(...here.filter((_, d) => d !== c)) : NaN;
    };
    bayes = { key, lines: Array.from({ length: C === 2 ? 1 : C }, (_, c) => chains(contour(lead(c), SIZE))) };
  }
  for (const lines of bayes.lines) stroke(g, lines, side, 2.4 * ratio, [9 * ratio, 6 * ratio]);
}

function links(g, side, ratio, found) {
  if (!state.q) return;
  const [x, y] = toScreen(...state.q, side);
  const most = Math.abs(found.votes[0]?.share ?? 0) || 1;
  // Where all count alike, lines to a dozen of them would say the opposite.
  if (found.votes.length > SHOWN_LINKS && found.votes.at(-1).share === found.votes[0].share) return;
  for (const { i, share } of found.votes.slice(0, SHOWN_LINKS)) {
    const part = Math.abs(share) / most;
    if (!(part > 0.02)) continue;
    const [a, b] = toScreen(scene.data.X[2 * i], scene.data.X[2 * i + 1], side);
    g.beginPath();
    g.moveTo(x, y);
    g.lineTo(a, b);
    g.globalAlpha = 0.25 + 0.75 * part;
    g.lineWidth = (0.8 + 3.2 * part) * ratio;
    g.strokeStyle = colours.ink;
    g.setLineDash(share < 0 ? [4 * ratio, 4 * ratio] : []);
    g.stroke();
  }
  g.setLineDash([]);
  g.globalAlpha = 1;
}

const outlines = SHAPES.map((d) => new Path2D(d));

function examples(g, side, ratio) {
  const { X, y } = scene.data;
  const r = (y.length > 300 ? 3.4 : 4.4) * ratio;
  for (let i = 0; i < y.length; i++) {
    const [a, b] = toScreen(X[2 * i], X[2 * i + 1], side);
    g.setTransform(r, 0, 0, r, a, b);
    g.fillStyle = colours.css[y[i] % 6];
    g.fill(outlines[y[i] % 6]);
    g.lineWidth = 0.32;
    g.strokeStyle = colours.card;
    g.stroke(outlines[y[i] % 6]);
  }
  g.setTransform(1, 0, 0, 1, 0, 0);
}

function pointer(g, side, ratio) {
  if (!state.q) return;
  const [x, y] = toScreen(...state.q, side);
  const arm = 11 * ratio;
  for (const [width, colour] of [[5, colours.card], [2, colours.ink]]) {
    g.beginPath();
    g.moveTo(x - arm, y);
    g.lineTo(x + arm, y);
    g.moveTo(x, y - arm);
    g.lineTo(x, y + arm);
    g.lineWidth = width * ratio;
    g.strokeStyle = colour;
    g.stroke();
  }
  if (!state.pinned) return;
  for (const [width, colour] of [[6, colours.card], [2.4, colours.ink]]) {
    g.beginPath();
    g.moveTo(x, y);
    g.lineTo(x, y - HEAD * ratio);
    g.lineWidth = width * ratio;
    g.strokeStyle = colour;
    g.stroke();
  }
  g.beginPath();
  g.arc(x, y - HEAD * ratio, 7 * ratio, 0, 2 * Math.PI);
  g.fillStyle = colours.ink;
  g.fill();
  g.lineWidth = 2.5 * ratio;
  g.strokeStyle = colours.card;
  g.stroke();
}

/** Name the classes below the map. */
export function showLegend(names, counts) {
  fill(at("legend"), ...names.map((name, c) =>
    make("li", {}, mark(c), make("span", { text: `${name} (${counts[c] ?? 0})` }))));
}

/** What the map shows, for those who do not see it. */
export function describeMap(text) {
  at("map").setAttribute("aria-label", text);
}

/** Move the pointer. */
export function pointAt(q) {
  set({ q });
}
