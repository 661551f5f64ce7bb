"""The tables and the picture of `tables.py`, from the lines of results alone."""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from tables_scores import critical_difference, groups, interval, ranks

MEASURES = ("accuracy", "balanced_accuracy", "log_loss", "calibration_error")
TIMES = ("fit_seconds", "predict_seconds", "probability_seconds")
#: A set counts as clearly behind or ahead from so many points of accuracy on.
CLEAR = 1.5

Lines = list[dict[str, Any]]


def latest(lines: Lines) -> dict[tuple[str, int, str], dict[str, Any]]:
    """Keep the last line of each set, split and method."""
    return {(line["set"], line["split"], line["method"]): line for line in lines}


def values(line: dict[str, Any]) -> dict[str, float]:
    """Give the measures of a line; a failure has what the class shares alone get."""
    if "failure" not in line:
        return {name: line[name] for name in (*MEASURES, *TIMES) if name in line}
    return dict(line["baseline"])


class Field:
    """Methods on the sets that all of them have met, each the mean of the same splits."""

    def __init__(self, lines: Lines, methods: list[str]) -> None:
        kept = latest(lines)
        self.methods = methods
        met: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        for name, split, method in kept:
            met[name][method].add(split)
        common = {
            name: set.intersection(*(splits[m] for m in methods)) for name, splits in met.items()
        }
        self.sets = sorted(name for name, splits in common.items() if splits)
        self.left_out = sorted(name for name, splits in common.items() if not splits)
        self.splits = Counter(len(common[name]) for name in self.sets)
        self.lines = [
            kept[name, split, method]
            for name in self.sets
            for split in sorted(common[name])
            for method in methods
        ]
        self.failures = Counter(line["method"] for line in self.lines if "failure" in line)

    def table(self, measure: str) -> np.ndarray:
        """Means over splits, sets × methods; NaN where a method does not have the measure."""
        cells: dict[tuple[str, str], list[float]] = defaultdict(list)
        for line in self.lines:
            cells[line["set"], line["method"]].append(values(line).get(measure, np.nan))
        return np.array([[np.mean(cells[s, m]) for m in self.methods] for s in self.sets])


def markdown(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[j]) for row in [head, *rows]) for j in range(len(head))]
    lines = [
        [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        for row in [head, *rows]
    ]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float, form: str) -> str:
    return "" if np.isnan(value) else format(value, form)


def means(table: np.ndarray) -> np.ndarray:
    """Mean over sets; NaN for a method without the measure on any of them."""
    return np.array([np.nan if np.isnan(column).any() else column.mean() for column in table.T])


def timed(field: Field, name: str) -> np.ndarray:
    """Mean seconds over the results that did not fail."""
    found = []
    for method in field.methods:
        taken = [
            one[name]
            for one in field.lines
            if one["method"] == method and name in one and "failure" not in one
        ]
        found.append(np.mean(taken) if taken else np.nan)
    return np.array(found)


def overview(field: Field) -> str:
    accuracy = field.table("accuracy")
    place = ranks(accuracy).mean(axis=0)
    rounded = np.round(accuracy, 10)
    wins = (rounded == rounded.max(axis=1, keepdims=True)).sum(axis=0)
    columns = {name: means(field.table(name)) for name in MEASURES}
    taken = {name: timed(field, name) for name in TIMES}
    head = ["method", "accuracy %", "balanced %", "rank", "wins", "log-loss", "calibration"]
    head += ["fit s", "predict s", "proba s", "failed"]
    rows = []
    for j in np.argsort(place, kind="stable"):
        method = field.methods[j]
        rows.append(
            [
                method,
                number(100 * columns["accuracy"][j], ".2f"),
                number(100 * columns["balanced_accuracy"][j], ".2f"),
                number(place[j], ".2f"),
                str(wins[j]),
                number(columns["log_loss"][j], ".4f"),
                number(columns["calibration_error"][j], ".4f"),
                number(taken["fit_seconds"][j], ".3g"),
                number(taken["predict_seconds"][j], ".3g"),
                number(taken["probability_seconds"][j], ".3g"),
                str(field.failures[method]),
            ]
        )
    return markdown(head, rows)


