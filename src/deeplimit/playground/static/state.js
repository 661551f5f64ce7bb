// What is set, and the address that holds it.

const DEFAULTS = {
  a: "design_2", depth: Infinity, kind: "ntk", ridge: 0.001, start: 0.9,
  source: "moons", count: 160, seed: 1, blur: null, flip: 0.06, prior: 0.55,
  forgotten: [], q: null, pinned: false, own: null, names: null, box: null, brush: 0, bayes: false, links: true,
};
const NOISES = { blur: [0.02, 0.8], flip: [0, 0.45], prior: [0.1, 0.9] };
export const COUNTS = [4, 600];
const KNOWN = ["a", "depth", "kind", "ridge", "start", "source", "count", "seed", ...Object.keys(NOISES), "forgotten", "q", "pin", "points", "view", "name", "bayes", "links"];

// What was chosen and is not to be had with what else is set: it comes back when it can.
export const wishes = {};

export const state = { ...DEFAULTS };
const listeners = [];

/** Call a function with the names of what changed. */
export function listen(call) {
  listeners.push(call);
}

let writing = null;

/** Change some settings. */
export function set(change) {
  const names = new Set();
  for (const [name, value] of Object.entries(change)) {
    if (state[name] !== value) {
      state[name] = value;
      names.add(name);
    }
  }
  if (!names.size) return;
  for (const call of listeners) call(names);
  clearTimeout(writing);
  writing = setTimeout(write, 250);
}

const short = (v) => String(Math.round(v * 1e6) / 1e6);

/** The settings as the part of the address after #. */
export function address() {
  const words = new URLSearchParams();
  const put = (name, value, usual) => {
    if (value !== usual && value !== null) words.set(name, String(value));
  };
  put("a", state.a, DEFAULTS.a);
  put("depth", state.depth === Infinity ? "inf" : state.depth, "inf");
  for (const name of ["ridge", "start", "source", "count", "seed", ...Object.keys(NOISES)]) put(name, state[name], DEFAULTS[name]);
  put("kind", wishes.kind ?? state.kind, DEFAULTS.kind);
  if (state.forgotten.length) words.set("forgotten", state.forgotten.join("."));
  if (state.q) words.set("q", state.q.map(short).join("_"));
  put("pin", state.pinned && state.q ? 1 : null, null);
  if (state.own && state.source === "own") {
    words.set("points", state.own.map(([x, y, c]) => `${short(x)}_${short(y)}_${c}`).join("!"));
    for (const name of state.names ?? []) words.append("name", name);
    if (state.box) words.set("view", [state.box.x0, state.box.y0, state.box.x1 - state.box.x0].map(short).join("_"));
  }
  put("bayes", state.bayes ? 1 : null, null);
  put("links", state.links ? null : 0, null);
  return words.toString();
}

function write() {
  // What is too long for an address stays on the page.
  const text = address();
  if (text.length < 20000) history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}

/** Read the settings from an address; gives the names of those that make no sense there, and are as usual. */
export function read(hash, sources, keys) {
  const words = new URLSearchParams(hash.replace(/^#/, ""));
  const next = { ...DEFAULTS };
  const odd = new Set([...words.keys()].filter((name) => !KNOWN.includes(name)));
  const get = (name) => words.get(name);
  const among = (name, values) => {
    if (get(name) === null) return;
    const found = values.find((v) => String(v) === get(name));
    if (found === undefined) odd.add(name);
    else next[name] = found;
  };
  const inside = (name, low, high) => {
    const text = get(name);
    if (text === null) return;
    const value = text.trim() === "" ? NaN : Number(text);
    if (!(value >= low && value <= high)) odd.add(name);
    if (Number.isFinite(value)) next[name] = Math.min(high, Math.max(low, value));
  };
  const numbers = (name, count) => {
    const found = get(name)?.split("_").map((text) => (text.trim() === "" ? NaN : Number(text)));
    if (found && found.length === count && found.every((v) => Math.abs(v) < 1e6)) return found;
    if (found) odd.add(name);
    return null;
  };
  if (get("a") !== null) {
    if (keys.includes(get("a")) || /^[fc]:.{1,396}$/s.test(get("a"))) next.a = get("a");
    else odd.add("a");
  }
  if (get("depth") !== "inf") inside("depth", 1, 1024);
  among("kind", ["ntk", "nngp"]);
  among("ridge", [0.001, 0.01, 0.1, 1]);
  inside("start", -0.99, 0.99);
  among("source", sources);
  inside("count", ...COUNTS);
  inside("seed", 1, 9999);
  for (const name of ["depth", "count", "seed"]) next[name] = Math.round(next[name]);
  for (const [name, range] of Object.entries(NOISES)) inside(name, ...range);
  if (get("forgotten")) {
    next.forgotten = get("forgotten").split(".").filter((text) => /^\d{1,5}$/.test(text)).map(Number);
    if (next.forgotten.length !== get("forgotten").split(".").length) odd.add("forgotten");
  }
  next.q = numbers("q", 2);
  next.pinned = next.q !== null && get("pin") === "1";
  if (get("points")) {
    next.own = points(get("points"));
    if (next.own.length !== get("points").split("!").length) odd.add("points");
  }
  // Names are shown, and stand in the Python that is copied: one line each.
  const names = words.getAll("name").slice(0, 6).map((name) => name.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").slice(0, 80));
  next.names = names.length ? names : null;
  // Points of a file are there to be looked at.
  next.brush = names.length ? -1 : 0;
  const view = numbers("view", 3);
  if (view && view[2] > 1e-6) next.box = { x0: view[0], x1: view[0] + view[2], y0: view[1], y1: view[1] + view[2] };
  next.bayes = get("bayes") === "1";
  next.links = get("links") !== "0";
  for (const name of Object.keys(wishes)) delete wishes[name];
  set(next);
  return [...odd];
}

function points(text) {
  const out = [];
  for (const [, x, y, c] of text.matchAll(/(-?\d+(?:\.\d+)?)_(-?\d+(?:\.\d+)?)_([0-5])(?!\d)/g)) {
    if (Math.abs(x) < 1e6 && Math.abs(y) < 1e6 && out.length < 600) out.push([Number(x), Number(y), Number(c)]);
  }
  return out;
}
