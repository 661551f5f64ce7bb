// The same decision in Python, to paste and run.

import { state } from "./state.js";

/** Python that repeats what the page shows at the pointer. */
export function python(profile, data, model, names) {
  const lines = ["import numpy as np", "import deeplimit as dl", ""];
  lines.push(`activation = ${profile.code}`);
  lines.push(...points(data));
  const named = hasNames(names);
  lines.push(named
    ? `y = np.array([${wrap([...data.y].map((c) => JSON.stringify(names[c])))}])`
    : `y = np.array([${wrap([...data.y].map((c) => String(c)))}])  # ${names.map((n, c) => `${c} is ${n}`).join(", ").replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")}`);
  const [a, b] = state.q ?? [0, 0];
  lines.push(`query = np.array([[${a}, ${b}]])`, "");
  lines.push("print(dl.taxonomy(activation).summary())", "");
  if (model.type === "machine" && model.constant) lines.push(...interpolation(named));
  else if (model.type === "machine") lines.push(...machine(profile));
  else lines.push(...limit(model));
  return lines.join("\n") + "\n";
}

/** Whether the classes can be called by the names of the file: no two alike, and in Python's order. */
function hasNames(names) {
  return state.source === "own" && state.names !== null && names.every((name, c) => c === 0 || names[c - 1] < name);
}

function wrap(words, indent = "    ") {
  const lines = [""];
  for (const word of words) {
    const next = `${lines[lines.length - 1]}${word}, `;
    if (next.length > 92) lines.push(`${word}, `);
    else lines[lines.length - 1] = next;
  }
  return lines.length === 1 ? lines[0].replace(/, $/, "") : `\n${lines.map((l) => indent + l.trimEnd()).join("\n")}\n`;
}

function points({ X }) {
  const words = [];
  for (let i = 0; i < X.length / 2; i++) words.push(`[${X[2 * i]}, ${X[2 * i + 1]}]`);
  return [`X = np.array([${wrap(words)}])`];
}

function limit(model) {
  const lines = [
    "# The network of infinite width and infinite depth.",
    'clf = dl.DeepLimitClassifier(activation, projection="hemisphere").fit(X, y)',
    "print(clf.regime_)",
    'print("class:", clf.predict(query)[0], "shares:", clf.predict_proba(query)[0])',
  ];
  if (model.type === "sum") lines.push("print(clf.contributions(query))", "print(clf.flip(query))");
  return lines;
}

function machine(profile) {
  const identity = state.depth === Infinity;
  const depth = identity ? 1 : state.depth;
  return [
    identity
      ? "# Layers of the identity change nothing: any depth is the linear kernel."
      : `# The network of infinite width and ${depth} hidden layer${depth === 1 ? "" : "s"}.`,
    "clf = dl.NetworkKernelClassifier(",
    `    activation, depth=${depth}, kind="${identity ? "nngp" : state.kind}", ridge=${state.ridge}, projection="hemisphere"`,
    ").fit(X, y)",
    'print("class:", clf.predict(query)[0], "output:", clf.decision_function(query)[0])',
  ];
}

function interpolation(named) {
  return [
    "# What is left of the kernel in the limit, and a constant; the ridge is in units of its mean.",
    "from deeplimit.sums import fit_lift",
    "",
    'lift = fit_lift(X, "hemisphere")',
    "Z, q = lift.transform(X), lift.transform(query)",
    "_, first = np.unique(X, axis=0, return_index=True)",
    "first.sort()",
    ...(named ? ["names, y = np.unique(y, return_inverse=True)"] : []),
    "T = np.array([np.eye(y.max() + 1)[y[(X == X[i]).all(axis=1)]].mean(axis=0) for i in first])",
    "kernel = dl.LimitKernel(activation)",
    "K = kernel(Z[first])",
    "P = np.eye(len(K)) - 1.0 / len(K)",
    `c = np.linalg.solve(P @ K @ P - ${state.ridge} * K.mean() * np.eye(len(K)), P @ T)`,
    "scores = kernel(q, Z[first]) @ c + (T - K @ c).mean(axis=0)",
    `print("class:", ${named ? "names[scores[0].argmax()]" : "scores[0].argmax()"}, "scores:", scores[0])`,
  ];
}