def comparison(field: Field, against: str) -> str:
    """Each method minus the one compared with, in points, with an interval over sets."""
    accuracy, loss = field.table("accuracy"), field.table("log_loss")
    times = {name: field.table(name) for name in ("fit_seconds", "predict_seconds")}
    base = field.methods.index(against)
    head = [f"minus {against}", "points", "95 % interval", "behind", "ahead", "level"]
    head += ["log-loss ratio", "fit ratio", "predict ratio"]
    rows = []
    gaps = 100 * (accuracy - accuracy[:, [base]])
    for j in np.argsort(-gaps.mean(axis=0), kind="stable"):
        if j == base:
            continue
        low, high = interval(gaps[:, j])
        ratios = []
        for taken in times.values():
            there = np.isfinite(taken[:, j]) & np.isfinite(taken[:, base])
            quotient = taken[there, j] / np.maximum(taken[there, base], 1e-9)
            ratios.append(np.median(quotient) if there.any() else np.nan)
        rows.append(
            [
                field.methods[j],
                f"{gaps[:, j].mean():+.2f}",
                f"[{low:+.2f}, {high:+.2f}]",
                str((gaps[:, j] < -CLEAR).sum()),
                str((gaps[:, j] > CLEAR).sum()),
                str((np.abs(gaps[:, j]) <= CLEAR).sum()),
                number(means(loss)[j] / means(loss)[base], ".3f"),
                number(ratios[0], ".3g"),
                number(ratios[1], ".3g"),
            ]
        )
    return markdown(head, rows)


def differences(field: Field) -> str:
    """Say which methods Nemenyi's test does not tell apart."""
    from scipy.stats import friedmanchisquare

    accuracy = field.table("accuracy")
    place = ranks(accuracy).mean(axis=0)
    order = np.argsort(place, kind="stable")
    width = critical_difference(len(field.methods), len(field.sets))
    chance = friedmanchisquare(*np.round(accuracy, 10).T).pvalue
    lines = [
        f"Friedman's test: p = {chance:.2g}. Nemenyi's critical difference of mean ranks at 5 %: "
        f"{width:.2f}. Not told apart:"
    ]
    names = [field.methods[j] for j in order]
    for first, last in groups(place[order], width):
        lines.append("- " + ", ".join(names[first : last + 1]))
    return "\n".join(lines)


def each(field: Field) -> str:
    accuracy = 100 * field.table("accuracy")
    rows = [
        [name, *(f"{value:.1f}" for value in row)]
        for name, row in zip(field.sets, accuracy, strict=True)
    ]
    return markdown(["set", *field.methods], rows)


def picture(field: Field, path: Path) -> None:
    """Draw mean ranks on a line, with a bar over those not told apart (Demšar 2006)."""
    import matplotlib.pyplot as plt

    place = ranks(field.table("accuracy")).mean(axis=0)
    order = np.argsort(place, kind="stable")
    place, names = place[order], [field.methods[j] for j in order]
    width = critical_difference(len(names), len(field.sets))
    count, half = len(names), (len(names) + 1) // 2
    bars = groups(place, width)
    top = 0.25 * len(bars) + 0.4
    figure, axes = plt.subplots(figsize=(8, 1.6 + 0.12 * len(bars) + 0.22 * half))
    axes.hlines(0, 1, count, color="black", linewidth=1)
    for tick in range(1, count + 1):
        axes.vlines(tick, 0, 0.12, color="black", linewidth=1)
        axes.text(tick, 0.2, str(tick), ha="center", va="bottom", fontsize=8)
    axes.hlines(0.95, 1, 1 + width, color="black", linewidth=1.5)
    told = f"critical difference {width:.2f}"
    axes.text(1 + width / 2, 1.05, told, ha="center", va="bottom", fontsize=8)
    for level, (first, last) in enumerate(bars):
        height = -0.25 * (level + 1)
        axes.hlines(height, place[first] - 0.05, place[last] + 0.05, color="#0072B2", linewidth=3)
    for j, (rank, name) in enumerate(zip(place, names, strict=True)):
        left = j < half
        depth = -top - 0.42 * (j if left else count - 1 - j)
        edge = 0.6 if left else count + 0.4
        axes.plot([rank, rank, edge], [0, depth, depth], color="black", linewidth=0.8)
        text = f"{name} ({rank:.2f})"
        side, pad = ("right", -0.08) if left else ("left", 0.08)
        axes.text(edge + pad, depth, text, ha=side, va="center", fontsize=9)
    axes.set_xlim(-1.5, count + 2.5)
    axes.set_ylim(-top - 0.42 * half, 1.3)
    axes.axis("off")
    figure.savefig(path, bbox_inches="tight", dpi=150)
    plt.close(figure)


