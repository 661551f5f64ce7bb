// A picture of the decisions: for each point of a grid the share of each class, and by how much
// each leads. For the eye: kernels are sampled at 512 gaps an octave. Numbers that are shown come
// from model.js.

import { images } from "./geometry.js";
import { BASE, SHIFT, sampled } from "./tables.js";

// A gap of 2^-40 beside the dot product keeps rounding from making it negative.
const SAFE = 1 + 2 ** -40;
// Logarithms this far below the largest change nothing that can be seen.
const FAINT = 25;
// The part of a cell that lies below a gap, from the lower bits of its float32.
const REST = (1 << SHIFT) - 1;
const CELL = 1 / (1 << SHIFT);
// Range of logarithms that a sum of plain numbers holds.
const RANGE = 600;

// Samples of the kernels that were drawn last, by name.
const drawn = new Map();

function samples(kernel, middle, name) {
  const key = `${name} ${middle}`;
  const found = drawn.get(key) ?? sampled(kernel, middle);
  drawn.delete(key);
  if (name) drawn.set(key, found);
  if (drawn.size > 6) drawn.delete(drawn.keys().next().value);
  return found;
}

/** Prepare what the rows of a picture need; a name of the kernel says that it may be kept. */
export function prepare(model, name = "") {
  const C = model.classes;
  const plan = { mode: "constant", C, model, winner: 0 };
  const centre = { ...model.lift };
  if (model.type === "majority" && !model.tie) {
    const total = model.mass.reduce((a, b) => a + b, 0);
    return { ...plan, shares: model.mass.map((m) => m / total) };
  }
  const rows = model.type === "machine" ? model.first : [...model.y.keys()];
  // Sorted by class, so that each class is one run of the loop.
  const order = [...rows].sort((i, j) => model.y[i] - model.y[j] || i - j);
  const X = new Float64Array(2 * order.length);
  order.forEach((i, k) => X.set([model.X[2 * i], model.X[2 * i + 1]], 2 * k));
  const n = order.length;
  Object.assign(plan, { n, lift: centre, P: images(centre, X) });
  plan.ends = Int32Array.from({ length: C }, (_, c) => order.filter((i) => model.y[i] <= c).length);
  if (model.type === "nearest") return { ...plan, mode: "nearest", far: farGaps(model.kernel) };
  const kernel = model.type === "majority" ? model.tie : model.kernel;
  // The terms of a machine cancel, so that it is sampled more closely: by straight lines.
  const { logs, signs } = samples(kernel, model.type !== "machine", name);
  if (model.type === "machine") {
    const place = new Map(model.first.map((i, k) => [i, k]));
    plan.W = new Float64Array(n * C);
    order.forEach((i, k) => {
      for (let c = 0; c < C; c++) plan.W[k * C + c] = model.coefficients[place.get(i) * C + c];
    });
    plan.constant = model.constant ?? null;
  }
  plan.offset = model.offset ?? null;
  // From gaps of about 1e-5 on: nearer ones are no pixel of their own.
  const from = (127 - 17 << (23 - SHIFT)) - BASE;
  let high = -Infinity;
  let low = Infinity;
  // What is next to the antipode is no pixel: the images lie on a hemisphere.
  const until = logs.length - 16;
  for (let k = from; k < until; k++) {
    if (logs[k] > high) high = logs[k];
    if (logs[k] < low && logs[k] > -Infinity) low = logs[k];
  }
  const bounded = high - Math.max(low, high - 3 * RANGE) <= RANGE || isShallow(logs, from, until, high);
  if (bounded) {
    const shift = plan.constant || plan.offset ? 0 : high - 100;
    plan.mode = plan.W ? "machine" : "sums";
    plan.values = logs.map((log, k) => signs[k] * Math.exp(Math.min(log - shift, 690)));
  } else {
    plan.mode = "logs";
    plan.logs = Float32Array.from(logs);
    plan.signs = signs;
  }
  return plan;
}

/** Whether only a zero of the kernel makes its logarithm range so far. */
function isShallow(logs, from, until, high) {
  let deep = 0;
  for (let k = from; k < logs.length; k++) if (logs[k] < high - RANGE) deep++;
  return deep < 4;
}

/** For gaps beyond the equator the gap of the same closeness this side of it. */
function farGaps(kernel) {
  const odd = kernel.entry.sign < 0;
  if (!kernel.ratio) return { odd, table: null };
  const table = new Float64Array(513);
  for (let k = 0; k <= 512; k++) {
    const log = kernel.look(1 + k / 512);
    let a = 1e-12;
    let b = 1;
    for (let step = 0; step < 50; step++) {
      const middle = Math.sqrt(a * b);
      if (kernel.look(middle) > log) a = middle;
      else b = middle;
    }
    table[k] = a;
  }
  return { odd, table };
}

