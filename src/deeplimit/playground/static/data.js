// Data of known probabilities: drawn from a seed, with the Bayes rule beside.

/** A generator of numbers in (0, 1), the same for the same seed (mulberry32). */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
}

function normal(random) {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

/** Gamma variate of shape a (Marsaglia and Tsang 2000). */
function gamma(random, a) {
  if (a < 1) return gamma(random, a + 1) * random() ** (1 / a);
  const d = a - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

const NODES = 240;

/** Classes that are curves with Gaussian noise around them. */
function curves(paths, view, noise) {
  const nodes = paths.map((path) =>
    Array.from({ length: NODES }, (_, k) => path((k + 0.5) / NODES)),
  );
  return {
    view,
    noise,
    classes: paths.length,
    draw(random, c, blur) {
      const [x, y] = paths[c](random());
      return [x + blur * normal(random), y + blur * normal(random)];
    },
    density(x, y, c, blur) {
      let sum = 0;
      for (const [a, b] of nodes[c]) sum += Math.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * blur * blur));
      return sum;
    },
  };
}

const turn = (t) => Math.PI * t;
const ring = (r) => (t) => [r * Math.cos(2 * turn(t)), r * Math.sin(2 * turn(t))];
const arm = (phase) => (t) => {
  const r = 0.2 + 1.25 * t;
  return [r * Math.cos(7.5 * t + phase), r * Math.sin(7.5 * t + phase)];
};
const spot = (a, b) => () => [a, b];
const ROOT3 = Math.sqrt(3);

/** Two Dirichlet distributions on a triangle: the paper's experiment in R³. */
function dirichlet(first, second) {
  const parameters = [first, second];
  return {
    view: { x0: -1.3, x1: 1.3, y0: -0.95, y1: 1.65 },
    noise: null,
    classes: 2,
    draw(random, c) {
      const g = parameters[c].map((a) => gamma(random, a));
      const sum = g[0] + g[1] + g[2];
      return [(g[1] - g[0]) / sum, (2 * g[2] - g[0] - g[1]) / sum / ROOT3];
    },
    density(x, y, c) {
      const p2 = (1 + ROOT3 * y) / 3;
      const p = [(1 - p2 - x) / 2, (1 - p2 + x) / 2, p2];
      if (Math.min(...p) <= 0) return 0;
      const a = parameters[c];
      return Math.exp(p.reduce((sum, v, k) => sum + (a[k] - 1) * Math.log(v), logNormal(a)));
    },
  };
}

function logNormal(a) {
  return logGamma(a[0] + a[1] + a[2]) - a.reduce((sum, v) => sum + logGamma(v), 0);
}

/** Stirling's series after a few steps up. */
function logGamma(x) {
  let shift = 0;
  while (x < 8) shift -= Math.log(x++);
  return shift + (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3);
}

/** Labels that are never sure: a square cut by a wave, three in four on either side. */
function coins() {
  const side = (x, y) => y > 0.35 * Math.sin(3 * x);
  return {
    view: { x0: -1.3, x1: 1.3, y0: -1.3, y1: 1.3 },
    noise: null,
    classes: 2,
    draw(random, c) {
      for (;;) {
        const x = 2 * random() - 1;
        const y = 2 * random() - 1;
        if (random() < (side(x, y) === (c === 1) ? 0.75 : 0.25)) return [x, y];
      }
    },
    density(x, y, c) {
      if (Math.max(Math.abs(x), Math.abs(y)) > 1) return 0;
      return side(x, y) === (c === 1) ? 0.75 : 0.25;
    },
  };
}

export const SOURCES = {
  moons: {
    title: "Moons",
    ...curves(
      [(t) => [Math.cos(turn(t)), Math.sin(turn(t))], (t) => [1 - Math.cos(turn(t)), 0.5 - Math.sin(turn(t))]],
      { x0: -1.7, x1: 2.7, y0: -1.95, y1: 2.45 },
      0.22,
    ),
  },
  circles: { title: "Circles", ...curves([ring(1), ring(0.45)], { x0: -1.7, x1: 1.7, y0: -1.7, y1: 1.7 }, 0.15) },
  spiral: { title: "Spiral", ...curves([arm(0), arm(Math.PI)], { x0: -1.9, x1: 1.9, y0: -1.9, y1: 1.9 }, 0.08) },
  dirichlet: { title: "Dirichlet (the paper)", ...dirichlet([0.5, 0.5, 2.5], [2.5, 0.1, 0.5]) },
  coins: { title: "Noisy halves", ...coins() },
  three: {
    title: "Three clouds",
    ...curves([spot(-0.8, -0.5), spot(0.8, -0.5), spot(0, 0.9)], { x0: -2.4, x1: 2.4, y0: -2.2, y1: 2.6 }, 0.55),
  },
};

function blurOf(source, settings) {
  return source.noise === null ? 0 : settings.blur ?? source.noise;
}

function shareOf(source, settings, c) {
  return c === 0 ? settings.prior : (1 - settings.prior) / (source.classes - 1);
}

/** Draw n points; `settings` are {blur, flip, prior}. */
export function draw(name, n, seed, settings) {
  const source = SOURCES[name];
  const random = generator(seed * 7919 + 17);
  const X = new Float64Array(2 * n);
  const y = new Int32Array(n);
  const counts = [];
  let left = n;
  for (let c = 0; c < source.classes - 1; c++) {
    counts[c] = Math.round(n * shareOf(source, settings, c));
    left -= counts[c];
  }
  counts.push(left);
  const labels = counts.flatMap((count, c) => Array(Math.max(0, count)).fill(c)).slice(0, n);
  // Shuffled, so that the first so many are a sample, too.
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [labels[i], labels[j]] = [labels[j], labels[i]];
  }
  for (let i = 0; i < n; i++) {
    const [a, b] = source.draw(random, labels[i], blurOf(source, settings));
    // Six digits: what the address and the Python code can hold.
    X[2 * i] = Math.round(a * 1e6) / 1e6;
    X[2 * i + 1] = Math.round(b * 1e6) / 1e6;
    const other = Math.floor(random() * (source.classes - 1));
    const flipped = random() < settings.flip;
    y[i] = flipped ? (labels[i] + 1 + other) % source.classes : labels[i];
  }
  return { X, y, classes: source.classes };
}

/** Probabilities of the classes at a point, label noise included; null where there are no data. */
export function posterior(name, x, y, settings) {
  const source = SOURCES[name];
  const p = [];
  let total = 0;
  for (let c = 0; c < source.classes; c++) {
    p.push(shareOf(source, settings, c) * source.density(x, y, c, blurOf(source, settings)));
    total += p[c];
  }
  if (!(total > 0)) return null;
  const f = settings.flip;
  return p.map((v) => (v / total) * (1 - f) + ((1 - v / total) * f) / (source.classes - 1));
}
