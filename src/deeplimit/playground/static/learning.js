// Accuracy as examples are added, beside the nearest neighbour, the majority and the Bayes rule.

import { SOURCES } from "./data.js";
import { at, percent } from "./dom.js";
import { setKey, setPlot } from "./plots.js";
import { state } from "./state.js";

const SIZES = [25, 50, 100, 200, 400, 800, 1600];
// A system of equations for each sample: a few hundred examples are as many as do not keep waiting.
const SOLVED = [25, 50, 100, 200, 400];

let worker = null;
let id = 0;

/** Wire the button; `now` gives the profile and the settings. */
export function wireLearning(now) {
  at("learn").addEventListener("click", () => {
    const { profile, settings, noise } = now();
    const sums = state.depth === Infinity && ["singular-kernel", "nearest-neighbour", "majority-vote"].includes(profile.regime);
    worker?.terminate();
    worker = new Worker("worker.js", { type: "module" });
    id += 1;
    at("learn-note").textContent = "measuring …";
    const { values, ...plain } = profile;
    worker.onmessage = ({ data }) => {
      if (data.id === id) show(data.points, data.done, profile);
    };
    worker.postMessage({
      type: "learning", id, key: state.a, profile: plain, source: state.source, settings, noise,
      sizes: sums ? SIZES : SOLVED, tests: 400, repeats: sums ? 6 : 3,
    });
  });
}

function show(points, done, profile) {
  const values = points.flatMap((p) => [p.rule, p.nearest, p.majority, p.bayes]);
  const low = Math.floor(20 * Math.min(...values) - 0.2) / 20;
  const high = Math.min(1, Math.ceil(20 * Math.max(...values) + 0.2) / 20);
  const x = (p) => Math.log2(p.n / 25);
  const curve = (name) => points.map((p) => [x(p), p[name]]);
  const last = points[points.length - 1];
  const depth = state.depth === Infinity ? "∞" : state.depth;
  setPlot(at("learning"), {
    x: [0, Math.log2(SIZES[SIZES.length - 1] / 25)], y: [low, high], xName: "examples",
    xTicks: SIZES.map((n) => [Math.log2(n / 25), String(n)]),
    about: `Accuracy with ${last.n} examples: this rule ${percent(last.rule)}, nearest neighbour ${percent(last.nearest)}, majority ${percent(last.majority)}, Bayes rule ${percent(last.bayes)}.`,
    curves: [
      { class: "faint", points: curve("bayes") }, { class: "nn", points: curve("nearest") },
      { class: "majority", points: curve("majority") }, { class: "now", points: curve("rule") },
    ],
  });
  setKey(at("learning-key"), [["now", "this rule"], ["nn", "nearest neighbour"], ["majority", "majority"], ["faint", "best possible (Bayes)"]]);
  const title = SOURCES[state.source]?.title.toLowerCase();
  at("learn-note").textContent = done
    ? `${title}, ${profile.title} at depth ${depth}, ${last.n} examples: this rule ${percent(last.rule)}, nearest neighbour ${percent(last.nearest)}, majority ${percent(last.majority)}, best possible ${percent(last.bayes)}.`
    : `measuring, ${last.n} examples …`;
}
