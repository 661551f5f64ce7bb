// One row: what it is told to be, by which examples and columns, and what if it were different.

import { draw, fill, make, number, percent } from "./dom.js";

const FIELDS = 40;

/**
 * Show what Python said of a row.
 * @param {Element} place where
 * @param {object} report of the table
 * @param {object} found what Python said
 * @param {object} asked {cells, before}: those that are others than in the table, by column, and
 *   what Python said without them, or null
 * @param {object} wire {again(cells), vote(own), line(row)}: ask with other cells; with or without
 *   the row's own vote; what a row is called
 */
export function showRow(place, report, found, { cells, before }, { again, vote, line }) {
  const votes = found.own_vote ? "With its own vote" : "Without its own vote";
  fill(place,
    make("h3", { tabindex: -1, text: before ? `${line(found.row, true)}, if it were so` : line(found.row, true) }),
    make("p", {}, document.createTextNode(`Labelled ${found.label}. ${votes} ${before ? `it was ${first(report, before)}; if it were so: ` : "the model says "}`),
      make("b", { text: found.prediction }), document.createTextNode(`, ${likely(report, found)}.`)),
    ownVote(found, vote),
    make("p", { class: "note", text: which(report, found, before) }),
    make("p", { class: "note", text: support(found) }),
    whatIf(report, found, cells, again),
    bars(found), flip(found, line), cell(found), examples(found, line));
}

/** Of a row far from all others no more is known than whole per cents. */
const digitsOf = (found) => (found.outlying ? 0 : 2);

/** What is predicted, and how likely that is. */
const first = (report, found) => `${found.prediction}, ${percent(found.probabilities[report.classes.indexOf(found.prediction)], digitsOf(found))}`;

/** The probability of what is predicted, then the next classes with theirs. */
function likely(report, found) {
  const p = found.probabilities;
  const order = [...p.keys()].sort((a, b) => p[b] - p[a]).slice(0, 4);
  return order.map((c, k) => `${k ? `${report.classes[c]} ` : ""}${percent(p[c], digitsOf(found))}`).join(", ");
}

function ownVote(found, vote) {
  const input = make("input", { type: "checkbox", id: "own-vote", disabled: found.only, on: { change: () => vote(input.checked) } });
  input.checked = found.own_vote;
  return make("div", { class: "switches" }, make("label", {}, input,
    make("span", { text: found.only ? "It is the only row of its class, and votes for itself" : "Let the row vote for itself" })));
}

/** Which probability it is, and why the list of rows may have another. */
function which(report, found, before) {
  const own = found.own_vote ? "This is the fitted model with all its settings, the row among its examples." : "This is the fitted model with the row taken out and all settings kept.";
  if (before || !found.left_out) return own;
  const best = found.left_out.indexOf(Math.max(...found.left_out));
  return `${own} While the fit chose those settings, each row was predicted by parts fitted without it: this one as ${report.classes[best]}, ${percent(found.left_out[best], digitsOf(found))}. The list of rows and the figures of section 2 go by that.`;
}

function support(found) {
  const size = `It rests on as much as ${number(found.effective, 2)} example${number(found.effective, 2) === "1" ? "" : "s"} of equal weight.`;
  if (found.outlying) return `${size} It lies farther from all of them than rows usually do: the answer is a guess.`;
  if (found.own_vote) return size;
  return `${size} The nearest example is at ${number(found.distance, 2)} of the distance beyond which a row counts as outlying.`;
}

