// The playground: wires the settings, the profile, the map, the reasons, and Python's words.

import { fillList, meaning, REGIMES, say, showActivation, showDual, showShape, wire } from "./activation.js";
import { draw, SOURCES } from "./data.js";
import { at, fill, make, number, percent } from "./dom.js";
import { ownNames, ownView, wireExamples } from "./examples.js";
import { wireLearning } from "./learning.js";
import { describeMap, middle, paint, pointAt, redraw, showLegend, wireMap } from "./map.js";
import { ask, fitModel, withKernels } from "./model.js";
import { pace } from "./pace.js";
import { pin, press, showBrief, showHelp, wirePointer } from "./pointer.js";
import { python } from "./python.js";
import { showForgotten, showReasons } from "./reasons.js";
import * as source from "./source.js";
import { COUNTS, listen, read, set, state, wishes } from "./state.js";
import { depthsOf, kindsOf } from "./tables.js";

let profile = null;
let depths = [Infinity];
let data = null;
let names = [];
let ids = [];
let model = null;
let modelStamp = null;

const noise = () => ({ blur: state.blur, flip: state.flip, prior: state.prior });
const settings = () => ({ depth: state.depth, kind: state.kind, ridge: state.ridge });
const stamp = () => JSON.stringify([state.a, settings(), state.depth === Infinity, dataStamp()]);
const dataStamp = () => [state.source, state.count, state.seed, noise(), state.forgotten, state.own?.length, version];
let version = 0;

/** Draw or take the examples, and leave the forgotten ones out. */
function makeData() {
  let all;
  if (state.source === "own") {
    const own = state.own ?? [];
    const most = Math.max(1, ...own.map((p) => p[2]));
    all = { X: Float64Array.from(own.flatMap(([x, y]) => [x, y])), y: Int32Array.from(own, (p) => p[2]), classes: most + 1 };
  } else all = draw(state.source, state.count, state.seed, noise());
  const gone = new Set(state.forgotten);
  ids = [...all.y.keys()].filter((i) => !gone.has(i));
  data = {
    X: Float64Array.from(ids.flatMap((i) => [all.X[2 * i], all.X[2 * i + 1]])),
    y: Int32Array.from(ids, (i) => all.y[i]), classes: all.classes,
  };
  names = (state.source === "own" ? ownNames() : [..."ABCDEF"]).slice(0, all.classes);
  const counts = names.map((_, c) => data.y.filter((v) => v === c).length);
  showLegend(names, counts);
}

const view = () => (state.source === "own" ? ownView() : SOURCES[state.source].view);

function fitted() {
  const now = stamp();
  if (modelStamp !== now) {
    model = fitModel(profile, data, settings());
    modelStamp = now;
  }
  return model;
}

/** Everything that follows from the settings. */
function picture() {
  if (!profile || !data) return;
  paint({ key: state.a, profile, data, settings: settings(), view: view(), noise: noise(), stamp: stamp() });
  if (!state.q) set({ q: middle() });
}

/** A picture has come: with the model that was fitted for it, which need not be fitted here. */
function drawn(picture, question) {
  if (picture.solved && question.stamp === stamp()) {
    model = withKernels(picture.solved, profile, settings());
    modelStamp = question.stamp;
  }
  document.body.dataset.took = picture.took ?? "";
  document.body.dataset.frames = Number(document.body.dataset.frames ?? 0) + 1;
  reading();
}

function reading() {
  if (!profile || !data) return;
  const now = fitted();
  const found = state.q && now.type !== "empty" ? ask(now, ...state.q) : null;
  showReasons({ model: now, found, names, ids });
  showBrief(found, names, ids, now.y);
  at("pace").textContent = pace(profile, data, found, names, JSON.stringify([state.a, dataStamp()]), reading);
  redraw(found);
  const depth = state.depth === Infinity ? "infinite depth" : `depth ${state.depth}`;
  describeMap(`Map of decisions by ${profile.title} at ${depth}: ${data.y.length} examples of ${names.length} classes.` +
    (found ? ` At ${state.q.map((v) => number(v, 4)).join(", ")}: class ${names[found.winner]}, share ${percent(found.shares[found.winner])}.` : ""));
  at("code").textContent = now.type === "empty" ? "# There are no examples yet.\n" : python(profile, data, now, names);
}

function trained() {
  if (state.kind === "ntk") return "trained";
  return kindsOf(profile).includes("ntk") ? "Bayesian (NNGP)" : "Bayesian (NNGP), since an activation that jumps has no NTK";
}

