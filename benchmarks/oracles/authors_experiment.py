"""The experiment of arXiv 2204.14126 written anew, as an oracle the library is held against.

An independent implementation in plain NumPy (and mpmath for the tables of digits). It shares no
code with this package nor with the authors' repository, from which only facts were taken.

    python benchmarks/oracles/authors_experiment.py write tests/data/authors_experiment.json
    python benchmarks/oracles/authors_experiment.py compare --train 2000 --test 2000 --seeds 3

``write`` (NumPy and mpmath, some three minutes) makes the file that ``tests/test_oracles.py``
reads. ``compare`` (also wants ``deeplimit``) prints accuracies: the iterated kernels at the
authors' depths beside the limit kernels of ``deeplimit``, the Hilbert estimate and the trivial
rules.

The experiment, as the authors' public code (uhlerlab/inf_depth_ntks, commit 83e0d6a) has it
--------------------------------------------------------------------------------------------
* 10,000 training and 10,000 test points. The first ``int(0.4 * 20000)`` come from one Dirichlet
  distribution and are labelled +1, the others come from another and are labelled −1: class sizes
  are fixed before the split, not drawn. Shuffled together, then cut, so that only the sum of the
  two sets' class sizes is fixed. Seed 1717.
* Points are divided by their Euclidean norm. All coordinates are ≥ 0: no antipodes, no negative
  correlation, so odd dual maps do no harm.
* A sample is drawn again while two of its 20,000 points have a rounded inner product ≥ 1, or
  while the smallest entry of the Gram matrix less the identity is 0.
* Predictor: ridgeless kernel regression on ±1 by a dense solve, the Gram matrix having its
  diagonal set to 1; a prediction ≥ 0 is +1. The kernel is the NNGP kernel (not the NTK),
  iterated on clipped inner products in float64.
* Depths: erf 200; sine_1, 2d_opt, sine_2.676, 3d_opt, 5d_opt, 9d_opt 100; sine_6.13539 and
  sine_13.8258 50. ``sine_a`` is the dual map ``sinh(a xi)/sinh(a)``: the activation is
  ``sin(sqrt(a) x)``, not ``sin(a x)``.
* ReLU: the NTK at depth 50,000 on the first 100 training points only.
* Hilbert estimate: weights ``|x − z|^-(k−1)`` for data in R^k. Majority vote: a tie is −1. Bayes:
  the Dirichlet densities at the points before they are normalised, times the priors .4 and .6.

What is otherwise here: a NumPy Generator, gaps from coordinate differences and carried through
the iteration instead of clipped inner products, and 200 + 200 points in the file, whose simplex
coordinates are rounded to five significant digits and written out, so that a change in NumPy's
streams can't change the data.

"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mpmath
import numpy as np

SEED = 1717
PRIOR = 0.4
DIGITS = 80
GAPS = (1e-12, 1e-9, 1e-6, 1e-4, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.1, 1.5, 1.9)
TABLE_DEPTHS = (1, 10, 100, 1000, 10_000)


@dataclass(frozen=True)
class Problem:
    """Two Dirichlet distributions in R^k."""

    first: tuple[float, ...]
    second: tuple[float, ...]

    def densities(self, simplex: np.ndarray) -> np.ndarray:
        """Log-densities of the two classes with their priors, one row a class."""
        rows = []
        for alpha, prior in ((self.first, PRIOR), (self.second, 1 - PRIOR)):
            norm = math.lgamma(sum(alpha)) - sum(map(math.lgamma, alpha)) + math.log(prior)
            with np.errstate(divide="ignore"):
                rows.append(norm + np.log(simplex) @ (np.array(alpha) - 1))
        return np.array(rows)


PROBLEMS = {
    2: Problem((1, 2), (2, 1)),
    3: Problem((0.5, 0.5, 2.5), (2.5, 0.1, 0.5)),
    5: Problem((3, 1, 2, 1, 1), (1, 2, 2, 2, 3)),
    9: Problem((1, 2, 1, 2, 1, 1, 1, 1, 1), (1, 1, 1, 2, 3, 4, 2, 2, 1)),
}


@dataclass(frozen=True)
class Map:
    """A dual map: names and formula, NumPy value and gap forms, mpmath value and derivatives."""

    specs: tuple[str, ...]
    depth: int
    value: Callable[[np.ndarray], np.ndarray]
    gap: Callable[[np.ndarray], np.ndarray]
    exact: Callable[[Any], Any]
    exact_slope: Callable[[Any], Any]
    slope_at_zero: Callable[[], Any]


def polynomial(name: str, coefficients: dict[int, float], depth: int) -> Map:
    """``sum_k a_k xi^k``."""

    def value(xi: np.ndarray) -> np.ndarray:
        return np.sum([a * xi**k for k, a in coefficients.items()], axis=0)

    def gap(s: np.ndarray) -> np.ndarray:
        log = np.log1p(-s)
        return -np.sum([a * np.expm1(k * log) for k, a in coefficients.items()], axis=0)

    terms = (f"{math.sqrt(a)!r}*h({k}, x)" for k, a in coefficients.items())
    return Map(
        (name, " + ".join(terms)),
        depth,
        value,
        gap,
        lambda xi: sum(a * xi**k for k, a in coefficients.items()),
        lambda xi: sum(k * a * xi ** (k - 1) for k, a in coefficients.items()),
        lambda: mpmath.mpf(coefficients[1]),
    )


def sine(a: float, depth: int) -> Map:
    """``sinh(a xi)/sinh(a)``, with a float64's square as ``a`` so that the formula is exact."""
    name = f"sine_{a:g}"
    b = math.sqrt(a)
    exact_a = mpmath.mpf(b) ** 2
    a = float(exact_a)
    return Map(
        (name, f"sin({b!r}*x)"),
        depth,
        lambda xi: np.sinh(a * xi) / np.sinh(a),
        lambda s: 2 * np.cosh(a - a * s / 2) * np.sinh(a * s / 2) / np.sinh(a),
        lambda xi: mpmath.sinh(exact_a * xi) / mpmath.sinh(exact_a),
        lambda xi: exact_a * mpmath.cosh(exact_a * xi) / mpmath.sinh(exact_a),
        lambda: exact_a / mpmath.sinh(exact_a),
    )


