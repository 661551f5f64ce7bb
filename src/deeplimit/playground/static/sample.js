// An example table, drawn here: three kinds of flowers that do not exist, a few labels wrong.

import { generator } from "./data.js";

const KINDS = [
  { name: "alba", petal: [2.1, 0.35], leaf: [5.4, 0.6], colour: ["white", "white", "pink"] },
  { name: "rosea", petal: [2.9, 0.4], leaf: [6.3, 0.7], colour: ["pink", "pink", "white"] },
  { name: "lutea", petal: [3.1, 0.45], leaf: [4.6, 0.6], colour: ["yellow", "yellow", "white"] },
];

/** Give the table as the text of a CSV. */
export function sampleTable() {
  const random = generator(2026);
  const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  const lines = ["petal_cm,leaf_cm,colour,plot,species"];
  for (let i = 0; i < 180; i++) {
    const kind = KINDS[i % 3];
    const cell = ([mean, spread]) => (mean + spread * normal()).toFixed(2);
    const colour = random() < 0.04 ? "" : kind.colour[Math.floor(3 * random())];
    const wrong = i % 45 === 7;
    const species = wrong ? KINDS[(i + 1) % 3].name : kind.name;
    lines.push([cell(kind.petal), cell(kind.leaf), colour, 1 + Math.floor(8 * random()), species].join(","));
  }
  return `${lines.join("\n")}\n`;
}
