// What is set, and the address that holds it.

const DEFAULTS = {
  a: "design_2", depth: Infinity, kind: "ntk", ridge: 0.001, start: 0.9,
  source: "moons", count: 160, seed: 1, blur: null, flip: 0.06, prior: 0.55,
  forgotten: [], q: null, own: null, brush: 0, bayes: false, links: true,
};

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
  for (const name of ["kind", "ridge", "start", "source", "count", "seed", "blur", "flip", "prior"]) {
    put(name, state[name], DEFAULTS[name]);
  }
  if (state.forgotten.length) words.set("forgotten", state.forgotten.join("."));
  if (state.q) words.set("q", state.q.map(short).join("_"));
  if (state.own && state.source === "own") {
    words.set("points", state.own.map(([x, y, c]) => `${short(x)}_${short(y)}_${c}`).join("!"));
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

const inside = (value, low, high, usual) => {
  const number = Number(value);
  return value !== null && Number.isFinite(number) ? Math.min(high, Math.max(low, number)) : usual;
};

/** Read the settings from an address; what makes no sense there is as usual. */
export function read(hash, sources) {
  const words = new URLSearchParams(hash.replace(/^#/, ""));
  const next = { ...DEFAULTS };
  const get = (name) => words.get(name);
  if (get("a") && get("a").length < 400) next.a = get("a");
  const depth = get("depth");
  next.depth = depth === null || depth === "inf" ? Infinity : inside(depth, 1, 1024, Infinity);
  if (["ntk", "nngp"].includes(get("kind"))) next.kind = get("kind");
  if ([0.001, 0.01, 0.1, 1].includes(Number(get("ridge")))) next.ridge = Number(get("ridge"));
  next.start = inside(get("start"), -0.99, 0.99, DEFAULTS.start);
  if (sources.includes(get("source"))) next.source = get("source");
  next.count = Math.round(inside(get("count"), 4, 600, DEFAULTS.count));
  next.seed = Math.round(inside(get("seed"), 1, 9999, DEFAULTS.seed));
  next.blur = get("blur") === null ? null : inside(get("blur"), 0.02, 0.8, null);
  next.flip = inside(get("flip"), 0, 0.45, DEFAULTS.flip);
  next.prior = inside(get("prior"), 0.1, 0.9, DEFAULTS.prior);
  const whole = (text) => text.split(".").map(Number).filter((v) => Number.isInteger(v) && v >= 0);
  if (get("forgotten")) next.forgotten = whole(get("forgotten"));
  const q = get("q")?.split("_").map(Number);
  if (q?.length === 2 && q.every(Number.isFinite)) next.q = q;
  if (get("points")) next.own = points(get("points"));
  next.bayes = get("bayes") === "1";
  next.links = get("links") !== "0";
  set(next);
}

function points(text) {
  const out = [];
  for (const [, x, y, c] of text.matchAll(/(-?\d+(?:\.\d+)?)_(-?\d+(?:\.\d+)?)_([0-5])(?!\d)/g)) {
    if (Math.abs(x) < 1e6 && Math.abs(y) < 1e6 && out.length < 600) out.push([Number(x), Number(y), Number(c)]);
  }
  return out;
}
