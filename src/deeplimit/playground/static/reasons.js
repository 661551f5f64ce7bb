// Why, at the pointer: shares of the classes, and the examples that decide.

import { at, draw, fill, make, mark, number, percent } from "./dom.js";
import { set, state } from "./state.js";

const SHOWN = 8;

/** Show what model.js found at the pointer. */
export function showReasons({ model, found, names, ids }) {
  if (!found) {
    at("reading").textContent = nothing(model);
    fill(at("shares"));
    fill(at("votes").tBodies[0]);
    return;
  }
  fill(at("reading"), ...words(model, found, names));
  fill(at("shares"), ...names.map((name, c) => share(name, c, found.shares[c])));
  at("votes").caption.textContent = caption(model, found);
  const rows = found.votes.slice(0, SHOWN).map((vote) => row(vote, model, names, ids));
  const rest = found.votes.slice(SHOWN).reduce((sum, vote) => sum + vote.share, 0);
  if (found.votes.length > SHOWN) {
    rows.push(make("tr", {}, make("td", { text: `${found.votes.length - SHOWN} others` }), make("td", { text: percent(rest, 2) }), make("td")));
  }
  refill(at("votes").tBodies[0], rows);
}

let shown = "";

/** Those that were forgotten, each with its way back. */
export function showForgotten() {
  const { forgotten } = state;
  if (shown === forgotten.join()) return;
  shown = forgotten.join();
  at("forgotten").hidden = !forgotten.length;
  at("recall").hidden = forgotten.length < 2;
  refill(at("forgotten-list"), forgotten.map((id) => make("button", {
    type: "button", text: `#${id}`, "aria-label": `Bring example ${id} back`,
    on: { click: () => set({ forgotten: state.forgotten.filter((i) => i !== id) }) },
  })));
}

/** Fill a place; if a button there had the focus, the one that comes in its place has it. */
function refill(place, children) {
  const index = [...place.querySelectorAll("button")].indexOf(document.activeElement);
  fill(place, ...children);
  if (index < 0) return;
  const buttons = place.querySelectorAll("button");
  (buttons[Math.min(index, buttons.length - 1)] ?? at("map")).focus({ preventScroll: true });
}

function nothing(model) {
  if (model.type === "empty") return "There are no examples yet.";
  if (model.type === "undecided") return "The regime is undecided, so that no limit can be stated: turn the depth down.";
  if (model.type === "unsolved") return "The system is too close to singular: choose a larger ridge.";
  return "Point at the map.";
}

function words(model, found, names) {
  const text = (value) => document.createTextNode(value);
  const place = `${state.pinned ? "Pinned at" : "At"} (${state.q.map((v) => number(v, 4)).join(", ")}): `;
  const parts = [text(place), make("b", { text: `class ${names[found.winner]}` })];
  if (found.exact) parts.push(text(". Examples lie exactly here, and they alone decide"));
  if (found.tied) parts.push(text(". A tie: the larger class wins, or else the first"));
  if (model.type === "machine" && !model.constant && names.length === 2) {
    const value = found.output[1] - found.output[0];
    const tiny = Math.abs(value) < 1e-9;
    parts.push(text(`. Score of ${names[1]} minus score of ${names[0]}: `), make("span", { id: "output", text: tiny ? "0" : number(value, 7) }),
      text(tiny ? " to nine digits; the larger of the two decides all the same" : ", which is no probability"));
  }
  parts.push(text(model.type === "machine" ? ". The shares below are the scores of the classes, cut off at 0." : "."));
  if (opposed(model, found)) parts.push(text(" The strongest single pull is against the decision: all the rest together outweighs it."));
  return parts;
}

/** Whether the example that pulls hardest pulls for a class that loses, or away from the one that wins. */
function opposed(model, { votes: [first], winner, exact, tied }) {
  if (!["machine", "sum"].includes(model.type) || exact || tied) return false;
  return first.share > 0 ? model.y[first.i] !== winner : first.share < 0 && model.y[first.i] === winner;
}

function share(name, c, value) {
  return make("div", { class: "share" }, make("span", { class: "cut", text: name, title: name }),
    draw("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, draw("rect", { width: 100 * value, height: 8, class: `fill-${c % 6}` })),
    make("span", { "data-share": c, text: percent(value, 4) }));
}

function caption(model, found) {
  if (model.type === "nearest") return "The example that decides";
  if (model.type === "majority") return "All examples count alike";
  if (model.type === "sum") return "Examples that decide, with their shares of the whole score";
  return model.depth === Infinity || found.votes[0].share > 0.1
    ? "Examples that pull hardest for their class, of all pulls"
    : "Examples that pull hardest for their class, of all pulls: at this depth many share the say";
}

function row({ i, share: part }, model, names, ids) {
  const id = ids[i];
  const c = model.y[i];
  return make("tr", {},
    make("td", { title: `at ${number(model.X[2 * i], 5)}, ${number(model.X[2 * i + 1], 5)}` },
      make("div", { class: "vote" }, make("span", { text: `#${id}` }),
        make("span", { class: "cut marked", title: names[c] }, mark(c), document.createTextNode(` ${names[c]}`)))),
    make("td", { text: percent(part, 2) }),
    make("td", {}, make("button", {
      type: "button", text: "Forget", "aria-label": `Forget example ${id}`, disabled: model.n < 3,
      on: { click: () => set({ forgotten: [...state.forgotten, id] }) },
    })));
}

at("recall").addEventListener("click", () => {
  set({ forgotten: [] });
  at("map").focus({ preventScroll: true });
});
