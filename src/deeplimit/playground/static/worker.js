// The work beside the page: rows of a picture, and learning curves.

import { draw, posterior } from "./data.js";
import { band, prepare } from "./frame.js";
import { ask, fitModel, withKernels } from "./model.js";

const profiles = new Map();

onmessage = ({ data: message }) => {
  if (message.profile) profiles.set(message.key, message.profile);
  if (message.type === "fit") fit(message);
  if (message.type === "frame") frame(message);
  if (message.type === "learning") learning(message);
};

let kept = { stamp: null, model: null, plan: null };

// Kernels are classes with tables: each thread makes its own of them.
const KERNELS = ["kernel", "tie", "profile"];

/** Fit a model, for all who draw the picture and for the page. */
function fit({ id, key, data, settings, stamp }) {
  const model = fitModel(profiles.get(key), data, settings);
  kept = { stamp, model, plan: null };
  const solved = { ...model };
  for (const name of KERNELS) delete solved[name];
  postMessage({ id, solved });
}

/** The band of a picture between two rows, as colours and as leads of the classes. */
function frame({ id, part, key, data, settings, view, size, from, to, colours, stamp, solved }) {
  if (kept.stamp !== stamp) {
    kept = { stamp, model: withKernels(solved, profiles.get(key), settings), plan: null };
  }
  const { type } = kept.model;
  const answer = { id, part, from, to, type };
  if (["empty", "undecided", "unsolved"].includes(type)) return postMessage(answer);
  kept.plan ??= prepare(kept.model, `${key} ${settings.kind} ${settings.depth}`);
  const { shares, leads, winners } = band(kept.plan, view, size, from, to);
  const pixels = paint(shares, winners, data.classes, colours);
  return postMessage({ ...answer, pixels, leads }, [pixels.buffer, leads.buffer]);
}

/** The winner's colour over the ground, the stronger the larger its share. */
function paint(shares, winners, C, { classes, ground }) {
  const pixels = new Uint8ClampedArray(winners.length * 4);
  for (let j = 0; j < winners.length; j++) {
    const w = winners[j];
    const sure = C > 1 ? Math.max(0, (shares[j * C + w] - 1 / C) / (1 - 1 / C)) : 1;
    const strength = 0.13 + 0.5 * sure;
    for (let k = 0; k < 3; k++) pixels[4 * j + k] = ground[k] + strength * (classes[w][k] - ground[k]);
    pixels[4 * j + 3] = 255;
  }
  return pixels;
}

/** Accuracy by number of examples: of the rule, the nearest neighbour, the majority, and Bayes. */
function learning({ id, key, source, settings, noise, sizes, tests, repeats }) {
  const profile = profiles.get(key);
  const points = [];
  for (const n of sizes) {
    const sums = { rule: 0, nearest: 0, majority: 0, bayes: 0 };
    let asked = 0;
    for (let r = 0; r < repeats; r++) {
      const data = draw(source, n, 1000 + 10 * r, noise);
      const test = draw(source, tests, 5000 + 10 * r + 1, { ...noise, flip: 0 });
      const model = fitModel(profile, data, settings);
      const most = model.mass.indexOf(Math.max(...model.mass));
      for (let i = 0; i < tests; i++) {
        const x = test.X[2 * i];
        const y = test.X[2 * i + 1];
        const p = posterior(source, x, y, noise);
        if (!p) continue;
        const found = ask(model, x, y);
        asked += 1;
        sums.rule += found ? p[found.winner] : p[most];
        sums.nearest += p[nearestClass(data, x, y)];
        sums.majority += p[most];
        sums.bayes += Math.max(...p);
      }
    }
    const point = { n };
    for (const name of Object.keys(sums)) point[name] = sums[name] / asked;
    points.push(point);
    postMessage({ id, points, done: points.length === sizes.length });
  }
}

function nearestClass({ X, y }, a, b) {
  let best = Infinity;
  let winner = 0;
  for (let i = 0; i < y.length; i++) {
    const d = (X[2 * i] - a) ** 2 + (X[2 * i + 1] - b) ** 2;
    if (d < best) {
      best = d;
      winner = y[i];
    }
  }
  return winner;
}
