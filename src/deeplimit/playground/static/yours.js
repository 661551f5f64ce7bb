// The page of one's own table. Everything it says is asked of Python.

import { at, fill, make, number, percent } from "./dom.js";
import { setPlot } from "./plots.js";
import { sampleTable } from "./sample.js";
import { showRow } from "./row.js";
import { askPython, index } from "./source.js";

const LARGEST = 2.8e6;
const DOUBTED = 60;

let text = null;
let report = null;
let ownVote = false;
// The latest answer about a row as it is in the table.
let plain = null;

/** A row of the report by its line in the file, which is what an editor shows. */
const line = (row, first = false) => `${first ? "Line" : "line"} ${report.lines[row]}`;

function say(words, wrong = false) {
  at("said").textContent = words;
  at("said").classList.toggle("wrong", wrong);
}

async function attempt(words, act) {
  say(words);
  document.body.setAttribute("aria-busy", "true");
  try {
    await act();
  } catch (error) {
    say(error.message, true);
  } finally {
    document.body.removeAttribute("aria-busy");
  }
}

async function take(content, name) {
  at("report").hidden = true;
  at("choose").hidden = true;
  ownVote = false;
  await attempt(`reading ${name} …`, async () => {
    if (content.length > LARGEST) throw new Error("The file is larger than 2.8 MB: deeplimit fit takes more, on the command line.");
    const found = await askPython("columns", { text: content });
    text = content;
    fill(at("target"), ...found.columns.map((c) => make("option", { value: c.name, text: `${c.name} (${c.kind}, ${c.distinct} different)` })));
    if (found.target !== null) at("target").value = found.target;
    at("choose").hidden = false;
    const question = found.target === null
      ? "No column has a few values that recur: choose the one to predict all the same."
      : `Is ${found.target} what is to be predicted?`;
    say([`${name}: ${found.rows} rows, ${found.columns.length} columns.`, ...found.notes, question].join(" "));
    at("fit").focus();
  });
}

async function fit() {
  at("fit").disabled = true;
  await attempt("fitting, and asking each row of the others … (a few seconds)", async () => {
    report = await askPython("table", { text, target: at("target").value });
    show();
    say(`${report.rows} rows fitted.`);
    at("report").hidden = false;
    at("good-title").focus();
  });
  at("fit").disabled = false;
}

function show() {
  at("about-model").textContent = `To predict ${report.target} from ${report.columns.length} columns: ${report.decides_by}.${report.in_words ? ` In words: ${report.in_words}.` : ""} Figures are of rows that a fit had not seen. Rows are called by their lines in the file, the names of the columns being line 1.`;
  fill(at("notes"), ...report.notes.map((note) => make("li", { text: note })));
  at("notes").hidden = !report.notes.length;
  fill(at("figures"), ...(report.measures ?? []).map((m) => make("div", {}, make("dt", { text: m.name }),
    make("dd", {}, document.createTextNode(number(m.value, 4)),
      make("small", { text: `95 %: ${number(m.low, 3)} to ${number(m.high, 3)}${m.guess === null ? "" : ` · knowing only how common the classes are: ${number(m.guess, 3)}`}` })))));
  calibration();
  confusion();
  findings();
  const body = (report.said ?? []).slice(0, DOUBTED).map((r) => make("tr", {},
    make("td", {}, make("button", { type: "button", text: line(r.row), "aria-label": `Show ${line(r.row)}`, on: { click: () => ask(r.row) } })),
    make("td", { class: "left", text: r.label }), make("td", { class: "left", text: r.said }), make("td", { text: percent(r.probability, 1) })));
  fill(at("doubted").tBodies[0], ...body);
  [at("row").min, at("row").max] = [report.lines[0], report.lines.at(-1)];
  at("row").value = report.lines[0];
  fill(at("one"), make("p", { class: "note", text: "Choose a row to see which examples and columns decide it, and to change its cells." }));
}

function calibration() {
  const bins = report.bins ?? [];
  if (!bins.length) return fill(at("calibration"));
  const low = Math.max(0, Math.floor(10 * Math.min(0.9, ...bins.flatMap((b) => [b.confidence, b.low]))) / 10);
  return setPlot(at("calibration"), {
    x: [low, 1], y: [low, 1], square: true, xName: "confidence",
    about: `Calibration: ${bins.map((b) => `at ${percent(b.confidence, 0)}, ${percent(b.accuracy, 0)} predicted correctly`).join("; ")}.`,
    curves: [{ class: "axis", points: [[low, low], [1, 1]] }, ...bins.map((b) => ({ class: "now", points: [[b.confidence, b.low], [b.confidence, b.high]] }))],
    dots: bins.map((b) => [b.confidence, b.accuracy]),
  });
}

function confusion() {
  const C = report.classes.length;
  const table = at("confusion");
  table.parentElement.hidden = !report.confusion || C > 12;
  if (table.parentElement.hidden) return;
  fill(table.tHead, make("tr", {}, make("th", { scope: "col", text: "true" }), ...report.classes.map((c) => make("th", { scope: "col", text: c }))));
  fill(table.tBodies[0], ...report.classes.map((c, i) => make("tr", {}, make("th", { scope: "row", text: c }),
    ...report.confusion[i].map((v) => make("td", { text: number(v, 4) })))));
}

