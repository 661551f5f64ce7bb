// The activation: choosing, typing or drawing one; its portrait, its dual map, its kernel.

import { at, fill, make, number, superscript, typeset } from "./dom.js";
import { after, destination, near } from "./pace.js";
import { sample, setKey, setPlot } from "./plots.js";
import { listen, set, state } from "./state.js";
import { kernelOf } from "./tables.js";

export const REGIMES = {
  "singular-kernel": "Singular kernel",
  "nearest-neighbour": "1-nearest neighbour",
  "majority-vote": "Majority vote",
  "conditionally-positive-definite": "Smooth interpolation",
  identity: "Linear",
  undecided: "Undecided",
};

// Dimensions of the map's data, whatever the activation is made for.
const PLANE = 2;

/** What a regime means, in a sentence. */
export function meaning(profile) {
  const { exponent, dimension } = profile.constants;
  switch (profile.regime) {
    case "singular-kernel":
      return exponent === 0
        ? "Every example votes with a weight that grows, near it, like a power of a logarithm: too slowly to be consistent in any dimension."
        : `Every example votes with a weight of 1/distance${power(exponent)}. ${consistent(dimension)}`;
    case "nearest-neighbour":
      return profile.constants.degree % 2
        ? "One example has all the say: the nearest. Noise in its label is noise in the answer."
        : "One example has all the say: the nearest (opposites on the sphere count as near). Noise in its label is noise in the answer.";
    case "majority-vote":
      return "All examples become equally similar, so that the larger class wins everywhere, whatever the input.";
    case "conditionally-positive-definite":
      return "All inputs become the same, by a constant factor a layer; what differences are left interpolate the labels smoothly. With a ridge that stays the same it ends in a majority vote.";
    case "identity":
      return "Layers change nothing: it stays a linear classifier.";
    default:
      return "Within the errors of its constants more than one regime is possible.";
  }
}

function consistent(dimension) {
  if (!Number.isInteger(dimension)) return `That is consistent only on sets of dimension ${number(dimension, 5)}, which is no whole number: with other data it does not become the best classifier there is.`;
  return `In ${dimension} dimension${dimension === 1 ? "" : "s"} that is consistent: with more and more examples it becomes the best classifier there is${dimension === PLANE ? "" : ` (on this plane, of ${PLANE} dimensions, it does not)`}.`;
}

/** Fill the list, by what the activations become. */
export function fillList(list) {
  const wanted = at("wanted").value;
  const groups = new Map();
  for (const entry of list) {
    if (wanted !== "any" && Number(wanted) !== entry.dimension) continue;
    const name = REGIMES[entry.regime];
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(entry);
  }
  const options = [...groups].map(([name, entries]) =>
    make("optgroup", { label: name }, ...entries.map((entry) => {
      const d = entry.dimension;
      const dimensions = Number.isInteger(d) ? `for ${d} dimension${d === 1 ? "" : "s"}, ` : "";
      const hint = entry.regime === "singular-kernel" && d && !entry.title.startsWith("designed") ? ` · ${dimensions}exponent ${number(entry.exponent, 3)}` : "";
      return make("option", { value: entry.key, text: entry.title + hint });
    })));
  if (!list.some((entry) => entry.key === state.a)) {
    options.unshift(make("option", { value: state.a, text: `own: ${state.a.slice(2)}` }));
  }
  fill(at("activation"), ...options);
  at("activation").value = state.a;
  const shown = [...groups.values()].flat().length;
  at("filter").hidden = wanted === "any";
  at("filter-says").textContent = `${shown} of ${list.length} shown.`;
}