def error_function(depth: int) -> Map:
    """``arcsin(2 xi / 3) / arcsin(2 / 3)``."""
    whole = math.asin(2 / 3)

    def gap(s: np.ndarray) -> np.ndarray:
        # sine of the difference of the two arcsines, with its numerator rationalised
        q = 2 * (1 - s) / 3
        below = 2 / 3 * np.sqrt(1 - q * q) + q * math.sqrt(5) / 3
        return np.arcsin(4 / 9 * s * (2 - s) / below) / whole

    return Map(
        ("erf", "erf(x)"),
        depth,
        lambda xi: np.arcsin(2 * xi / 3) / whole,
        gap,
        lambda xi: mpmath.asin(2 * xi / 3) / mpmath.asin(mpmath.mpf(2) / 3),
        lambda xi: 2 / mpmath.sqrt(9 - 4 * xi * xi) / mpmath.asin(mpmath.mpf(2) / 3),
        lambda: 2 / (3 * mpmath.asin(mpmath.mpf(2) / 3)),
    )


mpmath.mp.dps = DIGITS
MAPS = {
    "erf": error_function(200),
    "sine_1": sine(1.0, 100),
    "2d_opt": polynomial("2d_opt", {1: 1 / 2, 7: 1 / 2}, 100),
    "sine_2.676": sine(2.676, 100),
    "3d_opt": polynomial("3d_opt", {1: 1 / 2, 3: 1 / 2}, 100),
    "sine_6.13539": sine(6.13539, 50),
    "5d_opt": polynomial("5d_opt", {1: 1 / 4, 2: 1 / 2, 3: 1 / 4}, 100),
    "sine_13.8258": sine(13.8258, 50),
    "9d_opt": polynomial("9d_opt", {1: 1 / 16, 2: 7 / 8, 3: 1 / 16}, 100),
}


@dataclass(frozen=True)
class Sample:
    """Points of the simplex and their labels, cut in two."""

    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray


def sphere(simplex: np.ndarray) -> np.ndarray:
    """Rows divided by their norms."""
    return simplex / np.sqrt(np.sum(simplex * simplex, axis=1, keepdims=True))


