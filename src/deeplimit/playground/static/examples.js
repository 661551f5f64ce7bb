// Own examples: by click, by key, or from a CSV of two columns and a class.

import { at, fill, make } from "./dom.js";
import { listen, set, state } from "./state.js";

const MOST = 600;
const LETTERS = [..."ABCDEF"];
const EMPTY = { x0: -1.5, x1: 1.5, y0: -1.5, y1: 1.5 };
/** The brush that adds nothing. */
export const LOOK = -1;

/** Names of all classes there can be: those of the file, then letters. */
export function ownNames() {
  return LETTERS.map((letter, c) => state.names?.[c] ?? letter);
}

/** The part of the plane that is shown. It stays as it is while points are added. */
export function ownView() {
  return state.box ?? fitted(state.own ?? []);
}

function fitted(own) {
  const inside = own.every(([x, y]) => Math.max(Math.abs(x), Math.abs(y)) < 1.4);
  if (own.length < 2 && inside) return EMPTY;
  const xs = own.map((p) => p[0]);
  const ys = own.map((p) => p[1]);
  const span = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys)) * 0.62 || 1.5;
  const a = (Math.max(...xs) + Math.min(...xs)) / 2;
  const b = (Math.max(...ys) + Math.min(...ys)) / 2;
  return { x0: a - span, x1: a + span, y0: b - span, y1: b + span };
}

/** Add a point of the class of the brush. */
export function addPoint(q) {
  const own = state.own ?? [];
  if (own.length >= MOST) return say(`The map takes ${MOST} examples.`, true);
  return set({ own: [...own, [...q, state.brush]], box: ownView(), ...(state.pinned ? {} : { q }) });
}

export function wireExamples() {
  brushes();
  hint();
  at("clear").addEventListener("click", () => set({ own: [], forgotten: [], q: null, pinned: false, box: null, names: null }));
  at("fit-view").addEventListener("click", () => set({ box: null }));
  at("csv").addEventListener("change", async () => {
    const [file] = at("csv").files;
    at("csv").value = "";
    if (!file) return;
    try {
      // What the other page does not take either is not sent there.
      if (file.size > 2e6) throw new Error(`The file is larger than 2 MB. ${file.size > 2.8e6 ? "On the command line, deeplimit fit takes more." : "“Your data” takes up to 2.8 MB, with any columns."}`);
      const { points, names, note } = parse(await file.text());
      set({ own: points, names, forgotten: [], q: null, pinned: false, box: null, brush: LOOK });
      say(note);
    } catch (error) {
      const stay = state.own?.length ? " The points on the map are still those from before." : "";
      say(`${error.message}${stay}`, true);
    }
  });
  listen((changed) => {
    if (changed.has("source") && state.source === "own" && !state.own?.length) set({ own: [] });
    if (changed.has("names") || changed.has("brush")) brushes();
    if (["own", "brush", "source"].some((name) => changed.has(name))) hint();
  });
}

/** Offer what a click does: add a point of a class, or look. */
function brushes() {
  const count = Math.max(4, state.names?.length ?? 0);
  const offered = [...ownNames().slice(0, count).map((name, c) => [c, name]), [LOOK, "nothing: just look"]];
  const key = JSON.stringify(offered);
  const place = at("brush");
  if (place.dataset.key !== key) {
    place.dataset.key = key;
    fill(place, ...offered.map(([value, name]) => make("label", {},
      make("input", { type: "radio", name: "brush", value, on: { change: () => set({ brush: value }) } }),
      make("span", { text: name, title: name }))));
  }
  for (const input of place.querySelectorAll("input")) input.checked = Number(input.value) === state.brush;
}

function hint() {
  say(state.brush === LOOK
    ? "A click pins the pointer. Choose a class to add examples of it."
    : `A click adds an example of class ${ownNames()[state.brush]}; so does Enter on the map. A CSV has two number columns, and a class in the last.`);
}

function say(text, wrong = false) {
  at("csv-note").textContent = text;
  at("csv-note").classList.toggle("wrong", wrong);
}

const isNumber = (cell) => cell !== "" && Number.isFinite(Number(cell));

const DECIMAL = /^[+-]?\d*,\d+(e[+-]?\d+)?$/i;
const THOUSANDS = /^[+-]?[1-9]\d{0,2},\d{3}$/;