function showDepth() {
  const place = Math.max(0, depths.indexOf(state.depth));
  at("depth").max = depths.length - 1;
  at("depth").value = place;
  const limit = state.depth === Infinity;
  at("depth-says").textContent = limit ? "∞" : String(state.depth);
  at("depth").setAttribute("aria-valuetext", limit ? "infinite" : `${state.depth} layer${state.depth === 1 ? "" : "s"}`);
  const name = make("b", { text: limit ? REGIMES[profile.regime] : `${state.depth} hidden layer${state.depth === 1 ? "" : "s"}` });
  const rest = limit ? `. ${meaning(profile)}` : `, of infinite width, ${trained()}; on the way to: ${REGIMES[profile.regime].toLowerCase()}.`;
  fill(at("verdict"), name, document.createTextNode(rest));
  // On a small screen the slider stays in sight, and this with it.
  at("fate").textContent = limit ? REGIMES[profile.regime] : `on the way to: ${REGIMES[profile.regime].toLowerCase()}`;
}

function showControls() {
  at("kind").value = state.kind;
  at("ridge").value = String(state.ridge);
  at("source").value = state.source;
  at("count").value = state.count;
  at("seed").value = state.seed;
  const own = state.source === "own";
  at("own").hidden = !own;
  at("noises").hidden = own;
  at("count").disabled = at("seed").disabled = own;
  at("learn").disabled = own;
  const usual = SOURCES[state.source]?.noise ?? null;
  at("blur").disabled = usual === null;
  for (const [name, value, text] of [["blur", state.blur ?? usual ?? 0, (v) => (usual === null ? "none" : v.toFixed(2))], ["flip", state.flip, (v) => percent(v, 0)], ["prior", state.prior, (v) => percent(v, 0)]]) {
    at(name).value = value;
    at(`${name}-says`).textContent = text(value);
  }
  at("show-bayes").checked = state.bayes;
  at("show-bayes").disabled = own;
  // Why the two cannot be had.
  at("bayes-note").hidden = at("law-note").hidden = !own;
  at("show-links").checked = state.links;
  at("fit-view").disabled = !own || state.box === null;
  showHelp();
  showForgotten();
}

let complaint = "";

/** Nothing here may pass for the answer while the question is another. */
function busy(words) {
  document.body.classList.toggle("stale", words !== "");
  if (words) fill(at("verdict"), document.createTextNode(words));
}

/** Take what the activation does not offer at the nearest it does; what was wished for comes back when it can. */
function settle() {
  const kinds = kindsOf(profile);
  const kind = wishes.kind ?? state.kind;
  const kindNow = kinds.includes(kind) ? kind : kinds[0];
  depths = depthsOf(profile, kindNow);
  const depth = wishes.depth ?? state.depth;
  const depthNow = depths.includes(depth) ? depth : depths.filter((d) => d <= depth).pop() ?? depths[0];
  wishes.kind = kindNow === kind ? undefined : kind;
  wishes.depth = depthNow === depth ? undefined : depth;
  set({ kind: kindNow, depth: depthNow });
  at("kind").querySelector('[value="ntk"]').disabled = !kinds.includes("ntk");
  at("kind-note").textContent = kinds.includes("ntk") ? "" : "This activation jumps: it has no NTK, and is shown with the NNGP.";
}

// How long keys rest, in milliseconds, before Python is asked: who goes through the list by arrow
// passes many activations by, and their answers would hold up that of the last.
const REST = 250;
let loads = 0;

async function load() {
  const key = state.a;
  loads += 1;
  const turn = loads;
  const own = /^[fc]:/.test(key);
  const name = own ? key.slice(2) : titles.get(key) ?? key;
  busy(`${own ? "Python is tabulating the kernels of" : "Loading"} ${name} …`);
  if (own) say(`Python is tabulating the kernels of ${name} …`);
  try {
    if (profile && !own && !source.has(key)) await new Promise((rested) => { setTimeout(rested, REST); });
    if (turn !== loads) return;
    const found = await source.profile(key);
    if (turn !== loads) return;
    profile = found;
  } catch (error) {
    if (turn !== loads) return;
    complaint = error.message;
    set({ a: profile?.key ?? "design_2" });
    return;
  }
  say(complaint, complaint !== "");
  complaint = "";
  busy("");
  settle();
  showDepth();
  showActivation(profile);
  document.body.classList.remove("waiting");
  picture();
}

const animation = { timer: null };

/** Turn the depth from 1 to the limit, one step at a time. */
function play() {
  if (animation.timer) return stop();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (state.depth === Infinity) set({ depth: depths[0] });
  animation.timer = setInterval(() => {
    const place = depths.indexOf(state.depth);
    if (place + 1 >= depths.length) stop();
    else set({ depth: depths[place + 1] });
  }, calm ? 1500 : 550);
  at("play").setAttribute("aria-pressed", "true");
  at("play").querySelector("span").textContent = "Pause";
}

function stop() {
  clearInterval(animation.timer);
  animation.timer = null;
  at("play").setAttribute("aria-pressed", "false");
  at("play").querySelector("span").textContent = "Play";
}

