// Pictures of the decisions, made in bands by workers; the latest question is the one answered.

/** Workers that share a picture. */
export class Painter {
  constructor(shown) {
    const n = Math.max(1, Math.min(4, navigator.hardwareConcurrency || 2));
    this.workers = Array.from({ length: n }, () => new Worker("worker.js", { type: "module" }));
    this.sent = this.workers.map(() => new Set());
    this.shown = shown;
    this.busy = null;
    this.next = null;
    this.id = 0;
    this.workers.forEach((worker) => { worker.onmessage = ({ data }) => this.take(data); });
  }

  /** Ask for a picture: {key, profile, data, settings, view, size, colours, stamp}. */
  ask(question) {
    this.next = question;
    if (!this.busy) this.start();
  }

  start() {
    const question = this.next;
    this.next = null;
    if (!question) return;
    this.id += 1;
    this.busy = { ...question, id: this.id, parts: [], since: performance.now() };
    // One fits for all; where only the view has changed, nobody has to.
    if (this.solved?.stamp === question.stamp) this.draw();
    else this.send(0, { type: "fit" });
  }

  /** Send a message about the question at hand, with what that worker lacks to understand it. */
  send(k, message) {
    const { profile, parts, since, ...question } = this.busy;
    const full = { ...question, ...message };
    if (!this.sent[k].has(question.key)) {
      // A copy without what was decoded here.
      const { values, ...plain } = profile;
      full.profile = plain;
      this.sent[k].add(question.key);
    }
    this.workers[k].postMessage(full);
  }

  draw() {
    const { size } = this.busy;
    const cut = (part) => Math.round((size * part) / this.workers.length);
    this.workers.forEach((_, k) => {
      const solved = this.solved.model;
      this.send(k, { type: "frame", part: k, from: cut(k), to: cut(k + 1), solved });
    });
  }

  take(part) {
    if (!this.busy || part.id !== this.busy.id) return;
    if (part.solved) {
      this.solved = { stamp: this.busy.stamp, model: part.solved };
      this.draw();
      return;
    }
    this.busy.parts.push(part);
    if (this.busy.parts.length < this.workers.length) return;
    const done = this.busy;
    this.busy = null;
    this.shown({ ...joined(done), solved: this.solved.model }, done);
    this.start();
  }
}

function joined({ parts, size, data, since }) {
  const { type } = parts[0];
  if (parts.some((part) => !part.pixels)) return { type, image: null };
  const image = new ImageData(size, size);
  const leads = new Float32Array(size * size * data.classes);
  for (const part of parts) {
    image.data.set(part.pixels, part.from * size * 4);
    leads.set(part.leads, part.from * size * data.classes);
  }
  return { type, image, leads, took: performance.now() - since };
}

/** Segments where a function on the grid is 0, by marching squares, in units of the grid. */
export function contour(f, size) {
  const out = [];
  const cut = (a, b) => a / (a - b);
  for (let r = 0; r + 1 < size; r++) {
    for (let j = 0; j + 1 < size; j++) {
      const a = f(r, j);
      const b = f(r, j + 1);
      const c = f(r + 1, j + 1);
      const d = f(r + 1, j);
      const code = (a > 0 ? 1 : 0) | (b > 0 ? 2 : 0) | (c > 0 ? 4 : 0) | (d > 0 ? 8 : 0);
      if (code === 0 || code === 15) continue;
      const top = [j + cut(a, b), r];
      const right = [j + 1, r + cut(b, c)];
      const bottom = [j + cut(d, c), r + 1];
      const left = [j, r + cut(a, d)];
      const lines = {
        1: [left, top], 2: [top, right], 3: [left, right], 4: [right, bottom], 6: [top, bottom], 7: [left, bottom],
        8: [bottom, left], 9: [top, bottom], 11: [right, bottom], 12: [left, right], 13: [top, right], 14: [left, top],
      }[code];
      if (lines) out.push(...lines[0], ...lines[1]);
      else if (code === 5) out.push(...left, ...top, ...right, ...bottom);
      else out.push(...top, ...right, ...bottom, ...left);
    }
  }
  return out;
}

/** Join segments that touch to lines of many points, so that dashes run through. */
export function chains(given) {
  // Where there are no data there is no boundary.
  const segments = given.filter((_, k) => given.slice(k - (k % 4), k - (k % 4) + 4).every(Number.isFinite));
  const key = (x, y) => `${x.toFixed(4)},${y.toFixed(4)}`;
  const at = new Map();
  const count = segments.length / 4;
  for (let k = 0; k < count; k++) {
    for (const end of [0, 2]) {
      const place = key(segments[4 * k + end], segments[4 * k + end + 1]);
      if (!at.has(place)) at.set(place, []);
      at.get(place).push([k, end]);
    }
  }
  const used = new Uint8Array(count);
  const grow = (line, push) => {
    for (;;) {
      const [x, y] = push ? line[line.length - 1] : line[0];
      const next = at.get(key(x, y)).find(([k]) => !used[k]);
      if (!next) return;
      const [k, end] = next;
      used[k] = 1;
      const other = [segments[4 * k + 2 - end], segments[4 * k + 3 - end]];
      if (push) line.push(other);
      else line.unshift(other);
    }
  };
  const lines = [];
  for (let k = 0; k < count; k++) {
    if (used[k]) continue;
    used[k] = 1;
    const line = [[segments[4 * k], segments[4 * k + 1]], [segments[4 * k + 2], segments[4 * k + 3]]];
    grow(line, true);
    grow(line, false);
    lines.push(line);
  }
  return lines;
}
