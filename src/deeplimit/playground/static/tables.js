// Python's tables, interpolated. All that is known of a kernel here came from Python: Chebyshev
// pieces of ln|K| in x = ln(s / (1 - s)), and what the kernel is at the opposite correlation.

/** Decode the numbers of a profile once. */
export function open(profile) {
  if (!profile.values) {
    const text = atob(profile.numbers);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    profile.values = new Float64Array(bytes.buffer);
  }
  return profile;
}

/** A function of the log odds, panel by panel; beyond its ends it follows the slope there. */
class Pieces {
  constructor(place, grid, values) {
    this.low = place.low;
    this.high = grid.high;
    this.n = grid.nodes;
    this.unit = (grid.high - place.low) / grid.panels;
    this.edges = Int32Array.from(place.edges);
    this.c = values.subarray(place.at, place.at + (place.edges.length - 1) * grid.nodes);
    this.panel = new Uint8Array(grid.panels + 1);
    for (let p = 0; p < this.edges.length - 1; p++) {
      this.panel.fill(p, this.edges[p], this.edges[p + 1] + 1);
    }
    this.slopes = [this.slope(0, -1), this.slope(this.edges.length - 2, 1)];
  }

  slope(p, u) {
    // The derivative of T_k at an end is k² up to a sign.
    let sum = 0;
    for (let k = 1; k < this.n; k++) {
      sum += this.c[p * this.n + k] * k * k * (u > 0 || k % 2 ? 1 : -1);
    }
    return (sum * 2) / ((this.edges[p + 1] - this.edges[p]) * this.unit);
  }

  at(x) {
    const inside = x < this.low ? this.low : x > this.high ? this.high : x;
    const place = (inside - this.low) / this.unit;
    const p = this.panel[place | 0];
    const low = this.edges[p];
    const u = (2 * (place - low)) / (this.edges[p + 1] - low) - 1;
    const start = p * this.n;
    let b1 = 0;
    let b2 = 0;
    for (let k = this.n - 1; k > 0; k--) {
      const b = 2 * u * b1 - b2 + this.c[start + k];
      b2 = b1;
      b1 = b;
    }
    const value = u * b1 - b2 + this.c[start];
    return x === inside ? value : value + this.slopes[x < inside ? 0 : 1] * (x - inside);
  }
}

/** ln(s / (1 - s)), for a gap in (0, 1]; 1 - s is exact where it matters. */
function logOdds(s) {
  return s < 1 ? Math.log(s / (1 - s)) : 60;
}

/**
 * A kernel as a function of the gap. `log` and `sign` after `look(s)` are of K for 0 < s <= 2,
 * divided by the kernel of a point with itself at a finite depth.
 */
export class Kernel {
  constructor(profile, entry) {
    open(profile);
    this.entry = entry;
    const make = (place) => (place ? new Pieces(place, profile.grid, profile.values) : null);
    this.near = make(entry.near);
    this.ratio = make(entry.far.ratio);
    this.farLog = make(entry.far.log);
    this.beside = make(entry.far.beside);
    this.constant = entry.far.constant ?? null;
    this.rootGap = entry.root_gap ?? null;
    this.closeness = entry.sign !== undefined;
    this.log = 0;
    this.sign = 1;
  }

  look(s) {
    const far = s > 1;
    const gap = far ? 2 - s : s;
    const x = logOdds(Math.max(gap, 1e-300));
    this.log = this.near.at(x);
    this.sign = 1;
    if (this.rootGap !== null) {
      const rest = this.rootGap - gap;
      this.log += Math.log(Math.abs(rest));
      this.sign = Math.sign(rest);
    }
    if (far) this.lookFar(x);
    else if (this.negated) this.sign = -this.sign;
    return this.log;
  }

  lookFar(x) {
    if (this.closeness) {
      if (this.ratio) this.log += Math.log(Math.max(this.ratio.at(Math.max(x, this.ratio.low)) * this.entry.sign, 0));
      this.sign = this.entry.sign;
    } else if (this.constant !== null) {
      this.sign *= this.constant;
    } else if (this.farLog) {
      this.log = this.farLog.at(Math.max(x, this.farLog.low));
    } else if (this.beside) {
      const value = this.beside.at(Math.max(x, this.beside.low));
      const squared = 2 * this.log;
      this.log = Math.log(Math.abs(value)) + (squared > 40 ? squared : Math.log1p(Math.exp(squared))) / 2;
      this.sign = Math.sign(value);
    } else {
      const value = this.ratio.at(Math.max(x, this.ratio.low));
      this.log += Math.log(Math.abs(value));
      this.sign = Math.sign(value);
    }
    if (this.negated) this.sign = -this.sign;
  }

  /** The value itself, at most e^700. */
  value(s) {
    this.look(s);
    return this.sign * Math.exp(Math.min(this.log, 700));
  }
}

/** The kernel of a depth (a number, or Infinity) in a profile; null if there is none. */
export function kernelOf(profile, kind, depth) {
  const wanted = depth === Infinity ? null : depth;
  const found = profile.tables.find(
    (entry) => entry.depth === wanted && entry.kind === (wanted === null ? "limit" : kind),
  );
  if (!found) return null;
  const kernel = new Kernel(profile, found);
  // What interpolates in the limit is the negative of what is tabulated.
  kernel.negated = wanted === null && profile.regime === "conditionally-positive-definite";
  return kernel;
}

/** What breaks the tie of a majority vote, if anything does. */
export function tieOf(profile) {
  const found = profile.tables.find((entry) => entry.kind === "tie");
  return found ? new Kernel(profile, found) : null;
}

/** Depths that a profile has kernels for, the limit last. */
export function depthsOf(profile, kind) {
  const depths = profile.tables.filter((t) => t.kind === kind && t.depth !== null).map((t) => t.depth);
  if (profile.regime !== "undecided") depths.push(Infinity);
  return depths;
}

/** Kinds of kernel that a profile has: an activation that jumps has no NTK. */
export function kindsOf(profile) {
  return ["ntk", "nngp"].filter((kind) => profile.tables.some((t) => t.kind === kind));
}

const BITS = 9;
export const SHIFT = 23 - BITS;
const SMALLEST = 127 - 41;
export const BASE = SMALLEST << BITS;
const COARSE = 23 << BITS;
const ENTRIES = (42 << BITS) + 2;

/**
 * Sample a kernel for drawing: an entry for each of the 512 intervals of a float32 gap's octave,
 * from 2^-41 to 2, at its middle or at its lower end. Gives ln|K| and signs.
 */
export function sampled(kernel, middle) {
  const logs = new Float64Array(ENTRIES);
  const signs = new Int8Array(ENTRIES);
  const half = middle ? 1 << (SHIFT - 1) : 0;
  const gap = new Float32Array(1);
  const bits = new Int32Array(gap.buffer);
  for (let k = 0; k < ENTRIES; ) {
    bits[0] = ((BASE + k) << SHIFT) + half;
    const log = kernel.look(Math.min(gap[0], 2));
    // Pairs this near are next to no pixel: one in sixteen will do.
    const end = k + (k < COARSE ? 16 : 1);
    logs.fill(log, k, end);
    signs.fill(kernel.sign, k, end);
    k = end;
  }
  return { logs, signs };
}
