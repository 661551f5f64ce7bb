"""Checks of the taxonomy and of the designed activations."""

from __future__ import annotations

from collections import Counter

from deeplimit.activations.catalog import names
from deeplimit.designs import design, families
from deeplimit.regimes import taxonomy
from deeplimit.reproduce.results import Result, Table
from deeplimit.reproduce.settings import Settings

#: Numerical duals whose sweep takes a second; a quick run leaves them out.
SLOW = (
    *("relu6", "elu", "celu", "selu", "softsign", "hard_tanh", "hard_sigmoid", "hard_swish"),
    *("hard_shrink", "soft_shrink", "sparse_plus", "sparse_sigmoid", "relu_squared"),
    *("arctan", "asinh", "tanh"),
)
#: Of the families that have a name for each parameter.
MEMBERS = ("h2", "h3", "h4", "h5", "sine_2.676", "sine_6.13539", "sine_13.8258", "leaky_relu_0.2")

CLASSIFIERS = {
    "nearest-neighbour": "1-nearest neighbour",
    "majority-vote": "majority vote",
    "singular-kernel": "singular kernel",
    "conditionally-positive-definite": "interpolation, conditionally positive definite",
    "identity": "the identity",
}


def check_taxonomy(settings: Settings) -> Result:
    """Classify activations by their constants and by the sweep of their kernels."""
    chosen = [n for n in names() if not (settings.quick and n in SLOW)] + list(MEMBERS)
    rows, wrong = [], []
    counts: Counter[str] = Counter()
    for name in chosen:
        t = taxonomy(name)
        sweep = t.evidence
        agree = t.regime != "undecided" and sweep.agrees_with(t)
        counts[t.regime] += 1
        if not agree:
            wrong.append(name)
        exponent = "" if t.exponent is None else f"{t.exponent:.6g}"
        seen = "" if sweep.exponent is None else f"{sweep.exponent:.6g}"
        depth = int(sweep.depths[-1])
        rows.append((name, t.regime, exponent, sweep.regime, seen, depth, "yes" if agree else "NO"))
    told = ", ".join(f"{counts[r]} {words}" for r, words in CLASSIFIERS.items() if counts[r])
    figure = f"{len(chosen) - len(wrong)} of {len(chosen)} activations agree: {told}"
    notes = [
        "The abstract names three classifiers. A fourth kind exists: with a mean and B' < 1 "
        "(sigmoid, softplus, cos) the ridgeless limit interpolates and is none of the three.",
    ]
    if wrong:
        notes.insert(0, f"No agreement: {', '.join(wrong)}.")
    columns = ("activation", "by constants", "exponent", "by sweep", "exponent seen", "depth", "=")
    return Result(
        passed=not wrong and len(chosen) >= 30,
        figure=figure,
        tables=[Table("Regimes by the constants and by the kernel's own course", columns, rows)],
        notes=notes,
        data={"activations": len(chosen), "disagree": wrong, "regimes": dict(counts)},
    )


def check_designs(settings: Settings) -> Result:
    """Design an activation for each dimension in each family, and classify it again."""
    dimensions = range(2, 13)
    rows, wrong, largest, count = [], [], 0.0, 0
    for family in families():
        errors = []
        for dimension in dimensions:
            if not family.reaches(dimension):
                continue
            phi = design(dimension, family=family.name)
            found = taxonomy(phi)
            error = abs((found.exponent or 0.0) - dimension)
            errors.append(error)
            agrees = settings.quick or found.evidence.agrees_with(found)
            if found.regime != "singular-kernel" or error > 1e-9 or not agrees:
                wrong.append(f"{family.name} for dimension {dimension}")
        if errors:
            reached = [d for d in dimensions if family.reaches(d)]
            span = f"{reached[0]} to {reached[-1]}" if len(reached) > 1 else str(reached[0])
            rows.append((family.name, family.dual, span, max(errors)))
            largest, count = max(largest, *errors), count + len(errors)
    code = design(4).design.code
    example = "" if code is None else code.text
    figure = (
        f"{count} activations of {len(rows)} families for dimensions 2 to 12: the exponent is the "
        f"dimension to {largest:.1e}"
    )
    return Result(
        passed=not wrong and count > 0,
        figure=figure,
        tables=[
            Table(
                "Largest error of the exponent",
                ("family", "dual map", "dimensions", "error"),
                rows,
            )
        ],
        notes=[f"For dimension 4, for example: φ(x) = {example}, h(k, x) the Hermite polynomial."]
        + [f"Wrong: {', '.join(wrong)}." for _ in wrong[:1]],
        data={"activations": count, "largest_error": largest, "wrong": wrong},
    )