function findings() {
  at("looked").textContent = report.looked_at;
  if (!report.findings.length) return fill(at("findings"), make("p", { text: "Nothing odd was found." }));
  const kinds = [...new Set(report.findings.map((f) => f.kind))];
  return fill(at("findings"), ...kinds.flatMap((kind) => {
    const found = report.findings.filter((f) => f.kind === kind);
    const items = found.map((f) => {
      const rows = kind === "wrong label" ? f.rows.slice(0, 1) : [];
      const buttons = rows.map((row) => make("button", { type: "button", text: `Look at ${line(row)}`, on: { click: () => ask(row, { lead: true }) } }));
      return make("li", {}, document.createTextNode(`${f.text} `), ...buttons);
    });
    const rest = items.splice(12);
    const more = rest.length ? [make("details", {}, make("summary", { text: `and ${rest.length} more` }), make("ul", { class: "findings" }, ...rest))] : [];
    const title = { "wrong label": "Labels that are likely wrong", copies: "Copies", conflict: "Alike, with different labels", leak: "Columns that tell too well", identifier: "Columns that name the row", "constant column": "Columns that never change", "idle column": "Columns nothing depends on", "rare class": "Rare classes" }[kind] ?? kind;
    return [make("h3", { text: `${title} (${found.length})` }), make("ul", { class: "findings" }, ...items), ...more];
  }));
}

/**
 * Ask about a row.
 * @param {number} row which
 * @param {object} how {cells, failed, lead}: texts that replace its own; who is told what went
 *   wrong, or else the page says it on top; whether to go to where the answer stands
 */
async function ask(row, { cells = {}, failed = null, lead = false } = {}) {
  at("row").value = report.lines[row];
  at("row-says").textContent = "";
  document.body.setAttribute("aria-busy", "true");
  at("row-says").classList.remove("wrong");
  try {
    const focus = document.activeElement?.closest("#what-if") ? "#what-if [type=submit]" : document.activeElement?.id === "own-vote" ? "#own-vote" : null;
    const question = { model: report.model, row, own_vote: ownVote };
    const found = await askPython("row", { ...question, cells });
    const before = Object.keys(cells).length ? await asItWas(question) : null;
    if (!before) plain = { question, found };
    showRow(at("one"), report, found, { cells, before }, {
      again: (changed, wrong) => ask(row, { cells: changed, failed: wrong }),
      vote: (own) => {
        ownVote = own;
        ask(row, { cells });
      },
      line,
    });
    if (focus) at("one").querySelector(focus)?.focus({ preventScroll: true });
    goTo(lead, Boolean(focus));
  } catch (error) {
    if (failed) failed(error.message);
    else {
      at("row-says").textContent = error.message;
      at("row-says").classList.add("wrong");
    }
  } finally {
    document.body.removeAttribute("aria-busy");
  }
}

/** The answer with the row's own cells: the latest, or asked for again where the vote is another. */
async function asItWas(question) {
  const same = plain && Object.keys(question).every((name) => plain.question[name] === question[name]);
  if (!same) plain = { question, found: await askPython("row", { ...question, cells: {} }) };
  return plain.found;
}

/** Bring the answer into sight, and the focus to it where the button that asked lies elsewhere. */
function goTo(lead, stay) {
  const own = at("one").querySelector("h3");
  const section = at("rows-title");
  // On a narrow screen the answer is below the list of rows: there its own heading is gone to.
  const below = own.getBoundingClientRect().top - section.getBoundingClientRect().top > innerHeight / 2;
  if (stay || (!lead && !below)) return own.scrollIntoView({ block: "nearest" });
  const heading = below ? own : section;
  heading.scrollIntoView({ block: "start" });
  return heading.focus({ preventScroll: true });
}

/** The row that begins on a line, or a sentence on why there is none. */
function askLine() {
  const wanted = Number(at("row").value);
  const row = report.lines.indexOf(wanted);
  if (row >= 0) return ask(row);
  at("row-says").classList.add("wrong");
  at("row-says").textContent = wanted === 1 ? "Line 1 holds the names of the columns."
    : wanted > report.lines[0] && wanted < report.lines.at(-1) ? `Line ${wanted} is none of the rows that were fitted: it is empty, has no ${report.target}, or goes on from the line before.`
      : `Rows are on lines ${report.lines[0]} to ${report.lines.at(-1)}.`;
}

function save(content, type, name) {
  const link = make("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

async function start() {
  const { python } = await index().catch(() => ({ python: false }));
  at("absent").hidden = python;
  for (const name of ["file", "sample"]) at(name).disabled = !python;
  at("file").addEventListener("change", async () => {
    const [file] = at("file").files;
    at("file").value = "";
    if (file) take(await file.text(), file.name);
  });
  at("sample").addEventListener("click", () => take(sampleTable(), "an example"));
  at("choose").addEventListener("submit", (event) => {
    event.preventDefault();
    fit();
  });
  at("show-row").addEventListener("click", askLine);
  at("row").addEventListener("keydown", (event) => {
    if (event.key === "Enter") askLine();
  });
  at("save-page").addEventListener("click", () => save(report.page, "text/html", "report.html"));
  at("save-text").addEventListener("click", () => save(report.markdown, "text/markdown", "report.md"));
  const drop = at("drop");
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
    });
  }
  drop.addEventListener("drop", async (event) => {
    const [file] = event.dataTransfer.files;
    if (file && python) take(await file.text(), file.name);
  });
  document.body.dataset.ready = "1";
}

start();
