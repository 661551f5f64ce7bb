"""Few labels on vectors: accuracy beside others, and what one more label costs.

    python benchmarks/bench_few_labels.py [--sets DIR] [--labels 1 3 10 30] [--draws 10]

Vectors of images: the digits that scikit-learn carries and, of a folder of NAME.npz (X, y), those
named by --only. Each draw labels some rows of each class and scores the rest, 1,000 at most;
points are against logistic regression on unit vectors, with a 95 % interval over the draws. Then
the time from one more label to the next answer among 10,000 vectors of 384 numbers: the median of
20, beside a new fit of logistic regression.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.svm import LinearSVC

import deeplimit as dl

METHODS: dict[str, Callable[[], Any]] = {
    "logistic": lambda: make_pipeline(Normalizer(), LogisticRegression(C=100.0, max_iter=500)),
    "linear SVM": lambda: make_pipeline(Normalizer(), LinearSVC(C=10.0)),
    "1-NN": lambda: make_pipeline(Normalizer(), KNeighborsClassifier(1)),
    "sphere": lambda: dl.DeepLimitClassifier(projection="normalize"),
    "instant": lambda: dl.DeepLimitClassifier(),
}


def vectors(folder: Path | None, names: list[str]) -> dict[str, tuple[Any, Any]]:
    """Load what is to be told apart."""
    found = {"digits": load_digits(return_X_y=True)}
    for name in names if folder else []:
        with np.load(folder / f"{name}.npz") as file:
            found[name] = file["X"].astype(np.float64), file["y"]
    return found


def drawn(y: Any, labels: int, seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    known = np.concatenate([rng.permutation(np.flatnonzero(y == c))[:labels] for c in np.unique(y)])
    rest = np.setdiff1d(np.arange(len(y)), known)
    return known, rng.permutation(rest)[:1000]


def accuracy(sets: dict[str, tuple[Any, Any]], labels: list[int], draws: int) -> None:
    print(f"{'vectors':10} {'labels':>6} " + " ".join(f"{name:>21}" for name in METHODS))
    for name, (X, y) in sets.items():
        for k in labels:
            if np.unique(y, return_counts=True)[1].min() <= k:
                continue
            scores: dict[str, list[float]] = {method: [] for method in METHODS}
            for seed in range(draws):
                known, rest = drawn(y, k, seed)
                for method, make in METHODS.items():
                    scores[method].append(make().fit(X[known], y[known]).score(X[rest], y[rest]))
            cells = []
            for method, values in scores.items():
                gap = 100.0 * (np.array(values) - scores["logistic"])
                half = 1.96 * gap.std(ddof=1) / np.sqrt(draws)
                less = "" if method == "logistic" else f" {gap.mean():+.1f} ± {half:.1f}"
                cells.append(f"{100.0 * np.mean(values):.1f}{less:>14}")
            print(f"{name:10} {k:6} " + " ".join(f"{cell:>21}" for cell in cells), flush=True)


def change(rows: int = 10_000, columns: int = 384, times: int = 20) -> None:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((20, columns))
    y = rng.integers(0, 20, rows + times)
    X = centres[y] + 2.0 * rng.standard_normal((len(y), columns))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    asked = X[:1]
    ours = METHODS["sphere"]().fit(X[:rows], y[:rows])
    ours.predict(asked)
    spent: dict[str, list[float]] = {"add": [], "forget": [], "logistic": []}
    for i in range(rows, rows + times):
        start = time.perf_counter()
        ours.partial_fit(X[i : i + 1], y[i : i + 1]).predict(asked)
        spent["add"].append(time.perf_counter() - start)
        start = time.perf_counter()
        ours.forget(ours.ids_[-1:]).predict(asked)
        spent["forget"].append(time.perf_counter() - start)
    for _ in range(3):
        start = time.perf_counter()
        METHODS["logistic"]().fit(X[:rows], y[:rows]).predict(asked)
        spent["logistic"].append(time.perf_counter() - start)
    add, forget, fit = (1e3 * statistics.median(values) for values in spent.values())
    print(
        f"\n{rows:,} vectors of {columns}: one more label and an answer {add:.1f} ms, one fewer "
        f"{forget:.1f} ms; logistic regression fitted anew {fit:.0f} ms ({fit / add:.0f} times)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=Path, help="folder of NAME.npz (X, y)")
    parser.add_argument("--only", default="ORL,optdigits", help="these of them: a,b")
    parser.add_argument("--labels", type=int, nargs="+", default=[1, 3, 10, 30])
    parser.add_argument("--draws", type=int, default=10)
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.filterwarnings("ignore", "The number of unique classes")
    accuracy(vectors(options.sets, options.only.split(",")), options.labels, options.draws)
    change()


if __name__ == "__main__":
    main()
