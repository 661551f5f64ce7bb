// Why, at the pointer: shares of the classes, and the examples that decide.

import { at, draw, fill, make, mark, number, percent } from "./dom.js";
import { set, state } from "./state.js";

const SHOWN = 8;

/** Show what model.js found at the pointer. */
export function showReasons({ model, found, names, ids }) {
  at("forgotten").textContent = state.forgotten.length
    ? `Forgotten: ${state.forgotten.map((i) => `#${i}`).join(", ")}. The rest is as if they had never been given.`
    : "";
  at("recall").hidden = !state.forgotten.length;
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
    rows.push(make("tr", {}, make("td", { text: `${found.votes.length - SHOWN} others` }), make("td"), make("td", { text: percent(rest, 2) }), make("td")));
  }
  fill(at("votes").tBodies[0], ...rows);
}

function nothing(model) {
  if (model.type === "empty") return "There are no examples yet.";
  if (model.type === "undecided") return "The regime is undecided, so that no limit can be stated: turn the depth down.";
  if (model.type === "unsolved") return "The system is too close to singular: choose a larger ridge.";
  return "Point at the map.";
}

function words(model, found, names) {
  const text = (value) => document.createTextNode(value);
  const place = `At (${state.q.map((v) => number(v, 4)).join(", ")}): `;
  const parts = [text(place), make("b", { text: `class ${names[found.winner]}` })];
  if (found.exact) parts.push(text(". Examples lie exactly here, and they alone decide"));
  if (found.tied) parts.push(text(". A tie: the larger class wins, or else the first"));
  if (model.type === "machine" && !model.constant && names.length === 2) {
    parts.push(text(`. Output of the network (second class less first): `), make("span", { id: "output", text: number(found.output[1] - found.output[0], 7) }));
  }
  parts.push(text("."));
  return parts;
}

function share(name, c, value) {
  return make("div", { class: "share" }, make("span", { text: name }),
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
  const name = make("td", {}, make("span", { class: "marked" }, mark(c)), document.createTextNode(` ${names[c]}`));
  return make("tr", {},
    make("td", { text: `#${id}`, title: `at ${number(model.X[2 * i], 5)}, ${number(model.X[2 * i + 1], 5)}` }),
    name,
    make("td", { text: percent(part, 2) }),
    make("td", {}, make("button", {
      type: "button", text: "Forget", "aria-label": `Forget example ${id}`, disabled: model.n < 3,
      on: { click: () => set({ forgotten: [...state.forgotten, id] }) },
    })));
}

at("recall").addEventListener("click", () => set({ forgotten: [] }));