function bars(found) {
  const order = [...found.columns].sort((a, b) => Math.abs(b.share) - Math.abs(a.share)).slice(0, 8);
  const size = Math.max(1e-9, ...order.map((c) => Math.abs(c.share)), Math.abs(found.base));
  const line = (name, share, cell) => make("tr", {},
    make("th", { scope: "row", class: "left", text: name }), make("td", { class: "left", text: cell === null ? "missing" : String(typeof cell === "number" ? number(cell, 5) : cell ?? "") }),
    make("td", {}, draw("svg", { class: "bar", viewBox: "-50 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      draw("rect", { x: Math.min(0, (48 * share) / size), width: Math.abs((48 * share) / size), height: 10, class: share < 0 ? "negative" : "positive" }))),
    make("td", { text: `${share < 0 ? "−" : "+"}${Math.abs(share).toFixed(3)}` }));
  return make("table", {}, make("caption", { text: `Columns: what puts ${found.prediction} before ${found.rival} (by ${number(found.margin, 3)})` }),
    make("tbody", {}, ...order.map((c) => line(c.name, c.share, c.cell)), line("baseline, before any column", found.base, "")));
}

function flip(found, line) {
  const f = found.flip;
  const rows = f.rows.slice(0, 10).map((r) => line(r)).join(", ");
  const words = !f.possible ? "No set of examples would change the answer."
    : f.found ? `Without ${f.rows.length === 1 ? "one example" : `${f.rows.length} examples`} it would be ${f.after}: ${rows}${f.rows.length > 10 ? " and others" : ""}.`
      : `It takes more than ${f.most} examples to change the answer.`;
  return make("p", {}, make("b", { text: "What would flip it: " }), document.createTextNode(words));
}

/** Other cells that would do, one at a time. */
function cell(found) {
  const shown = (value) => (typeof value === "number" ? number(value, 5) : String(value));
  const of = Object.fromEntries(found.columns.map((c) => [c.name, c.cell]));
  if (!found.changes.length) return make("p", { text: "No other value of a single column was found to change it." });
  return make("div", {}, make("p", {}, make("b", { text: "One other cell would do: " })),
    make("ul", { class: "findings" }, ...found.changes.map((c) => make("li", {
      text: `${c.name} ${shown(c.cell)} instead of ${of[c.name] === null ? "missing" : shown(of[c.name])}: ${c.prediction}, ${percent(c.probability, found.outlying ? 0 : 2)}`,
    }))));
}

function examples(found, line) {
  const lines = found.examples.map((e) => make("tr", {}, make("td", { text: `${line(e.row)}${e.self ? " (itself)" : ""}` }), make("td", { class: "left", text: e.class }), make("td", { text: percent(e.share, 2) })));
  lines.push(make("tr", {}, make("td", { text: "others" }), make("td"), make("td", { text: percent(found.rest, 2) })));
  return make("table", {}, make("caption", { text: "Examples that decide, with their shares of the score" }),
    make("thead", {}, make("tr", {}, ...["Example", "Class", "Share"].map((text, k) => make("th", { scope: "col", class: k === 1 ? "left" : null, text })))), make("tbody", {}, ...lines));
}

/** A field for a cell: a choice among the values, the row's own always among them, or text. */
function field(column, k, given) {
  const id = `cell-${k}`;
  const parts = [make("label", { for: id, text: column.name })];
  let input;
  if (column.values.length && column.closed) {
    const values = given === "" || column.values.includes(given) ? column.values : [given, ...column.values];
    input = make("select", { id, name: column.name }, make("option", { value: "", text: "(missing)" }), ...values.map((v) => make("option", { value: v, text: v })));
    parts.push(input);
  } else {
    const list = column.values.length ? `${id}-list` : null;
    input = make("input", { id, name: column.name, list, inputmode: column.kind === "numeric" ? "decimal" : null, autocomplete: "off" });
    parts.push(input);
    if (list) parts.push(make("datalist", { id: list }, ...column.values.map((v) => make("option", { value: v }))));
  }
  input.value = given;
  input.dataset.was = given;
  input.dataset.kind = column.kind;
  return make("div", { class: "field grow" }, ...parts);
}

function whatIf(report, found, cells, again) {
  const named = report.columns.filter((c) => c.names_row);
  const offered = report.columns.filter((c) => !c.names_row);
  const fields = offered.slice(0, FIELDS).map((column, k) => {
    const value = found.cells[column.name];
    return field(column, k, cells[column.name] ?? (value === null ? "" : String(value)));
  });
  const says = make("p", { id: "cell-says", class: "note", role: "status" });
  const tell = (text, input = null) => {
    says.textContent = text;
    says.classList.toggle("wrong", input !== null);
    for (const other of form.querySelectorAll("[aria-invalid]")) {
      other.removeAttribute("aria-invalid");
      other.removeAttribute("aria-describedby");
    }
    input?.setAttribute("aria-invalid", "true");
    input?.setAttribute("aria-describedby", "cell-says");
    input?.focus();
  };
  const form = make("form", { id: "what-if", on: { submit: (event) => {
    event.preventDefault();
    const next = { ...cells };
    for (const input of form.elements) {
      const text = input.value.trim();
      if (!input.name || text === input.dataset.was) continue;
      if (input.dataset.kind === "numeric" && text !== "" && !Number.isFinite(Number(text))) {
        return tell(`${input.name} is a column of numbers, and “${text}” is none. The answer above is as before.`, input);
      }
      next[input.name] = text;
    }
    if (JSON.stringify(next) === JSON.stringify(cells)) return tell("Change a cell first.");
    tell("asking …");
    return again(next, (words) => tell(`${words} The answer above is as before.`, form.querySelector("input, select")));
  } } }, make("div", { class: "fields" }, ...fields), says,
  make("div", { class: "inline" }, make("button", { type: "submit", class: "primary", text: "What if?" }),
    make("button", { type: "button", text: "As it was", on: { click: () => again({}) } })));
  const left = [
    named.length ? `Not offered, since they name the row: ${named.map((c) => c.name).join(", ")}.` : "",
    offered.length > FIELDS ? `The first ${FIELDS} of ${offered.length} columns are offered.` : "",
  ].filter(Boolean).join(" ");
  return make("details", { open: Object.keys(cells).length > 0, class: "what-if" }, make("summary", { text: "Change its cells: what if?" }), form,
    make("p", { class: "note", text: left }));
}