// Shares of neighbours this close are joined by a straight line.
const ALIKE = 0.03;

/**
 * Decide a band of a picture, the rows from `from` to before `to` of a grid of `size` by `size` over
 * the view. Gives `shares` and `leads`, C numbers a pixel. Every second pixel of every second row
 * is decided, and of the others those between neighbours that differ: in class, or in shares.
 */
export function band(plan, view, size, from, to) {
  const C = plan.C;
  const H = to - from;
  const out = {
    shares: new Float32Array(H * size * C), leads: new Float32Array(H * size * C),
    winners: new Uint8Array(H * size),
  };
  if (plan.mode === "constant") return constantBand(plan, out);
  const work = workspace(plan);
  const last = size - 1;
  const between = (k, j, a, b) => {
    if (!joined(out, k * size + j, a, b, C)) decide(plan, work, view, size, j, k * size + j, out);
  };
  for (let k = 0; k < H; k += k + 2 === H ? 1 : 2) {
    enterRow(plan, work, view, size, from + k);
    for (let j = 0; j < size; j += j + 2 === size ? 1 : 2) decide(plan, work, view, size, j, k * size + j, out);
    for (let j = 1; j < last; j += 2) between(k, j, k * size + j - 1, k * size + j + 1);
  }
  for (let k = 1; k < H - 1; k += 2) {
    enterRow(plan, work, view, size, from + k);
    for (let j = 0; j < size; j++) between(k, j, (k - 1) * size + j, (k + 1) * size + j);
  }
  return out;
}

/** Set a pixel to the mean of two others, if they are alike. */
function joined({ shares, leads, winners }, at, a, b, C) {
  if (winners[a] !== winners[b]) return false;
  for (let c = 0; c < C; c++) if (Math.abs(shares[a * C + c] - shares[b * C + c]) > ALIKE) return false;
  winners[at] = winners[a];
  for (let c = 0; c < C; c++) {
    shares[at * C + c] = (shares[a * C + c] + shares[b * C + c]) / 2;
    leads[at * C + c] = (leads[a * C + c] + leads[b * C + c]) / 2;
  }
  return true;
}

function workspace(plan) {
  const n = plan.n;
  const gaps = new Float32Array(n);
  return {
    gaps, bits: new Int32Array(gaps.buffer), side: new Float64Array(n), p: new Float64Array(n), v: 0,
    net: new Float64Array(plan.C), size: new Float64Array(plan.C), found: new Float64Array(n),
  };
}

function constantBand(plan, out) {
  // Of equal classes the first is the answer.
  const winner = plan.shares.indexOf(Math.max(...plan.shares));
  for (let k = 0; k < out.winners.length; k++) {
    out.winners[k] = winner;
    out.shares.set(plan.shares, k * plan.C);
    for (let c = 0; c < plan.C; c++) out.leads[k * plan.C + c] = c === winner ? 1 : -1;
  }
  return out;
}

/** What all pixels of a row have in common. */
function enterRow(plan, work, view, size, r) {
  const { n, P, lift } = plan;
  const y = view.y1 - ((r + 0.5) / size) * (view.y1 - view.y0);
  work.v = (y - lift.b) / lift.scale;
  for (let i = 0; i < n; i++) {
    work.side[i] = P[3 * i + 1] * work.v + P[3 * i + 2];
    work.p[i] = P[3 * i];
  }
}

/** Decide pixel j of the row that was entered. */
function decide(plan, work, view, size, j, at, out) {
  const { n, lift } = plan;
  const { gaps, bits, side, p, v, net } = work;
  const u = (view.x0 + ((j + 0.5) / size) * (view.x1 - view.x0) - lift.a) / lift.scale;
  const r = 1 / Math.sqrt(1 + u * u + v * v);
  const ur = u * r;
  for (let i = 0; i < n; i++) gaps[i] = SAFE - (p[i] * ur + side[i] * r);
  if (plan.mode === "sums") sums(plan, bits, net, work.size);
  else if (plan.mode === "machine") machine(plan, bits, n, net, work.size);
  else if (plan.mode === "nearest") nearest(plan, gaps, net, work.size);
  else logarithms(plan, bits, n, work, net);
  out.winners[at] = settle(plan, net, work.size, at * plan.C, out.shares, out.leads);
}