/** Wire the controls. `list` are the named activations; `python` whether formulas can be asked. */
export function wire(list, python) {
  const dimensions = [...new Set(list.map((e) => e.dimension).filter((d) => Number.isInteger(d)))].sort((a, b) => a - b);
  fill(at("wanted"), make("option", { value: "any", text: "any dimension" }),
    ...dimensions.map((d) => make("option", { value: d, text: `${d} dimension${d === 1 ? "" : "s"}` })));
  fillList(list);
  at("wanted").addEventListener("change", () => {
    fillList(list);
    const first = list.find((e) => e.dimension === Number(at("wanted").value));
    if (at("wanted").value !== "any" && first && !at("activation").value) set({ a: first.key });
  });
  at("show-all").addEventListener("click", () => {
    at("wanted").value = "any";
    fillList(list);
    at("activation").focus();
  });
  at("activation").addEventListener("change", () => set({ a: at("activation").value }));
  at("start").addEventListener("input", () => set({ start: Number(at("start").value) }));
  const forms = { "own-formula": "formula-form", "own-hermite": "hermite-form" };
  for (const [button, form] of Object.entries(forms)) {
    at(button).addEventListener("click", () => {
      const open = at(form).hidden;
      for (const [b, f] of Object.entries(forms)) {
        at(f).hidden = !(open && f === form);
        at(b).setAttribute("aria-expanded", String(open && b === button));
      }
      say(open && !python ? "This copy of the page has no Python behind it. For formulas and drawn coefficients run: deeplimit playground" : "");
      if (open) at(form).querySelector("input").focus();
    });
    if (!python) at(form).querySelector("button").disabled = true;
  }
  at("formula-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const formula = at("formula").value.trim();
    if (formula) set({ a: `f:${formula}` });
    else say("Type a formula of x first, such as sin(2x) + 0.3*x.", true);
  });
  bars();
  at("hermite-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const values = [...at("hermite-bars").querySelectorAll("input")].map((input) => Number(input.value));
    if (values.some((v) => v)) set({ a: `c:${values.join(",")}` });
    else say("All weights are 0: raise one.", true);
  });
  listen((names) => {
    if (names.has("a")) fillList(list);
  });
}

function bars() {
  const usual = [0, 0.6, 0.8, 0.6, 0, 0, 0, 0];
  fill(at("hermite-bars"), ...usual.map((value, k) => {
    const says = make("output", { text: value.toFixed(2) });
    const input = make("input", {
      type: "range", min: -1, max: 1, step: 0.05, value, "aria-label": `weight of h${k}`,
      on: { input: () => { says.textContent = Number(input.value).toFixed(2); } },
    });
    return make("div", {}, input, make("div", { text: `h${k}` }), says);
  }));
}

/** Tell how the making of an own activation goes. */
export function say(text, wrong = false) {
  // A list of all functions is for those who ask for it.
  const [first, known] = text.split("; known are ");
  at("maker-note").textContent = known ? `${first}.` : text;
  at("maker-more").hidden = !known;
  at("maker-more").querySelector("p").textContent = known ?? "";
  at("maker-note").classList.toggle("wrong", wrong);
}

/** Show all there is of a profile. */
export function showActivation(profile) {
  showRegime(profile);
  showPortrait(profile);
  showCoefficients(profile);
  showDual(profile);
  showShape(profile);
  at("activation").value = state.a;
}

function showRegime(profile) {
  const { A, A1, B1 } = profile.constants;
  const constant = (name, value) => make("div", {}, make("dt", { text: name }), make("dd", { text: number(value, 6) }));
  const finer = [profile.reason, ...profile.warnings].map((text) => make("p", { text: typeset(text) }));
  const worst = Math.max(0, ...profile.tables.map((t) => t.error));
  if (worst > 1e-7) finer.push(make("p", { text: `Interpolated with an error of up to ${number(worst, 1)}.` }));
  fill(at("regime"),
    make("p", { class: "name", text: REGIMES[profile.regime] }),
    make("p", { text: meaning(profile) }),
    make("dl", {}, constant("A = E φ =", A), constant("A′ = E φ′ =", A1), constant("B′ = E φ′² =", B1)),
    make("details", {}, make("summary", { text: "Why, exactly" }), ...finer,
      make("p", {}, make("span", { text: "φ = " }), make("code", { text: profile.formula }))));
}

function showPortrait(profile) {
  const p = profile.portrait;
  if (!p) return fill(at("portrait"), make("p", { class: "note", text: "A layer with a bias or a skip is no function of one number." }));
  const n = p.value.length;
  const points = p.value.map((v, k) => [-p.reach + (2 * p.reach * k) / (n - 1), v]);
  const seen = points.filter(([x, y]) => Math.abs(x) <= 3 && y !== null).map(([, y]) => y);
  const top = Math.min(6, Math.max(1, ...seen));
  const bottom = Math.max(-6, Math.min(-0.5, ...seen));
  return setPlot(at("portrait"), {
    x: [-p.reach, p.reach], y: [bottom - 0.1, top + 0.1], height: 150,
    about: `Graph of ${profile.title}, scaled to mean square 1, from −4 to 4.`,
    curves: [{ class: "now", points: points.map(([x, y]) => [x, y ?? NaN]) }],
  });
}