def gaps(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Half the squared distances, from coordinate differences."""
    total = np.zeros((len(x), len(z)))
    for column in range(x.shape[1]):
        total += np.subtract.outer(x[:, column], z[:, column]) ** 2
    return total / 2


def collides(points: np.ndarray, block: int = 2000) -> bool:
    """Whether two rows have a rounded inner product of 1 or more: the authors' reason to redraw."""
    for start in range(0, len(points), block):
        inner = points[start : start + block] @ points.T
        inner[np.arange(len(inner)), np.arange(start, start + len(inner))] = 0
        if inner.max() >= 1:
            return True
    return False


def draw(problem: Problem, train: int, test: int, rng: np.random.Generator) -> Sample:
    """A sample after the authors' recipe."""
    total = train + test
    first = int(total * PRIOR)
    while True:
        points = np.concatenate(
            [rng.dirichlet(problem.first, first), rng.dirichlet(problem.second, total - first)]
        )
        if not collides(sphere(points)):
            break
    labels = np.repeat([1, -1], [first, total - first])
    order = rng.permutation(total)
    points, labels = points[order], labels[order]
    return Sample(points[:train], labels[:train], points[train:], labels[train:])


def rounded(points: np.ndarray, digits: int = 5) -> np.ndarray:
    """The nearest decimals of so many significant digits."""
    return np.array([[float(f"{v:.{digits}g}") for v in row] for row in points])


def iterated(dual: Map, s: np.ndarray, depth: int | None = None) -> np.ndarray:
    """The NNGP kernel ``f^L`` at gaps ``s``; the gap is carried while it is under 1/2."""
    s, xi = s.copy(), 1 - s
    for _ in range(dual.depth if depth is None else depth):
        near = s < 0.5
        value = dual.value(xi)
        closer = dual.gap(np.where(near, s, 0.25))
        s = np.where(near, closer, 1 - value)
        xi = np.where(near, 1 - closer, value)
    return xi


def regression(dual: Map, sample: Sample) -> np.ndarray:
    """Scores of the ridgeless regression with the iterated kernel at the authors' depth.

    They are divided by the sums of the weights, as the smoother's are, which changes no sign.

    """
    x, z = sphere(sample.train), sphere(sample.test)
    gram = iterated(dual, gaps(x, x))
    np.fill_diagonal(gram, 1.0)
    solution = np.linalg.solve(gram, sample.train_labels.astype(float))
    return smoother(iterated(dual, gaps(z, x)), solution)


def smoother(weights: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weighted means of the labels, one a row of weights."""
    return weights @ labels / np.sum(np.abs(weights), axis=1)


def reference_scores(k: int, sample: Sample) -> dict[str, np.ndarray]:
    """Scores of the rules that need no network: Bayes, Hilbert, nearest neighbour, majority."""
    s = gaps(sphere(sample.test), sphere(sample.train))
    first, second = PROBLEMS[k].densities(sample.test)
    total = float(np.sum(sample.train_labels))
    hilbert = (s / s.min(axis=1, keepdims=True)) ** (-(k - 1) / 2)
    return {
        "bayes": np.where(first > second, 1.0, -1.0),
        "hilbert": smoother(hilbert, sample.train_labels),
        "nearest": sample.train_labels[np.argmin(s, axis=1)].astype(float),
        "majority": np.full(len(s), 1.0 if total > 0 else -1.0),
    }


def decisions(scores: np.ndarray) -> np.ndarray:
    """The authors' sign: zero counts as +1."""
    return np.where(scores < 0, -1, 1)


def text(signs: np.ndarray) -> str:
    """Signs as a string of ``+``, ``-`` and ``0``."""
    return "".join("0" if v == 0 else "+" if v > 0 else "-" for v in np.ravel(signs))


def rule(scores: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """An entry of the file: what was decided, how rightly, and how narrowly at the narrowest."""
    chosen = decisions(scores)
    return {
        "decisions": text(chosen),
        "accuracy": float(np.mean(chosen == labels)),
        "narrowest": float(np.min(np.abs(scores))),
    }


def problem_entry(k: int, train: int, test: int) -> dict[str, Any]:
    """Data and decisions in R^k."""
    raw = draw(PROBLEMS[k], train, test, np.random.default_rng([SEED, k]))
    sample = Sample(rounded(raw.train), raw.train_labels, rounded(raw.test), raw.test_labels)
    s = gaps(sphere(sample.test), sphere(sample.train))
    maps = {}
    for name, dual in MAPS.items():
        maps[name] = {
            "regression": rule(regression(dual, sample), sample.test_labels),
            "smoother": rule(smoother(iterated(dual, s), sample.train_labels), sample.test_labels),
        }
    return {
        "columns": k,
        "dirichlet": [list(PROBLEMS[k].first), list(PROBLEMS[k].second)],
        "train": sample.train.tolist(),
        "train_labels": text(sample.train_labels),
        "test": sample.test.tolist(),
        "test_labels": text(sample.test_labels),
        "rules": {
            name: rule(scores, sample.test_labels)
            for name, scores in reference_scores(k, sample).items()
        },
        "maps": maps,
    }


def layers(dual: Map, s: float) -> Iterator[tuple[Any, Any]]:
    """``(Sigma_L, Theta_L)`` for L = 1, 2, … in mpmath."""
    sigma = theta = 1 - mpmath.mpf(s)
    while True:
        theta *= dual.exact_slope(sigma)
        sigma = dual.exact(sigma)
        theta += sigma
        yield sigma, theta


def kernel_entry(dual: Map, depths: tuple[int, ...], limit: bool) -> dict[str, Any]:
    """Logarithms and signs of the kernels of one map at `GAPS`."""
    columns: dict[str, list[Any]] = {"nngp": [], "ntk": [], "limit": []}
    for s in GAPS:
        column: dict[str, list[Any]] = {"nngp": [], "ntk": []}
        for depth, (sigma, theta) in enumerate(layers(dual, s), start=1):
            if depth in depths:
                column["nngp"].append(sigma)
                column["ntk"].append(theta)
            if depth >= max(depths):
                break
        columns["nngp"].append(column["nngp"])
        columns["ntk"].append(column["ntk"])
        if limit:
            # f^L / a_1^L differs from its limit by a relative O(f^L), long below any digit
            columns["limit"].append(sigma / dual.slope_at_zero() ** max(depths))
    entry: dict[str, Any] = {"specs": list(dual.specs), "depths": list(depths)}
    for kind in ("nngp", "ntk"):
        values = [list(row) for row in zip(*columns[kind], strict=True)]
        entry[f"log_{kind}"] = [[float(mpmath.log(abs(v))) for v in row] for row in values]
        entry[f"sign_{kind}"] = [text(np.array([mpmath.sign(v) for v in row])) for row in values]
    on_diagonal = [theta for _, theta in itertools.islice(layers(dual, 0), max(depths))]
    entry["log_ntk_diagonal"] = [float(mpmath.log(on_diagonal[depth - 1])) for depth in depths]
    if limit:
        entry["log_limit"] = [float(mpmath.log(abs(v))) for v in columns["limit"]]
        entry["sign_limit"] = text(np.array([mpmath.sign(v) for v in columns["limit"]]))
    return entry


def table_only(
    name: str, formula: str, exact: Callable[[Any], Any], exact_slope: Callable[[Any], Any]
) -> Map:
    """A map for the tables of digits alone."""

    def unused(_: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    return Map((name, formula), 0, unused, unused, exact, exact_slope, lambda: exact_slope(0))


def hermite(degree: int) -> Map:
    """``xi^m``, of the normalised Hermite polynomial: the nearest-neighbour regime."""
    return table_only(
        f"h{degree}",
        f"h({degree}, x)",
        lambda xi: xi**degree,
        lambda xi: degree * xi ** (degree - 1),
    )


# Beyond the experiment: maps of the other regimes, and the depths that their tables go to.
OTHERS = {
    "relu": (
        table_only(
            "relu",
            "relu(x)",
            lambda xi: (mpmath.sqrt((1 - xi) * (1 + xi)) + xi * mpmath.acos(-xi)) / mpmath.pi,
            lambda xi: mpmath.acos(-xi) / mpmath.pi,
        ),
        (1, 10, 300, 3000),
    ),
    "cos": (
        table_only(
            "cos",
            "cos(x)",
            lambda xi: mpmath.cosh(xi) / mpmath.cosh(1),
            lambda xi: mpmath.sinh(xi) / mpmath.cosh(1),
        ),
        (1, 10, 300),
    ),
    "exp": (
        table_only("exp", "exp(x)", lambda xi: mpmath.exp(xi - 1), lambda xi: mpmath.exp(xi - 1)),
        (1, 10, 300),
    ),
    **{f"h{m}": (hermite(m), (1, 5, 20, 100)) for m in (2, 3, 4)},
}


def write(path: Path, train: int, test: int) -> None:
    """Write the file of figures."""
    kernels = {
        name: kernel_entry(dual, tuple(sorted({*TABLE_DEPTHS, dual.depth})), limit=True)
        for name, dual in MAPS.items()
    }
    for name, (dual, depths) in OTHERS.items():
        kernels[name] = kernel_entry(dual, depths, limit=False)
    problems = [problem_entry(k, train, test) for k in PROBLEMS]
    head = {
        "made_by": "benchmarks/oracles/authors_experiment.py",
        "versions": {p: version(p) for p in ("numpy", "mpmath")},
        "facts_from": "uhlerlab/inf_depth_ntks 83e0d6a",
        "seed": [SEED, "number of columns"],
        "prior": PRIOR,
        "digits_of_tables": DIGITS,
        "depths": {name: dual.depth for name, dual in MAPS.items()},
        "gaps": list(GAPS),
    }
    tables = ",\n".join(f"  {json.dumps(n)}: {json.dumps(e)}" for n, e in kernels.items())
    samples = ",\n".join(f"  {json.dumps(entry)}" for entry in problems)
    path.write_text(
        f'{json.dumps(head, indent=1)[:-2]},\n "kernels": {{\n{tables}\n }},\n'
        f' "problems": [\n{samples}\n ]\n}}\n'
    )
    for entry in problems:
        print(f"R^{entry['columns']}", {n: r["accuracy"] for n, r in entry["rules"].items()})
        for name, rules in entry["maps"].items():
            a, b = rules["regression"], rules["smoother"]
            apart = sum(p != q for p, q in zip(a["decisions"], b["decisions"], strict=True))
            print(
                f"  {name:13s} regression {a['accuracy']:.4f} smoother {b['accuracy']:.4f}"
                f" apart {apart} narrowest {a['narrowest']:.1e} {b['narrowest']:.1e}"
            )


def compare(columns: list[int], train: int, test: int, seeds: int) -> None:
    """Print accuracies of the experiment beside those of ``deeplimit``'s limit kernels."""
    import deeplimit

    limits = {n: deeplimit.LimitKernel(deeplimit.Activation(m.specs[0])) for n, m in MAPS.items()}
    for k in columns:
        table: dict[str, list[float]] = {}
        for seed in range(seeds):
            sample = draw(PROBLEMS[k], train, test, np.random.default_rng([SEED, k, seed]))
            s = gaps(sphere(sample.test), sphere(sample.train))
            scores = reference_scores(k, sample)
            for name, dual in MAPS.items():
                log = np.asarray(limits[name].log_at_gap(s))
                weights = np.exp(log - log.max(axis=1, keepdims=True))
                here = smoother(weights, sample.train_labels)
                there = regression(dual, sample)
                scores |= {f"{name}, iterated": there, f"{name}, limit": here}
                same = np.mean(decisions(here) == decisions(there))
                table.setdefault(f"{name}, agree", []).append(float(same))
            for name, values in scores.items():
                right = float(np.mean(decisions(values) == sample.test_labels))
                table.setdefault(name, []).append(right)
        print(f"R^{k}, {train} + {test} points, {seeds} seeds: mean and standard deviation")
        for name in sorted(table):
            print(f"  {name:24s} {np.mean(table[name]):.4f} {np.std(table[name]):.4f}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    writer = commands.add_parser("write", help="write the file of figures")
    writer.add_argument("path", type=Path)
    comparer = commands.add_parser("compare", help="print accuracies beside deeplimit's")
    comparer.add_argument("--columns", type=int, nargs="*", default=list(PROBLEMS))
    comparer.add_argument("--seeds", type=int, default=3)
    for command, size in ((writer, 200), (comparer, 2000)):
        command.add_argument("--train", type=int, default=size)
        command.add_argument("--test", type=int, default=size)
    arguments = parser.parse_args()
    if arguments.command == "write":
        write(arguments.path, arguments.train, arguments.test)
    elif unknown := set(arguments.columns) - set(PROBLEMS):
        sys.exit(f"no data in R^{min(unknown)}: choose from {sorted(PROBLEMS)}")
    else:
        compare(arguments.columns, arguments.train, arguments.test, arguments.seeds)


if __name__ == "__main__":
    main()