function sums(plan, bits, net, total) {
  const { values, ends, C } = plan;
  let i = 0;
  for (let c = 0; c < C; c++) {
    let sum = 0;
    const end = ends[c];
    for (; i < end; i++) sum += values[(bits[i] >> SHIFT) - BASE];
    net[c] = sum - (plan.offset ? plan.offset[c] : 0);
    total[c] = Math.abs(net[c]);
  }
}

function machine(plan, bits, n, net, total) {
  const { values, W, C } = plan;
  if (C === 2) {
    let a = 0;
    let b = 0;
    for (let i = 0; i < n; i++) {
      const at = (bits[i] >> SHIFT) - BASE;
      const low = values[at];
      const k = low + (bits[i] & REST) * CELL * (values[at + 1] - low);
      a += k * W[2 * i];
      b += k * W[2 * i + 1];
    }
    net[0] = a;
    net[1] = b;
  } else {
    net.fill(0);
    for (let i = 0; i < n; i++) {
      const at = (bits[i] >> SHIFT) - BASE;
      const low = values[at];
      const k = low + (bits[i] & REST) * CELL * (values[at + 1] - low);
      for (let c = 0; c < C; c++) net[c] += k * W[C * i + c];
    }
  }
  for (let c = 0; c < C; c++) {
    if (plan.constant) net[c] += plan.constant[c];
    total[c] = Math.abs(net[c]);
  }
}

/** Nearness of each class: minus the gap of its nearest example that speaks for it. */
function nearest(plan, gaps, net, total) {
  const { ends, C, far } = plan;
  let i = 0;
  for (let c = 0; c < C; c++) {
    let best = 4;
    const end = ends[c];
    if (far.table) {
      for (; i < end; i++) {
        const g = gaps[i] > 1 ? far.table[Math.min(512, ((gaps[i] - 1) * 512) | 0)] : gaps[i];
        if (g < best) best = g;
      }
    } else if (far.odd) {
      for (; i < end; i++) if (gaps[i] < best) best = gaps[i];
    } else {
      // 1 - |correlation|: the opposite counts as near.
      let most = 0;
      for (; i < end; i++) {
        const xi = Math.abs(1 - gaps[i]);
        if (xi > most) most = xi;
      }
      best = 1 - most;
    }
    net[c] = -Math.sqrt(Math.max(best, 0));
    total[c] = 0;
  }
}

/** Sums where single terms are beyond any number. */
function logarithms(plan, bits, n, work, net) {
  const { logs, signs, W, C, ends } = plan;
  const { found, size: total } = work;
  let top = plan.constant ? 0 : -Infinity;
  for (let i = 0; i < n; i++) {
    const log = logs[(bits[i] >> SHIFT) - BASE];
    found[i] = log;
    if (log > top) top = log;
  }
  net.fill(0);
  let c = 0;
  for (let i = 0; i < n; i++) {
    while (i >= ends[c]) c++;
    if (found[i] < top - FAINT) continue;
    const k = signs[(bits[i] >> SHIFT) - BASE] * Math.exp(found[i] - top);
    if (W) for (let d = 0; d < C; d++) net[d] += k * W[C * i + d];
    else net[c] += k;
  }
  for (let d = 0; d < C; d++) total[d] = Math.abs(net[d]);
}

/** From net sums to shares, and by what part of all each class leads; gives the winner. */
function settle(plan, net, total, at, shares, leads) {
  const C = plan.C;
  let first = 0;
  let second = -1;
  for (let c = 1; c < C; c++) {
    if (net[c] > net[first]) {
      second = first;
      first = c;
    } else if (second < 0 || net[c] > net[second]) second = c;
  }
  const flat = plan.mode === "nearest";
  const mass = plan.offset ? plan.model.mass : null;
  let gain = 0;
  let whole = 0;
  for (let c = 0; c < C; c++) {
    gain += net[c] > 0 ? net[c] : 0;
    whole += total[c];
  }
  const unit = plan.mode === "nearest" ? 1 : whole || 1;
  for (let c = 0; c < C; c++) {
    // What breaks a tie does not change the shares, which are those of the majority vote.
    if (mass) shares[at + c] = mass[c] / plan.model.n;
    else if (flat || gain <= 0) shares[at + c] = c === first ? 1 : 0;
    else shares[at + c] = net[c] > 0 ? net[c] / gain : 0;
    const rival = c === first ? second : first;
    leads[at + c] = rival < 0 ? 1 : (net[c] - net[rival]) / unit;
  }
  return first;
}