/** What stands between the cells; between digits a comma may be a decimal one. */
function separator(lines) {
  const first = lines[0]?.line ?? "";
  const count = (line, mark) => line.split(mark).length - 1;
  return [";", "\t"].find((mark) => count(first, mark) >= 2
    && (!/,(?!\d)|(?<!\d),/.test(first) || lines.every(({ line }) => count(line, mark) === count(first, mark))))
    ?? [",", ";", "\t"].find((mark) => first.includes(mark));
}

/** Whether numbers have decimal commas: none has a point, and the commas are not those of thousands. */
function hasCommas(rows) {
  const cells = rows.flatMap((row) => row.cells.slice(0, -1));
  const found = cells.filter((cell) => DECIMAL.test(cell));
  if (!found.length || cells.some((cell) => isNumber(cell) && cell.includes("."))) return false;
  return found.some((cell) => !THOUSANDS.test(cell)) || !cells.some(isNumber);
}

/** Read two number columns and a class, the first columns that fit. */
export function parse(text) {
  const lines = text.split(/\r\n|\r|\n/).map((line, k) => ({ line, at: k + 1 })).filter(({ line }) => line.trim());
  const cut = separator(lines);
  if (!cut) throw new Error("No columns were found: a CSV has commas, semicolons or tabs between its cells.");
  const all = lines.map(({ line, at: place }) => ({ place, cells: line.split(cut).map((cell) => cell.trim().replace(/^"|"$/g, "")) }));
  const commas = cut !== "," && hasCommas(all);
  if (commas) for (const row of all) row.cells = row.cells.map((cell, j) => (j + 1 < row.cells.length && DECIMAL.test(cell) ? cell.replace(",", ".") : cell));
  const first = all[0].cells;
  const head = first.slice(0, -1).some((cell) => !isNumber(cell));
  const rows = head ? all.slice(1) : all;
  const width = first.length;
  const ragged = rows.find((row) => row.cells.length !== width);
  if (ragged) throw new Error(`Line ${ragged.place} has ${ragged.cells.length} cells, the first has ${width}.`);
  if (!rows.length) throw new Error("There are column names and no rows.");
  const target = width - 1;
  const title = (j) => (head && first[j] ? first[j] : `column ${j + 1}`);
  const [a, b] = numeric(rows, target, title);
  const unnamed = rows.find((row) => row.cells[target] === "");
  if (unnamed) throw new Error(`Line ${unnamed.place} has no class: its last cell, ${title(target)}, is empty.`);
  const names = [...new Set(rows.map((row) => row.cells[target]))].sort();
  if (names.length > 6) throw new Error(`The last column has ${names.length} different values: the map shows at most 6 classes.`);
  if (names.length < 2) throw new Error("The last column has one value only: there is nothing to tell apart.");
  const kept = rows.slice(0, MOST);
  const points = kept.map(({ cells }) => [Number(cells[a]), Number(cells[b]), names.indexOf(cells[target])]);
  const left = [...Array(target).keys()].filter((j) => j !== a && j !== b).map(title);
  const more = (commas ? " Commas in numbers were read as decimal commas." : "")
    + (left.length ? ` Left out: ${left.join(", ")}.` : "")
    + (rows.length > MOST ? ` The first ${MOST} of ${rows.length} rows are shown.` : "");
  return { points, names, note: `${kept.length} examples: ${title(a)} across, ${title(b)} up; the classes are those of ${title(target)}.${more}` };
}

/** The first two columns of numbers; a cell that spoils one is named. */
function numeric(rows, target, title) {
  const columns = [...Array(target).keys()].map((j) => ({ j, bad: rows.filter((row) => !isNumber(row.cells[j])) }));
  const good = columns.filter(({ bad }) => !bad.length);
  if (good.length >= 2) return [good[0].j, good[1].j];
  const spoilt = columns.find(({ bad }) => bad.length && bad.length <= rows.length / 2);
  if (spoilt && target >= 2) {
    const { place, cells } = spoilt.bad[0];
    const cell = cells[spoilt.j];
    const others = spoilt.bad.length > 1 ? `; nor ${spoilt.bad.length === 2 ? "is one" : `are ${spoilt.bad.length - 1}`} more of its cells` : "";
    throw new Error(`Line ${place}: ${title(spoilt.j)} is ${cell === "" ? "empty" : `“${cell}”`}, which is no number${others}.`);
  }
  throw new Error("Two columns of numbers and a class in the last column are needed. “Your data” takes any table.");
}