function showCoefficients(profile) {
  const c = profile.hermite.slice(0, 12);
  const size = Math.max(...c.map(Math.abs), 0.2);
  const low = Math.min(0, ...c) < 0 ? -size : 0;
  setPlot(at("coefficients"), {
    x: [-0.6, 11.6], y: [low * 1.05, size * 1.05], height: 120,
    xTicks: c.map((_, k) => [k, String(k)]),
    about: `Hermite coefficients 0 to 11: ${c.map((v) => number(v, 2)).join(", ")}.`,
    bars: c.map((v, k) => ({ x: k, y: v })),
  });
}

const LAYERS = 60;

/** The dual map with the staircase of a correlation through the layers. */
export function showDual(profile) {
  const { xi, value } = profile.dual;
  const f = (x) => sample(xi, value, x);
  const layers = Math.min(state.depth, LAYERS);
  const web = [[state.start, state.start]];
  let x = state.start;
  for (let k = 0; k < layers; k++) {
    const y = f(x);
    web.push([x, y], [y, y]);
    x = y;
  }
  const last = state.depth === Infinity ? destination(profile, state.start) ?? x : after(profile, state.start, state.depth);
  const low = profile.parity === "odd" || Math.min(...value) < -0.02 || state.start < 0 ? -1 : 0;
  const end = state.depth === Infinity ? "in the end" : `after ${state.depth} layer${state.depth === 1 ? "" : "s"}`;
  setPlot(at("dual"), {
    x: [low, 1.001], y: [low, 1.001], square: true, xName: "correlation before the layer",
    about: `Dual map of ${profile.title}. From ξ = ${state.start} the correlation is ${near(last)} ${end}.`,
    curves: [
      { class: "axis", points: [[low, low], [1, 1]] },
      { class: "now", points: xi.map((v, k) => [v, value[k]]) },
      { class: "web", points: web },
    ],
    dots: [[state.start, state.start], [last, last]],
  });
  at("start").value = state.start;
  at("start-says").textContent = `${number(state.start, 2)} → ${near(last)}`;
}

/** Kernel against distance, both logarithmic. */
export function showShape(profile) {
  const decades = [-4, 0];
  const curve = (kernel) => {
    const unit = kernel.look(0.5);
    const points = [];
    for (let k = 0; k <= 120; k++) {
      const r = 10 ** (decades[0] + ((decades[1] + 0.13 - decades[0]) * k) / 120);
      const s = (r * r) / 2;
      points.push([Math.log10(r), (kernel.look(Math.min(s, 0.98)) - unit) / Math.LN10]);
    }
    return points;
  };
  const limit = profile.regime === "singular-kernel" || profile.regime === "identity" ? kernelOf(profile, state.kind, Infinity) : null;
  const flat = [[-4, 0], [0.13, 0]];
  const curves = [];
  let slope = "";
  if (limit) curves.push({ class: "limit", points: curve(limit) });
  else if (profile.regime === "majority-vote" || profile.regime === "conditionally-positive-definite") curves.push({ class: "limit", points: flat });
  const finite = state.depth === Infinity ? null : kernelOf(profile, state.kind, state.depth);
  if (finite) curves.push({ class: "now", points: curve(finite) });
  const all = curves.flatMap((c) => c.points.map((p) => p[1])).filter((v) => Number.isFinite(v) && Math.abs(v) < 60);
  const top = Math.max(1, ...all);
  const bottom = Math.min(-0.5, ...all);
  if (profile.regime === "singular-kernel") slope = ` In the limit a line of slope −${number(profile.constants.exponent, 4)}.`;
  const none = !curves.length;
  const step = top > 12 ? 5 : top > 5 ? 2 : 1;
  const yTicks = [];
  for (let v = Math.ceil(bottom); v <= top; v++) if (v % step === 0) yTicks.push([v, v === 0 ? "1" : `10${superscript(v)}`]);
  setPlot(at("shape"), {
    x: [-4, 0.13], y: [bottom - 0.15, top + 0.15], xName: "distance ‖x − z‖ on the sphere",
    xTicks: [-4, -3, -2, -1, 0].map((v) => [v, v === 0 ? "1" : `10${superscript(v)}`]), yTicks, curves,
    about: `Kernel against distance.${slope} ${finite ? `At depth ${state.depth} it bends off below some distance: the network resolves no nearer pairs.` : ""}`,
    words: none ? [{ x: -3.9, y: 0.3, text: "∞: the nearest has it all, at any distance" }] : [],
  });
  setKey(at("shape-key"), [finite && ["now", `depth ${state.depth}`], curves.some((c) => c.class === "limit") && ["limit", "the limit, ∞"]]);
}

const power = (v) => (v === 1 ? "" : superscript(number(v, 4)));
