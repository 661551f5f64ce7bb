// The decision rule of a depth, from Python's kernel tables and the examples at hand. Levels and
// ties are those of the library: coincident examples first, then the sums, then the heavier class,
// then the first.

import { distinct, fitLift, gapOf } from "./geometry.js";
import { solvePositive } from "./linear.js";
import { kernelOf, tieOf } from "./tables.js";

const TOLERANCE = 2 ** -40;

/**
 * Fit.
 * @param {object} p profile
 * @param {object} data {X: Float64Array of 2n, y: Int32Array of n, classes: number}
 * @param {object} set {depth: number or Infinity, kind, ridge}
 */
export function fitModel(p, data, set) {
  const n = data.y.length;
  const mass = new Float64Array(data.classes);
  for (const c of data.y) mass[c] += 1;
  const model = { ...data, n, mass, lift: fitLift(data.X), depth: set.depth, profile: p };
  if (n === 0) return { ...model, type: "empty" };
  if (set.depth === Infinity) {
    if (p.regime === "undecided") return { ...model, type: "undecided" };
    if (p.regime === "singular-kernel") {
      return { ...model, type: "sum", kernel: kernelOf(p, set.kind, Infinity) };
    }
    if (p.regime === "nearest-neighbour") {
      return { ...model, type: "nearest", kernel: kernelOf(p, set.kind, Infinity) };
    }
    if (p.regime === "majority-vote") return fitMajority(model, p);
    if (p.regime === "conditionally-positive-definite") {
      return fitInterpolation(model, kernelOf(p, set.kind, Infinity), set.ridge);
    }
  }
  const kernel = kernelOf(p, set.kind, set.depth);
  return kernel ? fitMachine(model, kernel, set.ridge) : { ...model, type: "undecided" };
}

/** Give a model that was fitted elsewhere its kernels. */
export function withKernels(model, p, set) {
  const made = { ...model, profile: p };
  if (["sum", "nearest", "machine"].includes(model.type)) made.kernel = kernelOf(p, set.kind, set.depth);
  if (model.offset) made.tie = tieOf(p);
  return made;
}

function gap(model, i, j) {
  const X = model.X;
  return gapOf(model.lift, X[2 * i], X[2 * i + 1], X[2 * j], X[2 * j + 1]);
}

/** Kernel ridge regression on the indicators of the classes; equal points are merged. */
function fitMachine(model, kernel, ridge) {
  const { first, member } = distinct(model.X);
  const m = first.length;
  const C = model.classes;
  const weight = new Float64Array(m);
  const Y = new Float64Array(m * C);
  for (let i = 0; i < model.n; i++) {
    weight[member[i]] += 1;
    Y[member[i] * C + model.y[i]] += 1;
  }
  const root = weight.map((w) => Math.sqrt((w * m) / model.n));
  const A = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < i; j++) {
      const k = kernel.value(gap(model, first[i], first[j]));
      // Beside the diagonal such numbers are nothing, and their products slow.
      A[i * m + j] = Math.abs(k) < 1e-150 ? 0 : k * root[i] * root[j];
    }
    A[i * m + i] = root[i] * root[i] + ridge;
    for (let c = 0; c < C; c++) Y[i * C + c] *= root[i] / weight[i];
  }
  if (!solvePositive(A, Y, m, C)) return { ...model, type: "unsolved" };
  for (let i = 0; i < m; i++) for (let c = 0; c < C; c++) Y[i * C + c] *= root[i];
  return { ...model, type: "machine", kernel, first, member, weight, coefficients: Y };
}

