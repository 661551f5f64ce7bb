// The pointer on the map: moved, pinned, and what stands under the map about it.

import { at, fill, make, number, percent } from "./dom.js";
import { addPoint, LOOK } from "./examples.js";
import { set, state } from "./state.js";

const adding = () => state.source === "own" && state.brush !== LOOK;

/** A click: adds a point of one's own, or pins the pointer; on the pin it lets go. */
export function press(q, onPin) {
  if (adding()) addPoint(q);
  else if (onPin) set({ pinned: false });
  else set({ q, pinned: true });
}

/** Pin the pointer where it is, or let go. */
export function pin(q) {
  set({ q, pinned: !state.pinned });
}

/** Wire what lets go of the pin; `forget` takes out the example that weighs most. */
export function wirePointer(forget) {
  at("unpin").addEventListener("click", () => {
    set({ pinned: false });
    at("map").focus({ preventScroll: true });
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.pinned) set({ pinned: false });
  });
  return (q) => {
    if (adding()) addPoint(q);
    else forget();
  };
}

/** One line under the map, for where the panel with the reasons is out of sight. */
export function showBrief(found, names, ids, classes) {
  at("unpin").hidden = !state.pinned;
  const most = found?.votes[0];
  const alike = most && found.votes.length > 1 && found.votes.at(-1).share === most.share;
  fill(at("brief"), document.createTextNode(found
    ? `${state.pinned ? "Pinned at" : "At"} (${state.q.map((v) => number(v, 3)).join(", ")}): ` : " "),
  found && make("b", { text: `${names[found.winner]} ${percent(found.shares[found.winner])}` }),
  found && document.createTextNode(alike ? "; all examples count alike." : `; strongest pull: #${ids[most.i]} (${names[classes[most.i]]}).`));
}

/** What clicks and keys do, as things are. */
export function showHelp() {
  const keys = "Arrow keys move the pointer (with Shift in small steps), Space pins it";
  at("map-help").textContent = adding()
    ? `${keys}, Enter adds an example there. To pin by click, choose “nothing: just look”.`
    : `Point anywhere; a click pins the pointer, and Escape or a click on the pin lets go. ${keys}, Enter forgets the example of the strongest pull.`;
}
