// How far the network of this depth is from its limit: computed, for a line beside the slider.

import { number, percent } from "./dom.js";
import { ask, fitModel } from "./model.js";
import { sample } from "./plots.js";
import { state } from "./state.js";
import { depthsOf } from "./tables.js";

/** Where correlations go in the end; null if that is not known. */
export function destination(profile, start) {
  const { A, fixed_point: point } = profile.constants;
  if (profile.regime === "identity") return start;
  if (profile.regime === "undecided") return null;
  return A === 0 ? 0 : point ?? 1;
}

/** The correlation after some layers, by the dual map. */
export function after(profile, start, layers) {
  const { xi, value } = profile.dual;
  let x = start;
  for (let k = 0; k < layers; k++) x = sample(xi, value, x);
  return x;
}

// Limits that are sums, and need no system of equations; and the most examples for one that does.
const SUMS = ["singular-kernel", "nearest-neighbour", "majority-vote"];
const SOLVED = 300;
let other = { stamp: null, model: null };
let waiting = null;

/** Say it in a sentence or two; `stamp` names activation and data, `again` says it when more is known. */
export function pace(profile, data, found, names, stamp, again) {
  const limit = state.depth === Infinity;
  const finite = depthsOf(profile, state.kind).filter(Number.isFinite);
  const deepest = finite[finite.length - 1];
  const words = [];
  clearTimeout(waiting);
  if (found && deepest && SUMS.includes(profile.regime)) {
    // The other end of the slider, at the same place.
    const depth = limit ? deepest : Infinity;
    const wanted = JSON.stringify([stamp, state.kind, state.ridge, depth]);
    const fit = () => {
      other = { stamp: wanted, model: fitModel(profile, data, { depth, kind: state.kind, ridge: state.ridge }) };
    };
    if (other.stamp !== wanted && !limit) fit();
    else if (other.stamp !== wanted && data.y.length <= SOLVED) {
      waiting = setTimeout(() => {
        fit();
        again();
      }, 400);
    }
    const there = other.stamp === wanted ? ask(other.model, ...state.q) : null;
    const c = found.winner;
    const [here, far] = [percent(found.shares[c]), there && percent(there.shares[c])];
    if (there) words.push(`At the pointer ${names[c]} has ${limit ? `${far} at ${layers(depth)} and ${here}` : `${here} at this depth and ${far}`} in the limit.`);
  }
  const shown = limit ? [8, 64, 256].filter((d) => finite.includes(d)) : [state.depth];
  words.push(correlations(profile, shown.length ? shown : finite.slice(-1)));
  return words.filter(Boolean).join(" ");
}

const layers = (depth) => `${depth} layer${depth === 1 ? "" : "s"}`;

function correlations(profile, depths) {
  const end = destination(profile, state.start);
  if (end === null || !depths.length) return "";
  // Where it has arrived nothing is to be added.
  const there = depths.findIndex((depth) => near(after(profile, state.start, depth)) === "all but 0");
  const way = depths.slice(0, there < 0 ? depths.length : there + 1).map((depth, k) => `${near(after(profile, state.start, depth))} after ${k ? depth : layers(depth)}`);
  return `A correlation of ${number(state.start, 2)} is ${way.join(", ")}, and ${near(end)} in the limit.`;
}

/** Three digits, and no more zeros than one can read. */
export function near(value) {
  return Math.abs(value) < 5e-4 && value !== 0 ? "all but 0" : number(value, 3);
}
