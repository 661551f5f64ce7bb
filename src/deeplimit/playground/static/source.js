// Where profiles come from: Python's server, or files beside the page.

const kept = new Map();

async function json(response) {
  const found = await response.json().catch(() => null);
  if (!response.ok || typeof found?.error === "string") throw new Error(found?.error ?? `the server answered ${response.status}.`);
  return found;
}

/** The list of named activations, and whether Python and papers are there. */
export async function index() {
  const found = await json(await fetch("profiles/index.json"));
  // The way to the papers is shown where there are some.
  for (const link of document.querySelectorAll("nav [hidden]")) link.hidden = !found.papers;
  return found;
}

/** A question to Python. */
export async function askPython(path, question) {
  const response = await fetch(`api/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(question),
  });
  return json(response);
}

/** Whether a profile is here, and need not be asked for. */
export const has = (key) => kept.has(key);

/** The profile of a key: a name, `f:` and a formula, or `c:` and Hermite coefficients. */
export async function profile(key) {
  if (!kept.has(key)) {
    if (key.startsWith("f:")) kept.set(key, await askPython("profile", { formula: key.slice(2) }));
    else if (key.startsWith("c:")) {
      const hermite = key.slice(2).split(",").map(Number);
      kept.set(key, await askPython("profile", { hermite }));
    } else kept.set(key, await json(await fetch(`profiles/${encodeURIComponent(key)}.json`)));
  }
  return kept.get(key);
}
