// Own examples: by click, by key, or from a CSV of two columns and a class.

import { at, fill, make } from "./dom.js";
import { listen, set, state } from "./state.js";

const MOST = 600;

export function wireExamples() {
  const choices = [..."ABCDEF"].slice(0, 4).map((name, c) => {
    const input = make("input", { type: "radio", name: "brush", value: c, on: { change: () => set({ brush: c }) } });
    input.checked = c === state.brush;
    return make("label", {}, input, document.createTextNode(name));
  });
  fill(at("brush"), ...choices);
  at("clear").addEventListener("click", () => set({ own: [], forgotten: [], q: null, box: null, names: null }));
  at("csv").addEventListener("change", async () => {
    const [file] = at("csv").files;
    at("csv").value = "";
    if (!file) return;
    try {
      if (file.size > 2e6) throw new Error("The file is larger than 2 MB. “Your data” takes tables of any shape up to that.");
      const { points, names, note } = parse(await file.text());
      set({ own: points, names, forgotten: [], q: null, box: null });
      say(note);
    } catch (error) {
      say(error.message, true);
    }
  });
  listen((names) => {
    if (names.has("source") && state.source === "own" && !state.own?.length) set({ own: [] });
  });
}

function say(text, wrong = false) {
  at("csv-note").textContent = text;
  at("csv-note").classList.toggle("wrong", wrong);
}

/** Read two number columns and a class, the last columns that fit. */
export function parse(text) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim());
  const cut = [",", ";", "\t"].find((mark) => lines[0]?.includes(mark));
  if (!cut) throw new Error("No columns were found: a CSV has commas, semicolons or tabs between its cells.");
  const cells = lines.map((line) => line.split(cut).map((cell) => cell.trim().replace(/^"|"$/g, "")));
  const isNumber = (cell) => cell !== "" && Number.isFinite(Number(cell));
  const head = cells[0].slice(0, -1).some((cell) => !isNumber(cell));
  const rows = head ? cells.slice(1) : cells;
  const width = cells[0].length;
  const ragged = rows.findIndex((row) => row.length !== width);
  if (ragged >= 0) throw new Error(`Line ${ragged + 1 + (head ? 1 : 0)} has ${rows[ragged].length} cells, the first has ${width}.`);
  const target = width - 1;
  const numeric = [...Array(target).keys()].filter((j) => rows.every((row) => isNumber(row[j])));
  if (!rows.length || numeric.length < 2) throw new Error("Two columns of numbers and a class in the last column are needed. “Your data” takes any table.");
  const [a, b] = numeric;
  const names = [...new Set(rows.map((row) => row[target]))].sort();
  if (names.length > 6) throw new Error(`The last column has ${names.length} different values: the map shows at most 6 classes.`);
  if (names.length < 2) throw new Error("The last column has one value only: there is nothing to tell apart.");
  const kept = rows.slice(0, MOST);
  const points = kept.map((row) => [Number(row[a]), Number(row[b]), names.indexOf(row[target])]);
  const title = (j) => (head ? cells[0][j] : `column ${j + 1}`);
  const more = rows.length > MOST ? ` The first ${MOST} of ${rows.length} rows are shown.` : "";
  return { points, names, note: `${kept.length} examples: ${title(a)} across, ${title(b)} up, class ${title(target)}.${more}` };
}
