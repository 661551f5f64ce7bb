// One row: what it is told to be, by which examples and columns, and what if it were different.

import { draw, fill, make, number, percent } from "./dom.js";

/** Show what Python said of a row; `again` asks with other cells. */
export function showRow(place, report, found, cells, again) {
  const changed = Object.keys(cells).length > 0;
  const best = [...found.probabilities.keys()].sort((a, b) => found.probabilities[b] - found.probabilities[a]).slice(0, 4);
  fill(place,
    make("h3", { text: changed ? `Row ${found.row}, if it were so` : `Row ${found.row}` }),
    make("p", {}, document.createTextNode(`Labelled ${found.label}. The model says `), make("b", { text: found.prediction }),
      document.createTextNode(`: ${best.map((c) => `${report.classes[c]} ${percent(found.probabilities[c], 2)}`).join(", ")}.${leftOut(report, found, changed)}`)),
    make("p", { class: "note", text: `It hangs on ${number(found.effective, 3)} examples or so, ${found.outlying ? "and lies farther from all of them than rows usually do: the answer is a guess" : `${found.examples.some((e) => e.self) && !changed ? "itself among them" : `the nearest at ${number(found.distance, 2)} of the usual distance`}`}.` }),
    bars(found), flip(found), examples(found), whatIf(report, found, cells, again));
}

function leftOut(report, found, changed) {
  if (changed || !found.left_out) return "";
  const best = found.left_out.indexOf(Math.max(...found.left_out));
  return ` Without the row itself the others say ${report.classes[best]}, ${percent(found.left_out[best], 2)}.`;
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
    make("tbody", {}, ...order.map((c) => line(c.name, c.share, c.cell)), line("no column", found.base, "")));
}

function flip(found) {
  const f = found.flip;
  const rows = f.rows.slice(0, 10).map((r) => `#${r}`).join(", ");
  const words = !f.possible ? "No set of examples would change the answer."
    : f.found ? `Without ${f.rows.length === 1 ? "one example" : `${f.rows.length} examples`} it would be ${f.after}: ${rows}${f.rows.length > 10 ? " and others" : ""}.`
      : `It takes more than ${f.most} examples to change the answer.`;
  return make("p", {}, make("b", { text: "What would flip it: " }), document.createTextNode(words));
}

function examples(found) {
  const lines = found.examples.map((e) => make("tr", {}, make("td", { text: `#${e.row}${e.self ? " (itself)" : ""}` }), make("td", { class: "left", text: e.class }), make("td", { text: percent(e.share, 2) })));
  lines.push(make("tr", {}, make("td", { text: "others" }), make("td"), make("td", { text: percent(found.rest, 2) })));
  return make("table", {}, make("caption", { text: "Examples that decide, with their shares of the score" }),
    make("thead", {}, make("tr", {}, ...["Example", "Class", "Share"].map((text, k) => make("th", { scope: "col", class: k === 1 ? "left" : null, text })))), make("tbody", {}, ...lines));
}

function whatIf(report, found, cells, again) {
  const fields = report.columns.slice(0, 40).map((column, k) => {
    const value = found.cells[column.name];
    const id = `cell-${k}`;
    const given = cells[column.name] ?? (value === null ? "" : String(value));
    const input = column.values.length
      ? make("select", { id, name: column.name }, make("option", { value: "", text: "(missing)" }), ...column.values.map((v) => make("option", { value: v, text: v })))
      : make("input", { id, name: column.name, inputmode: column.kind === "numeric" ? "decimal" : null, autocomplete: "off" });
    input.value = given;
    input.dataset.was = given;
    return make("div", { class: "field grow" }, make("label", { for: id, text: column.name }), input);
  });
  const form = make("form", { on: { submit: (event) => {
    event.preventDefault();
    const next = { ...cells };
    for (const input of form.elements) if (input.name && input.value !== input.dataset.was) next[input.name] = input.value;
    again(next);
  } } }, make("div", { class: "fields" }, ...fields),
  make("div", { class: "inline" }, make("button", { type: "submit", class: "primary", text: "What if?" }),
    make("button", { type: "button", text: "As it was", on: { click: () => again({}) } })));
  return make("details", { open: Object.keys(cells).length > 0 }, make("summary", { text: "Change its cells: what if?" }), form);
}
