"""Sets of real tables: found in a folder, made into frames, split, and made harder on request.

A set is a file `NAME.npz` with X (rows × columns of numbers, NaN where missing) and y (labels).
`index.json` beside them, where there is one, is a list of entries with `name` and, all of them
optional, `source`, `n_cat` (how many of the original columns were categories) and `categorical`
(the numbers, from 0, of the columns of X that hold codes of categories).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

TEST_SHARE = 0.3


@dataclass(frozen=True)
class Conditions:
    """What is done to every set before a method sees it; part of the key of a result.

    `cap` and `test_cap` bound the rows, `noise` is the share of training labels replaced by another
    class, `irrelevant` the number of Gaussian columns appended, `labels` the number of training
    rows kept of each class (0 for all), `one_hot` leaves categories as the file's columns of 0 and
    1, which are otherwise folded back into one column a category.
    """

    cap: int = 4000
    test_cap: int = 4000
    noise: float = 0.0
    irrelevant: int = 0
    labels: int = 0
    one_hot: bool = False


@dataclass(frozen=True)
class TableSet:
    name: str
    path: Path
    source: str
    n_cat: int
    categorical: tuple[int, ...]
    digest: str
    #: Rows × columns × classes, for the order of the work.
    cells: int


@dataclass(frozen=True)
class Split:
    """A training and a test part: frames, and labels as numbers from 0 among `classes` of them."""

    train: Any
    y_train: np.ndarray
    test: Any
    y_test: np.ndarray
    classes: int


def find_sets(folder: Path, only: Collection[str] = ()) -> list[TableSet]:
    """List the sets of a folder by name, or those of them asked for."""
    index = folder / "index.json"
    entries = json.loads(index.read_text(encoding="utf-8")) if index.exists() else []
    told = {entry["name"]: entry for entry in entries}
    sets = []
    for path in sorted(folder.glob("*.npz"), key=lambda path: path.stem.lower()):
        if only and path.stem not in only:
            continue
        entry = told.get(path.stem, {})
        columns = tuple(int(j) for j in entry.get("categorical", ()))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        n_cat = int(entry.get("n_cat", 0))
        with np.load(path, allow_pickle=False) as arrays:
            cells = min(len(arrays["y"]), 6000) * arrays["X"].shape[1] * len(np.unique(arrays["y"]))
        source = entry.get("source", "")
        sets.append(TableSet(path.stem, path, source, n_cat, columns, digest, cells))
    absent = set(only) - {one.name for one in sets}
    if absent:
        raise ValueError(f"No set {', '.join(sorted(absent))} in {folder}; see its *.npz files.")
    if not sets:
        raise ValueError(f"No *.npz file in {folder}; give a folder of sets to --sets.")
    return sets


def one_hot_runs(X: np.ndarray, at_most: int) -> list[tuple[int, int]]:
    """Find runs of three or more adjacent 0/1 columns of which each row has exactly one 1.

    That is what one-hot encoding leaves of a category of three or more values, and such a run can
    be folded back without loss. (A category of two values is one column of 0 and 1 already.)
    """
    binary = ((X == 0) | (X == 1)).all(axis=0)
    runs: list[tuple[int, int]] = []
    first = 0
    while first < X.shape[1] and len(runs) < at_most:
        total = np.zeros(len(X))
        last = first
        while last < X.shape[1] and binary[last]:
            total += X[:, last]
            last += 1
            if total.max() > 1 or total.min() == 1:
                break
        if last - first >= 3 and total.max() == 1 and total.min() == 1:
            runs.append((first, last))
            first = last
        else:
            first += 1
    return runs


def as_table(X: np.ndarray, categorical: Collection[int], runs: list[tuple[int, int]]) -> Any:
    """Make the frame that every method gets: float64, and dtype category for categories."""
    import pandas as pd

    columns: dict[str, Any] = {}
    ends = dict(runs)
    j = 0
    while j < X.shape[1]:
        if j in ends:
            codes = np.argmax(X[:, j : ends[j]], axis=1)
            values = [f"v{i}" for i in range(ends[j] - j)]
            columns[f"k{j}"] = pd.Categorical.from_codes(codes, categories=values)
            j = ends[j]
            continue
        if j in categorical:
            there = ~np.isnan(X[:, j])
            values, codes = np.unique(X[there, j], return_inverse=True)
            all_codes = np.full(len(X), -1)
            all_codes[there] = codes
            names = [f"v{value:g}" for value in values]
            columns[f"k{j}"] = pd.Categorical.from_codes(all_codes, categories=names)
        else:
            columns[f"x{j}"] = X[:, j]
        j += 1
    return pd.DataFrame(columns)


@lru_cache(maxsize=1)
def load(table: TableSet, one_hot: bool) -> tuple[Any, np.ndarray]:
    """Read a set as a frame and labels 0, 1, …; the latest one is kept."""
    with np.load(table.path, allow_pickle=False) as arrays:
        X, y = arrays["X"].astype(np.float64), arrays["y"]
    runs = [] if one_hot or table.categorical else one_hot_runs(X, table.n_cat)
    return as_table(X, table.categorical, runs), np.unique(y, return_inverse=True)[1]


def stratified(y: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Choose at most `size` rows, each class in its share and none left out."""
    if len(y) <= size:
        return np.arange(len(y))
    order = rng.permutation(len(y))
    counts = np.bincount(y)
    exact = counts * size / len(y)
    take = np.minimum(np.maximum(np.floor(exact).astype(int), counts > 0), counts)
    # Those cut most by rounding down get one more, until the size is reached.
    for c in np.argsort(take - exact, kind="stable"):
        if take.sum() >= size:
            break
        take[c] += take[c] < counts[c]
    chosen = [order[y[order] == c][: take[c]] for c in range(len(counts))]
    return np.sort(np.concatenate(chosen))