/** What is left of the kernel, and a constant: the limit where all correlations go to 1. */
function fitInterpolation(model, kernel, ridge) {
  const { first, member } = distinct(model.X);
  const m = first.length;
  const C = model.classes;
  const K = new Float64Array(m * m);
  const mean = new Float64Array(m);
  let total = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < i; j++) {
      const k = kernel.value(gap(model, first[i], first[j]));
      K[i * m + j] = K[j * m + i] = k;
      mean[i] += k / m;
      mean[j] += k / m;
    }
  }
  for (const k of mean) total += k / m;
  const weight = new Float64Array(m);
  const T = new Float64Array(m * C);
  for (let i = 0; i < model.n; i++) {
    weight[member[i]] += 1;
    T[member[i] * C + model.y[i]] += 1;
  }
  const average = new Float64Array(C);
  for (let i = 0; i < m; i++) {
    for (let c = 0; c < C; c++) {
      T[i * C + c] /= weight[i];
      average[c] += T[i * C + c] / m;
    }
  }
  const A = new Float64Array(m * m);
  const Y = new Float64Array(m * C);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j <= i; j++) A[i * m + j] = K[i * m + j] - mean[i] - mean[j] + total;
    // The kernel is negative: its mean sets the scale of the ridge.
    A[i * m + i] -= ridge * (total < 0 ? total : -1);
    for (let c = 0; c < C; c++) Y[i * C + c] = T[i * C + c] - average[c];
  }
  if (!solvePositive(A, Y, m, C)) return { ...model, type: "unsolved" };
  const constant = new Float64Array(average);
  for (let i = 0; i < m; i++) for (let c = 0; c < C; c++) constant[c] -= mean[i] * Y[i * C + c];
  return { ...model, type: "machine", kernel, first, member, weight, coefficients: Y, constant };
}

function fitMajority(model, p) {
  const top = Math.max(...model.mass);
  const tied = model.mass.filter((m) => m >= top * (1 - TOLERANCE)).length > 1;
  const tie = tied ? tieOf(p) : null;
  if (!tie) return { ...model, type: "majority" };
  const point = p.constants.fixed_point;
  const inner = new Float64Array(model.classes);
  for (let i = 0; i < model.n; i++) {
    for (let j = 0; j < model.n; j++) {
      const s = i === j ? 0 : gap(model, i, j);
      if (s !== 0) inner[model.y[j]] += tie.value(s);
    }
  }
  const offset = inner.map((v) => (point / (1 - point + model.n * point)) * v);
  return { ...model, type: "majority", tie, offset };
}

/** Sums of exp(log) by class and sign, each with its own scale; hits apart. */
function classSums(model, kernel, x, y, flat = false) {
  const C = model.classes;
  const logs = new Float64Array(model.n);
  const signs = new Int8Array(model.n);
  const top = new Float64Array(C).fill(-Infinity);
  const hits = new Float64Array(C);
  let exact = false;
  for (let i = 0; i < model.n; i++) {
    const s = gapOf(model.lift, x, y, model.X[2 * i], model.X[2 * i + 1]);
    const c = model.y[i];
    if (s === 0) {
      logs[i] = Infinity;
      signs[i] = 1;
      hits[c] += 1;
      exact = true;
    } else {
      logs[i] = flat ? 0 : kernel.look(s);
      signs[i] = flat ? 1 : kernel.sign;
      if (logs[i] > top[c]) top[c] = logs[i];
    }
  }
  const positive = new Float64Array(C);
  const negative = new Float64Array(C);
  for (let i = 0; i < model.n; i++) {
    if (logs[i] === Infinity) continue;
    const c = model.y[i];
    const term = Math.exp(logs[i] - (top[c] === -Infinity ? 0 : top[c]));
    if (signs[i] > 0) positive[c] += term;
    else if (signs[i] < 0) negative[c] += term;
  }
  return { logs, signs, top, positive, negative, hits, exact };
}

/** Classes whose upper bound reaches the greatest lower bound. */
function keepBest(level, left) {
  const { top, positive, negative } = level;
  const scale = Math.max(...left.map((c) => top[c]).filter(Number.isFinite), -Infinity);
  const unit = left.map((c) => (top[c] === -Infinity ? 0 : Math.exp(top[c] - scale)));
  const slack = left.map((c, k) => TOLERANCE * (positive[c] + negative[c]) * unit[k]);
  const net = left.map((c, k) => (positive[c] - negative[c]) * unit[k]);
  const bound = Math.max(...net.map((v, k) => v - slack[k]));
  return left.filter((_, k) => net[k] + slack[k] >= bound);
}

function heaviest(mass, left) {
  return left.reduce((best, c) => (mass[c] > mass[best] ? c : best), left[0]);
}