function wireControls() {
  at("depth").addEventListener("input", () => {
    stop();
    wishes.depth = undefined;
    set({ depth: depths[Number(at("depth").value)] });
  });
  at("play").addEventListener("click", play);
  at("kind").addEventListener("change", () => {
    wishes.kind = undefined;
    set({ kind: at("kind").value });
  });
  at("ridge").addEventListener("change", () => set({ ridge: Number(at("ridge").value) }));
  fill(at("source"), ...Object.entries(SOURCES).map(([key, s]) => make("option", { value: key, text: s.title })),
    make("option", { value: "own", text: "Your own points" }));
  at("source").addEventListener("change", () => {
    const fresh = { source: at("source").value, blur: null, forgotten: [], q: null, pinned: false };
    // The paper's share goes with the paper's data.
    if (fresh.source === "dirichlet") {
      wishes.prior = state.prior;
      fresh.prior = 0.4;
    } else if (state.source === "dirichlet" && state.prior === 0.4) {
      fresh.prior = wishes.prior ?? 0.55;
    }
    set(fresh);
  });
  const whole = (name) => () => {
    const { min, max, value } = at(name);
    if (value === "") return;
    const taken = Math.min(Number(max), Math.max(Number(min), Math.round(Number(value))));
    at("count-note").textContent = Number(value) === taken ? "" : `From ${min} to ${max}, whole: ${taken} was taken.`;
    at(name).value = taken;
    set({ [name]: taken, forgotten: [] });
  };
  at("count").addEventListener("change", whole("count"));
  at("seed").addEventListener("change", whole("seed"));
  for (const name of ["blur", "flip", "prior"]) {
    at(name).addEventListener("input", () => set({ [name]: Number(at(name).value), forgotten: [] }));
  }
  at("show-bayes").addEventListener("change", () => set({ bayes: at("show-bayes").checked }));
  at("show-links").addEventListener("change", () => set({ links: at("show-links").checked }));
  const copied = (text, what) => async () => {
    try {
      await navigator.clipboard.writeText(text());
      at("copied").textContent = `${what} copied.`;
    } catch {
      at("copied").textContent = "The browser did not let the page copy: select it and copy by hand.";
    }
  };
  at("copy").addEventListener("click", copied(() => at("code").textContent, "Python"));
  at("share").addEventListener("click", copied(() => location.href, "Address"));
}

function forgetHeaviest() {
  const found = state.q && ask(fitted(), ...state.q);
  if (found && data.y.length > 2) set({ forgotten: [...state.forgotten, ids[found.votes[0].i]] });
}

const DATA = ["source", "count", "seed", "blur", "flip", "prior", "forgotten", "own", "names"];

listen((changed) => {
  if (!started) return;
  if (DATA.some((name) => changed.has(name))) {
    version += 1;
    makeData();
  }
  showControls();
  if (changed.has("a")) {
    load();
    return;
  }
  if (!profile) return;
  if (changed.has("kind")) depths = depthsOf(profile, state.kind);
  if (changed.has("depth") || changed.has("kind")) {
    showDepth();
    showShape(profile);
  }
  if (changed.has("depth") || changed.has("start")) showDual(profile);
  if ([...DATA, "depth", "kind", "ridge", "box"].some((name) => changed.has(name))) picture();
  else if (["q", "pinned", "start"].some((name) => changed.has(name))) reading();
  else redraw();
});

let started = false;
let titles = new Map();

/** Take the settings of the address, and tell what in it made no sense. */
function readAddress() {
  const odd = read(location.hash, [...Object.keys(SOURCES), "own"], [...titles.keys()]);
  at("notice").hidden = !odd.length;
  at("notice").textContent = odd.length
    ? `Part of the address was not understood, and is as usual: ${odd.map((name) => name.slice(0, 40)).join(", ")}.` : "";
}

async function start() {
  let index;
  try {
    index = await source.index();
  } catch (error) {
    fill(at("verdict"), document.createTextNode(`The tables could not be loaded: ${error.message}`));
    return;
  }
  titles = new Map(index.activations.map((entry) => [entry.key, entry.title]));
  readAddress();
  at("about").textContent = `Version ${index.version}. ${index.python ? "Python is answering." : "This copy has no Python behind it: typed formulas and your own tables need “deeplimit playground”."}`;
  wire(index.activations, index.python);
  wireControls();
  wireMap({ move: pointAt, press, pin, act: wirePointer(forgetHeaviest), drawn });
  wireExamples();
  wireLearning(() => ({ profile, settings: settings(), noise: noise() }));
  [at("count").min, at("count").max] = COUNTS;
  started = true;
  makeData();
  showControls();
  fillList(index.activations);
  await load();
}

addEventListener("hashchange", readAddress);
// For the tests: what the page would say at a point, without moving the pointer.
globalThis.playground = { repaint: picture, ask: (x, y) => ask(fitted(), x, y), state, set, data: () => data, model: () => fitted(), profile: () => profile };
start();
