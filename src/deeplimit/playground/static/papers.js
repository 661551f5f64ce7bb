// The page of papers: a ranked list and a map. What is known of them is asked of Python.

import { at, draw, eachFrame, fill, make, percent } from "./dom.js";
import { askPython, index } from "./source.js";

const AT_FIRST = 20;
const VIEWS = { order: "To read", liked: "Liked", dismissed: "Dismissed" };
const STAR = "M0-1.1.29-.36 1.05-.34.45.14.65.88 0 .45-.65.88-.45.14-1.05-.34-.29-.36z";
const CROSS = "M-.7-.7.7.7M-.7.7.7-.7";

let papers = new Map();
let pages = [];
let state = null;
let points = [];
let ranks = new Map();
let before = new Map();
let found = null;
let view = "order";
let count = AT_FIRST;
let open = null;
let current = null;

const ratingOf = (id) => (state.liked.includes(id) ? true : state.dismissed.includes(id) ? false : null);
const anyRatedIn = (one) => one !== null && one.liked.length + one.dismissed.length > 0;
const anyRated = () => anyRatedIn(state);
// One that another process has taken out of the library since has no title any more.
const titleOf = (id) => papers.get(id)?.title ?? `paper ${id}`;
const short = (title) => (title.length <= 60 ? title : `${title.slice(0, 59).trimEnd()}…`);
const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
const shown = () => found ?? state[view];

function say(words, wrong = false) {
  at("said").textContent = words;
  at("said-line").classList.toggle("wrong", wrong);
}

let last = Promise.resolve();

/** Ask Python, one question after the other; what goes wrong is told, and null. */
function ask(name, question) {
  last = last.then(() => asked(name, question));
  return last;
}

async function asked(name, question) {
  document.body.setAttribute("aria-busy", "true");
  try {
    return await askPython(`papers/${name}`, question);
  } catch (error) {
    say(error.message, true);
    return null;
  } finally {
    document.body.removeAttribute("aria-busy");
  }
}

/** Take a new state; another process may have read pages since. */
async function take(next) {
  if (state && next.stamp !== state.stamp) return load();
  before = anyRatedIn(state) ? ranks : new Map();
  state = next;
  ranks = new Map(state.order.map((id, k) => [id, k + 1]));
  return true;
}

async function load() {
  const all = await ask("list", {});
  if (!all) return false;
  papers = new Map(all.papers.map((paper) => [paper.id, paper]));
  pages = all.pages;
  state = null;
  found = null;
  open = null;
  current = null;
  points = [];
  await take(all.state);
  ask("map", {}).then((map) => {
    if (!map || map.stamp !== state.stamp) return;
    points = map.points;
    at("how").textContent = map.how === "t-SNE"
      ? "Laid out by t-SNE of words and meaning: who stands next to whom mostly holds, how far apart groups are does not."
      : "Laid out along the two directions in which the papers differ most.";
    drawMap();
    document.body.dataset.map = points.length;
  });
  return true;
}

// The list

function facts(paper) {
  const said = [];
  if (paper.authors.length) {
    const rest = (paper.n_authors ?? paper.authors.length) - paper.authors.length;
    said.push(rest > 0 ? `${paper.authors.join(", ")} and ${rest} more` : paper.authors.join(", "));
  } else if (paper.n_authors !== null) said.push(plural(paper.n_authors, "author"));
  if (paper.date) said.push(paper.date.replace(/^--/, ""));
  if (paper.comments) said.push(plural(paper.comments, "comment"));
  if (pages.length > 1) said.push(paper.pages.length === pages.length ? `on all ${pages.length} pages` : `on ${plural(paper.pages.length, "page")}`);
  return said.join(" · ");
}

function icon(path, line = false) {
  return draw("svg", { viewBox: "-1.2 -1.2 2.4 2.4", "aria-hidden": "true" }, draw("path", { d: path, class: line ? "stroke" : null }));
}

function rateButton(id, liked) {
  const word = liked ? "Like" : "Dismiss";
  const pressed = ratingOf(id) === liked;
  return make("button", { type: "button", class: liked ? "like" : "dismiss", "aria-pressed": String(pressed), "aria-label": `${word}: ${titleOf(id)}`,
    on: { click: () => rate(id, pressed ? null : liked, liked ? "like" : "dismiss") } },
  icon(liked ? STAR : CROSS, !liked), make("span", { text: word }));
}