/** Shares of the winner and the others: what is negative or unknown counts as 0. */
function proportions(level, allowed, winner) {
  const C = level.top.length;
  const net = new Float64Array(C);
  for (const c of allowed) {
    const value = level.positive[c] - level.negative[c];
    const known = Math.abs(value) > TOLERANCE * (level.positive[c] + level.negative[c]);
    net[c] = known && value > 0 ? Math.log(value) + level.top[c] : -Infinity;
  }
  const best = Math.max(...allowed.map((c) => net[c]));
  const shares = new Float64Array(C);
  if (best === -Infinity) {
    shares[winner] = 1;
    return shares;
  }
  let total = 0;
  for (const c of allowed) total += shares[c] = Math.exp(net[c] - best);
  return shares.map((v) => v / total);
}

function hitLevel(sums) {
  const zero = new Float64Array(sums.hits.length);
  return { top: zero, positive: sums.hits, negative: zero };
}

function askSums(model, kernel, x, y, then = null) {
  const all = [...model.mass.keys()];
  const flat = kernel === null;
  const sums = classSums(model, kernel, x, y, flat);
  const byHits = sums.exact ? keepBest(hitLevel(sums), all) : all;
  let left = keepBest(sums, byHits);
  if (then && left.length > 1) {
    const next = classSums(model, then.kernel, x, y);
    if (next.exact) left = keepBest(hitLevel(next), left);
    left = keepBest(withOffset(next, then.offset), left);
  }
  const winner = heaviest(model.mass, left);
  const shares = sums.exact
    ? proportions(hitLevel(sums), all, winner)
    : proportions(sums, byHits, winner);
  return { winner, shares, exact: sums.exact, tied: left.length > 1, sums };
}

/** Take a constant for each class from its sum. */
function withOffset(level, offset) {
  const top = level.top.map((v, c) => (offset[c] ? Math.max(v, Math.log(Math.abs(offset[c]))) : v));
  const scaled = (values, c) => (level.top[c] === -Infinity ? 0 : values[c] * Math.exp(level.top[c] - top[c]));
  const positive = top.map((_, c) => scaled(level.positive, c));
  const negative = top.map((_, c) => scaled(level.negative, c));
  for (let c = 0; c < top.length; c++) {
    const size = offset[c] ? Math.exp(Math.log(Math.abs(offset[c])) - top[c]) : 0;
    if (offset[c] > 0) negative[c] += size;
    else positive[c] += size;
  }
  return { top, positive, negative };
}

/** Shares that the examples have in a smoother's score. */
function votes(model, found) {
  const { sums, exact } = found;
  const C = model.classes;
  // Whole score: what all classes with a positive sum add up to, or all absolute values.
  const level = exact ? hitLevel(sums) : sums;
  const net = [...Array(C).keys()].map((c) => {
    const value = level.positive[c] - level.negative[c];
    const size = level.positive[c] + level.negative[c];
    return Math.abs(value) <= TOLERANCE * size ? 0 : value;
  });
  const gains = net.some((v) => v > 0);
  const parts = net.map((v, c) => {
    const size = gains ? Math.max(v, 0) : level.positive[c] + level.negative[c];
    return size > 0 ? Math.log(size) + level.top[c] : -Infinity;
  });
  const best = Math.max(...parts);
  const total = best + Math.log(parts.reduce((sum, v) => sum + Math.exp(v - best), 0));
  const out = [];
  for (let i = 0; i < model.n; i++) {
    const hit = sums.logs[i] === Infinity;
    const share = exact
      ? hit ? Math.exp(-total) : 0
      : sums.signs[i] * Math.exp(sums.logs[i] - total);
    out.push({ i, share });
  }
  return out;
}

