// Line drawings as SVG: axes, curves, bars.

import { draw, fill, make, number } from "./dom.js";

const W = 340;
const H = 210;
const PAD = { left: 46, right: 8, top: 9, bottom: 36 };

/** Ticks at round numbers. */
export function ticks(low, high, wanted = 5) {
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= raw * 0.999) ?? raw;
  const out = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-6; v += step) {
    out.push(Math.abs(v) < step * 1e-6 ? 0 : Number(v.toPrecision(12)));
  }
  return out;
}

/**
 * Set a plot.
 * @param {Element} place where
 * @param {object} plot {x: [low, high], y: [low, high], xName, yName, about, xTicks, yTicks, height,
 *   curves: [{points: [[x, y], ...], class}], marks, square}
 */
export function setPlot(place, plot) {
  const height = plot.square ? W - 20 : plot.height ?? H;
  const right = W - PAD.right;
  const bottom = height - PAD.bottom;
  const [x0, x1] = plot.x;
  const [y0, y1] = plot.y;
  const px = (x) => PAD.left + ((x - x0) / (x1 - x0)) * (right - PAD.left);
  const py = (y) => bottom - ((y - y0) / (y1 - y0)) * (bottom - PAD.top);
  const xTicks = plot.xTicks ?? ticks(x0, x1).map((v) => [v, number(v, 3)]);
  const yTicks = plot.yTicks ?? ticks(y0, y1, plot.square ? 5 : 4).map((v) => [v, number(v, 3)]);
  const parts = [];
  for (const [v, text] of xTicks) {
    parts.push(draw("path", { class: "grid", d: `M${px(v)} ${PAD.top}V${bottom}` }));
    parts.push(draw("text", { x: px(v), y: bottom + 15, "text-anchor": "middle", text }));
  }
  for (const [v, text] of yTicks) {
    parts.push(draw("path", { class: "grid", d: `M${PAD.left} ${py(v)}H${right}` }));
    parts.push(draw("text", { x: PAD.left - 4, y: py(v) + 4, "text-anchor": "end", text }));
  }
  parts.push(draw("text", { x: (PAD.left + right) / 2, y: height - 4, "text-anchor": "middle", text: plot.xName ?? "" }));
  const clip = `clip-${place.id}`;
  const box = { x: PAD.left, y: PAD.top - 2, width: right - PAD.left, height: bottom - PAD.top + 4 };
  const inside = draw("g", { "clip-path": `url(#${clip})` });
  for (const curve of plot.curves ?? []) inside.append(draw("path", { class: curve.class, d: path(curve.points, px, py) }));
  for (const bar of plot.bars ?? []) {
    const top = Math.min(py(0), py(bar.y));
    inside.append(draw("rect", { class: bar.class ?? "bar", x: px(bar.x - 0.34), width: px(bar.x + 0.34) - px(bar.x - 0.34), y: top, height: Math.abs(py(0) - py(bar.y)) }));
  }
  for (const [x, y] of plot.dots ?? []) inside.append(draw("circle", { class: "dot", r: 4, cx: px(x), cy: py(y) }));
  for (const { x, y, text, anchor } of plot.words ?? []) {
    parts.push(draw("text", { class: "strong", x: px(x), y: py(y), "text-anchor": anchor ?? "start", text }));
  }
  fill(place, draw("svg", { class: "plot", viewBox: `0 0 ${W} ${height}`, role: "img", "aria-label": plot.about },
    draw("defs", {}, draw("clipPath", { id: clip }, draw("rect", box))),
    ...parts.filter((p) => p.tagName !== "text"), inside, ...parts.filter((p) => p.tagName === "text")));
}

/** What the lines of a plot are: pairs of their class and words. */
export function setKey(place, entries) {
  fill(place, ...entries.filter(Boolean).map(([name, text]) => make("li", {},
    draw("svg", { class: "plot", viewBox: "0 0 28 8", "aria-hidden": "true" }, draw("path", { class: name, d: "M1 4H27" })),
    make("span", { text }))));
}

function path(points, px, py) {
  let out = "";
  let drawing = false;
  for (const [x, y] of points) {
    if (!Number.isFinite(y)) {
      drawing = false;
      continue;
    }
    // Far outside is as good as the edge, and keeps the numbers short.
    const a = Math.min(2000, Math.max(-2000, px(x))).toFixed(2);
    const b = Math.min(2000, Math.max(-2000, py(y))).toFixed(2);
    out += `${drawing ? "L" : "M"}${a} ${b}`;
    drawing = true;
  }
  return out || "M0 0";
}

/** Interpolate a sampled curve, monotone in x. */
export function sample(xs, ys, x) {
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  const t = (x - xs[low]) / (xs[high] - xs[low]);
  return ys[low] + t * (ys[high] - ys[low]);
}