function chance(id) {
  const p = state.probability[id];
  const rank = ranks.get(id);
  const was = before.get(id);
  return make("p", { class: "chance" },
    rank && !found ? make("b", { text: `${rank}.` }) : null,
    draw("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, draw("rect", { class: "positive", width: 100 * p, height: 10 })),
    make("span", { text: percent(p, p < 0.1 ? 1 : 0), "data-probability": p }),
    rank && was && was !== rank ? make("span", { class: "quiet", text: `${was > rank ? "↑" : "↓"} was ${was}.` }) : null);
}

function row(id) {
  const paper = papers.get(id);
  const whyId = `why-${id}`;
  const isOpen = open?.paper === id;
  return make("li", { id: `paper-${id}`, "data-paper": id, on: { pointerenter: () => point(id), focusin: () => point(id) } },
    make("h3", {}, paper.link ? make("a", { href: paper.link, rel: "noreferrer", target: "_blank", text: paper.title }) : document.createTextNode(paper.title)),
    make("p", { class: "note", text: facts(paper) }),
    make("div", { class: "inline" }, rateButton(id, true), rateButton(id, false),
      make("button", { type: "button", class: "why", "aria-expanded": String(isOpen), "aria-controls": isOpen ? whyId : null, "aria-label": `Why? ${paper.title}`, text: "Why?", on: { click: () => toggle(id) } }),
      anyRated() ? chance(id) : null),
    isOpen ? make("div", { class: "reasons", id: whyId }, ...reasons(open)) : null);
}

const SIDES = [
  [["liked"], "because you liked", "positive"], [["prior"], "because papers in general stand for what you like, as long as that is nothing", "positive"],
  [["dismissed", "papers in general"], "against it", "negative"],
];

function part(reason, colour) {
  const name = reason.paper === null ? document.createTextNode("papers in general") : link(reason.paper, reason.kind === "dismissed" ? "dismissed: " : "");
  return make("tr", {}, make("th", { scope: "row", class: "left" }, name),
    make("td", {}, draw("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      draw("rect", { width: 100 * reason.share, height: 10, class: colour }))),
    make("td", { text: percent(reason.share), "data-share": reason.share, "data-kind": reason.kind }));
}

function reasons(why) {
  const parts = [];
  if (anyRated()) {
    const sides = SIDES.map(([kinds, words, colour]) => [words, colour, why.reasons.filter((r) => kinds.includes(r.kind))]).filter(([, , rows]) => rows.length);
    parts.push(make("table", {}, make("caption", { text: `Its probability, ${percent(why.probability)}, is the sum of the parts for it` }),
      ...sides.map(([words, colour, rows]) => make("tbody", {}, make("tr", {}, make("th", { scope: "rowgroup", colspan: 3, class: "left side", text: words })),
        ...rows.map((reason) => part(reason, colour))))));
  } else parts.push(make("p", { class: "note", text: "Like or dismiss some papers, and here stands how much each of them counts." }));
  if (why.abstract) parts.push(make("p", { class: "abstract", text: why.abstract }));
  const paper = papers.get(why.paper);
  parts.push(make("p", { class: "note", text: `Stands on ${paper.pages.join(", ")}.` }));
  if (why.near.length) {
    parts.push(make("p", { class: "note", text: "Nearest to it by words and meaning:" }),
      make("ul", { class: "findings" }, ...why.near.map((n) => make("li", {}, link(n.paper), document.createTextNode(` ${percent(n.closeness, 0)}`)))));
  }
  return parts;
}

function link(id, opening = "") {
  return make("button", { type: "button", class: "plain", text: opening + short(titleOf(id)), on: { click: () => show(id) } });
}

function list() {
  fill(at("views"), ...Object.entries(VIEWS).map(([name, title]) => make("button", { type: "button", "aria-pressed": String(!found && view === name),
    text: `${title} ${state[name].length}`, on: { click: () => choose(name) } })));
  const ids = shown();
  fill(at("list"), ...ids.slice(0, count).map(row));
  at("more").hidden = ids.length <= count;
  at("more").textContent = `Show ${Math.min(2 * AT_FIRST, ids.length - count)} more of ${ids.length}`;
  at("no-search").hidden = found === null;
  at("undo").hidden = !state.can_undo;
  at("level").textContent = anyRated()
    ? `The order is yours. The level is mostly the share of papers that you are expected to like (${percent(state.expected, 0)}), until there are some hundred ratings.` : "";
  drawMap();
  document.body.dataset.frames = Number(document.body.dataset.frames ?? 0) + 1;
}

function choose(name) {
  const place = Object.keys(VIEWS).indexOf(name);
  view = name;
  found = null;
  count = AT_FIRST;
  at("words").value = "";
  say(state[name].length ? "" : name === "order" ? "Every paper is rated." : "None yet.");
  list();
  at("views").children[place].focus();
}

async function rate(id, liked, kind) {
  const place = shown().indexOf(id);
  const next = await ask("rate", { paper: id, liked });
  if (!next || !(await take(next))) return;
  if (open && anyRated()) await refresh();
  const words = liked === null ? "Taken back" : liked ? "Liked" : "Dismissed";
  say(`${words}: “${short(titleOf(id))}”. ${state.order.length} to read, ranked anew.`);
  list();
  focusOn(shown().includes(id) ? id : shown()[Math.min(place, shown().length - 1)], kind);
}

async function undo() {
  const next = await ask("undo", {});
  if (!next || !(await take(next))) return;
  if (open) await refresh();
  say(next.undone === null ? "There is nothing to take back." : `Taken back: what was said of “${short(titleOf(next.undone))}”.`);
  list();
  if (at("undo").hidden) at("list-title").focus();
}

function focusOn(id, kind) {
  (document.querySelector(`#paper-${id} .${kind}`) ?? at("list-title")).focus();
}

/** Ask the reasons of the open paper anew. */
async function refresh() {
  open = await ask("why", { paper: open.paper });
}

async function toggle(id) {
  open = open?.paper === id ? null : await ask("why", { paper: id });
  list();
  focusOn(id, "why");
}

/** Open a paper in the list, wherever it stands. */
async function show(id) {
  if (!shown().includes(id)) {
    found = null;
    const rating = ratingOf(id);
    view = rating === null ? "order" : rating ? "liked" : "dismissed";
  }
  count = Math.max(count, shown().indexOf(id) + 1);
  open = await ask("why", { paper: id });
  list();
  focusOn(id, "why");
  at(`paper-${id}`).scrollIntoView({ block: "center" });
}

async function search(event) {
  event.preventDefault();
  const text = at("words").value.trim();
  if (!text) return choose("order");
  const answer = await ask("search", { text });
  if (!answer) return undefined;
  found = answer.found.map((f) => f.paper);
  count = AT_FIRST;
  const unknown = answer.unknown.length ? ` In no paper: ${answer.unknown.join(", ")}.` : "";
  say(`${found.length ? `${plural(found.length, "paper")}, the nearest first.` : "Nothing found."}${unknown}`);
  return list();
}

// The map

const SIZE = 100;
const EDGE = 108;

function drawMap() {
  if (!points.length) return;
  const rated = anyRated();
  const layer = { null: 0, true: 1, false: 2 };
  const marks = points.map((p) => ({ ...p, rating: ratingOf(p.paper) })).sort((a, b) => layer[a.rating] - layer[b.rating]);
  const chosen = current ?? open?.paper ?? null;
  const options = marks.map(({ paper: id, x, y, rating }) => {
    const kind = rating === null ? "dot" : rating ? "star" : "cross";
    const size = (rating === null ? 2.1 : rating ? 5 : 3.4) + (found?.includes(id) ? 0.8 : 0);
    const shape = rating === null ? draw("circle", { r: 1 }) : draw("path", { d: rating ? STAR : CROSS });
    if (rating === null) shape.setAttribute("fill-opacity", rated ? (1 - (ranks.get(id) - 1) / state.order.length).toFixed(3) ** 2 : 0.4);
    const words = rating === null ? (rated ? `, ${percent(state.probability[id], 0)}` : "") : rating ? ", liked" : ", dismissed";
    return draw("g", { id: `point-${id}`, role: "option", class: `${kind}${found && !found.includes(id) ? " dim" : ""}`, "aria-selected": String(open?.paper === id),
      "aria-label": `${titleOf(id)}${words}`, transform: `translate(${(SIZE * x).toFixed(2)} ${(-SIZE * y).toFixed(2)}) scale(${size})` }, shape);
  });
  fill(at("map"), draw("svg", { viewBox: `${-EDGE} ${-EDGE} ${2 * EDGE} ${2 * EDGE}`, role: "presentation" },
    ...options, draw("circle", { id: "ring", r: 5, hidden: true, "aria-hidden": "true" })));
  point(chosen);
}

/** Ring a paper on the map and tell its title there. */
function point(id) {
  current = id;
  const ring = at("ring");
  const p = points.find((one) => one.paper === id);
  if (!ring) return;
  ring.toggleAttribute("hidden", !p);
  at("tip").hidden = !p;
  if (!p) {
    at("map").removeAttribute("aria-activedescendant");
    return;
  }
  ring.setAttribute("cx", SIZE * p.x);
  ring.setAttribute("cy", -SIZE * p.y);
  at("map").setAttribute("aria-activedescendant", `point-${id}`);
  at("tip").textContent = titleOf(id);
  // Within the map, whatever the point: as far left of it as it lies from the left edge.
  const left = 50 + (50 * SIZE * p.x) / EDGE;
  const height = 50 - (50 * SIZE * p.y) / EDGE;
  const { style } = at("tip");
  style.left = `${left}%`;
  style.top = `${height}%`;
  style.translate = `-${left}% ${p.y < 0 ? "calc(-100% - 0.9rem)" : "0.9rem"}`;
}

function nearest(event) {
  const box = at("map").getBoundingClientRect();
  const x = ((2 * (event.clientX - box.left)) / box.width - 1) * (EDGE / SIZE);
  const y = (1 - (2 * (event.clientY - box.top)) / box.height) * (EDGE / SIZE);
  const far = (p) => Math.hypot(p.x - x, p.y - y);
  const best = points.reduce((a, b) => (far(b) < far(a) ? b : a), points[0]);
  return best && far(best) < 0.15 ? best.paper : null;
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function step(event) {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    if (current !== null) show(current);
    return;
  }
  const way = STEPS[event.key];
  if (!way || !points.length) return;
  event.preventDefault();
  const from = points.find((p) => p.paper === current);
  if (!from) {
    point(state.order[0] ?? points[0].paper);
    return;
  }
  // Near, and not far off the way: twice as far aside counts like four times as far ahead.
  const cost = (p) => {
    const ahead = (p.x - from.x) * way[0] + (p.y - from.y) * way[1];
    const aside = Math.abs((p.x - from.x) * way[1] - (p.y - from.y) * way[0]);
    return ahead > 1e-9 ? ahead + 2 * aside : Infinity;
  };
  const best = points.reduce((a, b) => (cost(b) < cost(a) ? b : a), from);
  if (cost(best) < Infinity) point(best.paper);
}

function legend() {
  const mark = (kind, shape) => draw("svg", { viewBox: "-1.3 -1.3 2.6 2.6", "aria-hidden": "true" }, draw("g", { class: kind }, shape));
  const dot = (opacity) => draw("circle", { r: 0.9, "fill-opacity": opacity });
  fill(at("marks"), make("li", {}, mark("star", draw("path", { d: STAR })), document.createTextNode("liked")),
    make("li", {}, mark("cross", draw("path", { d: CROSS })), document.createTextNode("dismissed")),
    make("li", {}, mark("dot", dot(0.1)), mark("dot", dot(1)), document.createTextNode("to read: the fuller, the better its rank")));
}

async function start() {
  const { papers: there } = await index().catch(() => ({ papers: false }));
  at("absent").hidden = Boolean(there);
  if (there && (await load())) {
    legend();
    at("shelf").hidden = false;
    say(anyRated() ? `${state.liked.length} liked, ${state.dismissed.length} dismissed; the rest is ranked.` : "Nothing is rated yet. Like a few papers, and the rest is ranked.");
    list();
  }
  at("search").addEventListener("submit", search);
  at("no-search").addEventListener("click", () => choose("order"));
  at("undo").addEventListener("click", undo);
  at("more").addEventListener("click", () => {
    const first = count;
    count += 2 * AT_FIRST;
    list();
    focusOn(shown()[first], "like");
  });
  at("map").addEventListener("pointermove", eachFrame((event) => point(nearest(event))));
  at("map").addEventListener("pointerleave", () => point(open?.paper ?? null));
  at("map").addEventListener("click", (event) => {
    const id = nearest(event);
    if (id !== null) show(id);
  });
  at("map").addEventListener("keydown", step);
  document.body.dataset.ready = "1";
}

start();