function askMachine(model, x, y) {
  const C = model.classes;
  const m = model.first.length;
  const scores = new Float64Array(C);
  const logs = new Float64Array(m);
  const signs = new Int8Array(m);
  let top = model.constant ? 0 : -Infinity;
  for (let k = 0; k < m; k++) {
    const i = model.first[k];
    const s = gapOf(model.lift, x, y, model.X[2 * i], model.X[2 * i + 1]);
    if (s === 0) {
      logs[k] = model.constant ? -Infinity : 0;
      signs[k] = 1;
    } else {
      logs[k] = model.kernel.look(s);
      signs[k] = model.kernel.sign;
    }
    if (logs[k] > top) top = logs[k];
  }
  if (top === -Infinity) top = 0;
  // Beyond the range of a number only the order is left, which a common factor does not change.
  const terms = logs.map((log, k) => signs[k] * Math.exp(log - top));
  for (let c = 0; c < C; c++) {
    if (model.constant) scores[c] = model.constant[c] * Math.exp(-top);
    for (let k = 0; k < m; k++) scores[c] += terms[k] * model.coefficients[k * C + c];
  }
  const ranked = scores.map((v) => v - scores.reduce((a, b) => a + b, 0) / C);
  const size = Math.max(...ranked.map(Math.abs));
  const best = Math.max(...ranked);
  const left = [...ranked.keys()].filter((c) => ranked[c] >= best - TOLERANCE * size);
  const winner = heaviest(model.mass, left);
  const sum = scores.reduce((a, v) => a + Math.max(v, 0), 0);
  const shares = scores.map((v, c) => (sum > 0 ? Math.max(v, 0) / sum : c === winner ? 1 : 0));
  // How hard each pulls for its own class, of all pulls; in the limit its share of the votes.
  const pulls = [];
  let all = 0;
  for (let i = 0; i < model.n; i++) {
    const k = model.member[i];
    const pull = (terms[k] * model.coefficients[k * C + model.y[i]]) / model.weight[k];
    pulls.push(pull);
    all += Math.abs(pull);
  }
  const voted = pulls.map((pull, i) => ({ i, share: all > 0 ? pull / all : 0 }));
  const output = ranked.map((v) => v * Math.exp(top));
  return { winner, shares, exact: false, tied: left.length > 1, output, votes: voted };
}

function askNearest(model, x, y) {
  const order = [];
  for (let i = 0; i < model.n; i++) {
    const s = gapOf(model.lift, x, y, model.X[2 * i], model.X[2 * i + 1]);
    if (s === 0) order.push({ i, log: Infinity, sign: 1 });
    else order.push({ i, log: model.kernel.look(s), sign: model.kernel.sign });
  }
  order.sort((a, b) => b.log - a.log || a.i - b.i);
  const C = model.classes;
  let tied = [...Array(C).keys()];
  let first = null;
  let voters = [];
  for (let start = 0; start < order.length && tied.length > 1; ) {
    let stop = start + 1;
    const level = order[start].log;
    while (stop < order.length && (order[stop].log === level || level - order[stop].log <= TOLERANCE)) stop++;
    const here = new Float64Array(C);
    for (let k = start; k < stop; k++) here[model.y[order[k].i]] += order[k].sign;
    if (first === null) {
      first = here;
      voters = order.slice(start, stop);
    }
    const best = Math.max(...tied.map((c) => here[c]));
    const size = Math.max(...here.map(Math.abs));
    tied = tied.filter((c) => here[c] >= best - TOLERANCE * size);
    start = stop;
  }
  const winner = heaviest(model.mass, tied);
  const gains = first.map((v, c) => (tied.includes(c) ? Math.max(v, 0) : 0));
  const sum = gains.reduce((a, b) => a + b, 0);
  const shares = gains.map((v, c) => (sum > 0 ? v / sum : c === winner ? 1 : 0));
  const votes = voters.map(({ i, sign }) => ({ i, share: sign / Math.max(1, voters.length) }));
  return { winner, shares, exact: order[0].log === Infinity, tied: tied.length > 1, votes };
}

/**
 * Ask at a point: winner, shares of the classes, whether examples coincide, and the examples that
 * decide with their shares, the heaviest first.
 */
export function ask(model, x, y) {
  let found = null;
  if (model.type === "sum") {
    found = askSums(model, model.kernel, x, y);
    found.votes = votes(model, found);
  } else if (model.type === "majority") {
    found = askSums(model, null, x, y, model.tie ? { kernel: model.tie, offset: model.offset } : null);
    found.votes = votes(model, found);
  } else if (model.type === "machine") found = askMachine(model, x, y);
  else if (model.type === "nearest") found = askNearest(model, x, y);
  else return null;
  found.votes.sort((a, b) => Math.abs(b.share) - Math.abs(a.share) || a.i - b.i);
  delete found.sums;
  return found;
}