def remarks(field: Field) -> list[str]:
    """Say what a reader must know: failures, mixed sources of a method, machines, warnings."""
    notes = []
    if field.left_out:
        notes.append(f"Left out, not met by all of these methods: {', '.join(field.left_out)}.")
    notes += [
        f"FAILED, counted as the class shares alone: {line['method']} on {line['set']}, "
        f"split {line['split']}: {line['failure']}"
        for line in field.lines
        if "failure" in line
    ]
    settings: dict[str, set[str]] = defaultdict(set)
    libraries: dict[tuple[str, str], set[str]] = defaultdict(set)
    machines = set()
    for line in field.lines:
        settings[line["method"]].add(repr(line["settings"]))
        for name, version in line.get("versions", {}).items():
            libraries[line["method"], name].add(version)
        where = line["machine"]
        machines.add(f"{where['cpu']}, {where['cores']} cores, {line['jobs']} at a time")
    notes += [
        f"MIXED settings of {name}: {len(s)} kinds." for name, s in settings.items() if len(s) > 1
    ]
    mixed: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (method, name), found in libraries.items():
        if len(found) > 1:
            mixed[name, ", ".join(sorted(found))].append(method)
    notes += [f"MIXED {name} ({told}) of {', '.join(m)}." for (name, told), m in mixed.items()]
    notes.append(f"Seconds are of one thread's processor time, on: {'; '.join(sorted(machines))}.")
    if len(machines) > 1:
        notes.append("MIXED machines: times are not to be compared.")
    return notes


def summary(lines: Lines, conditions: dict[str, Any], arguments: argparse.Namespace) -> str:
    """Print what the lines under these conditions say, of all their methods or of those named."""
    here = [line for line in lines if line["conditions"] == conditions]
    if arguments.only:
        here = [line for line in here if line["set"] in arguments.only]
    there = {line["method"] for line in here}
    methods = [name for name in (arguments.methods or sorted(there)) if name in there]
    if not methods:
        kinds = sorted({repr(line["conditions"]) for line in lines})
        return "\n".join([f"No result under {conditions!r}; there are:", *kinds])
    field = Field(here, methods)
    if not field.sets:
        return f"No set has a result of all of {', '.join(methods)}; name fewer by --methods."
    splits = " and ".join(f"{n} of {k} split(s)" for k, n in sorted(field.splits.items()))
    parts = [f"{len(field.sets)} sets ({splits}); conditions {conditions}.", overview(field)]
    if arguments.against in methods and len(methods) > 1:
        parts.append(comparison(field, arguments.against))
        parts.append(
            "Points of accuracy; the interval resamples sets; behind, ahead: sets by more than "
            f"{CLEAR} points; ratios of times are medians over sets."
        )
    if len(methods) > 2 and len(field.sets) > 1:
        parts.append(differences(field))
        if arguments.picture is not None:
            picture(field, arguments.picture)
    if arguments.each:
        parts.append(each(field))
    return "\n\n".join([*parts, "\n".join(remarks(field))])