def with_noise(y: np.ndarray, rate: float, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Give a share of the rows (rounded) another class, all others equally likely."""
    rows = rng.choice(len(y), round(rate * len(y)), replace=False)
    noisy = y.copy()
    noisy[rows] = (y[rows] + rng.integers(1, classes, len(rows))) % classes
    return noisy


def with_irrelevant(train: Any, test: Any, columns: int, rng: np.random.Generator) -> list[Any]:
    """Standardise the columns of numbers by the training rows and append Gaussian ones."""
    import pandas as pd

    numbers = [name for name in train.columns if train[name].dtype != "category"]
    centre, scale = train[numbers].mean(), train[numbers].std(ddof=0)
    scale = scale.where(scale > 0, 1.0)
    parts = []
    for part in (train, test):
        scaled = part.assign(**((part[numbers] - centre) / scale))
        names = [f"noise{j}" for j in range(columns)]
        draws = rng.standard_normal((len(part), columns))
        noise = pd.DataFrame(draws, columns=names, index=part.index)
        parts.append(pd.concat([scaled, noise], axis=1))
    return parts


def make_split(table: TableSet, seed: int, conditions: Conditions) -> Split:
    """Split a set 70/30, class by class, and apply the conditions; all follows from the seed."""
    from sklearn.model_selection import train_test_split

    frame, y = load(table, conditions.one_hot)
    classes = int(y.max()) + 1
    rows, test = train_test_split(
        np.arange(len(y)), test_size=TEST_SHARE, stratify=y, random_state=seed
    )

    def draws(purpose: int) -> np.random.Generator:
        # Each purpose has its own stream, so that one condition does not change another's draws.
        return np.random.default_rng([seed, purpose])

    if conditions.labels:
        order = draws(0).permutation(rows)
        kept = [order[y[order] == c][: conditions.labels] for c in range(classes)]
        rows = np.sort(np.concatenate(kept))
    rows = rows[stratified(y[rows], conditions.cap, draws(1))]
    test = test[stratified(y[test], conditions.test_cap, draws(2))]
    X_train, X_test = (
        frame.iloc[rows].reset_index(drop=True),
        frame.iloc[test].reset_index(drop=True),
    )
    y_train = y[rows]
    if conditions.noise:
        y_train = with_noise(y_train, conditions.noise, classes, draws(3))
    if conditions.irrelevant:
        X_train, X_test = with_irrelevant(X_train, X_test, conditions.irrelevant, draws(4))
    return Split(X_train, y_train, X_test, y[test], classes)
