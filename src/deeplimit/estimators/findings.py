"""What is odd about the data of a classifier: labels, copies, leaks, idle columns, rare classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import require
from deeplimit.documents import fold
from deeplimit.estimators.left_out import LeftOut
from deeplimit.estimators.tabular import TableOfExamples, table_of_examples
from deeplimit.estimators.telling import telling
from deeplimit.smoothers.scales import anova_scales
from deeplimit.smoothers.views import fit_view

__all__ = ["Finding", "Findings", "find"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Called = Callable[[int], str]

# A label is doubted if another class is this many times as probable ...
_ODDS = 3.0
# ... a column alone tells too well if it errs on this part of the errors of a constant guess, and
# two rows besides, where classes may meet; if there are so many rows; and if so much of each class,
# on average, is told ...
_TOO_WELL, _WHERE_CLASSES_MEET, _ROWS, _BALANCED = 0.02, 2.0, 50, 0.95
# ... and looks like a name of the row if so many of its cells differ, of this many at least.
_DISTINCT, _ENOUGH = 0.95, 20
# Classes of fewer examples are rare: what is said of rows left out hangs on a handful.
_RARE = 10
# Part of the mean scale below which a learnt distance does not look at a column.
_IDLE = 0.1
_NAMED = 10


@dataclass(frozen=True, eq=False)
class Finding:
    """Something about the data that somebody should look at.

    Attributes
    ----------
    kind : str
        "wrong label", "copies", "conflict", "leak", "identifier", "constant column",
        "idle column" or "rare class".
    text : str
        What it is, in a sentence.
    ids : tuple of int
        Examples it is about.
    columns : tuple of str
        Columns it is about.
    label, suggested : object or None
        Of a wrong label: what is written, and what the other examples say.
    strength : float
        By which findings of a kind are ordered. Of a wrong label: how many times as probable
        the other class is. Of copies and conflicts: how many rows. Otherwise a share.
    """

    kind: str
    text: str
    ids: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    label: Any = None
    suggested: Any = None
    strength: float = 0.0


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found, the most serious kinds first, within a kind the strongest.

    It has a length, can be iterated and indexed; ``of(kind)`` gives those of one kind.

    Attributes
    ----------
    found : tuple of Finding
        The findings.
    looked_at : str
        What was looked at, and what was not.

    Examples
    --------
    >>> import deeplimit as dl
    >>> X = [[0.0], [0.2], [0.4], [5.0], [5.2], [5.4], [5.4]]
    >>> clf = dl.HilbertClassifier(exponent=1.0).fit(X, list("aaabbba"))
    >>> for finding in clf.findings().of("conflict"):
    ...     print(finding.text)
    2 rows are alike and have different labels: 5 (b), 6 (a).
    """

    found: tuple[Finding, ...]
    looked_at: str

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def __getitem__(self, i: int) -> Finding:
        return self.found[i]

    def of(self, kind: str) -> tuple[Finding, ...]:
        """Give the findings of a kind."""
        return tuple(finding for finding in self.found if finding.kind == kind)

    def counts(self) -> dict[str, int]:
        """Count the findings of each kind that has any."""
        counts: dict[str, int] = {}
        for finding in self.found:
            counts[finding.kind] = counts.get(finding.kind, 0) + 1
        return counts

    def __str__(self) -> str:
        lines = []
        for kind, count in self.counts().items():
            lines.append(f"{kind} ({count})")
            shown = self.of(kind)[:_NAMED]
            lines += [fold(finding.text, 80, "  ", "    ") for finding in shown]
            if count > _NAMED:
                lines.append(f"  and {count - _NAMED} more")
        return "\n".join([*(lines or ["nothing odd was found"]), fold(self.looked_at)])

    def to_pandas(self) -> Any:
        """Give a table with a line for each finding.

        Returns
        -------
        pandas.DataFrame
            Columns kind, text, ids, columns, label, suggested and strength.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pd = require("pandas", extra="tables", purpose="a table of findings")
        names = ("kind", "text", "ids", "columns", "label", "suggested", "strength")
        return pd.DataFrame([[getattr(f, n) for n in names] for f in self.found], columns=names)


def find(model: Any, called: Called | None = None) -> Findings:
    """Look through the examples of a classifier.

    Parameters
    ----------
    model : ExplainedClassifier
        A fitted classifier.
    called : callable, optional
        From the id of an example to what it is called in sentences, such as "line 70" of a file; by
        default they tell the id.

    Returns
    -------
    Findings
    """
    table = table_of_examples(model)
    ids, index, weight = model._origin, model._index, model._sample_weight
    labels = model._decided
    found: list[Finding] = []
    words = "Copies, columns and classes were looked at"
    try:
        said = model.leave_one_out()
    except ValueError:
        words += "; labels were not, since this regime has no examples left out."
    else:
        found += _wrong_labels(said, model, called)
        words += (
            f", and the labels of {len(said.ids)} of {len(ids)} examples. A label is doubted where "
            "the other examples give another class at least its usual confidence, and "
            f"{_ODDS:g} times what they give to the label."
        )
    doubted = np.isin(ids, [finding.ids[0] for finding in found])
    found += _copies(table, ids, index, labels, called or str)
    found += _columns(model, table, index, weight, doubted)
    found += _rare(index, labels, ids, called or str)
    return Findings(tuple(found), words)


def _wrong_labels(said: LeftOut, model: Any, called: Called | None) -> list[Finding]:
    """Doubt labels by confident learning.

    C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident learning: estimating uncertainty in dataset
    labels", Journal of Artificial Intelligence Research 70, 2021.
    """
    place = np.searchsorted(model._origin, said.ids)
    own = model._present[model._index[place]]
    P = said.probabilities
    at = np.arange(len(own))
    mine = P[at, own]
    mass = np.bincount(own, minlength=P.shape[1])
    confidence = np.bincount(own, weights=mine, minlength=P.shape[1]) / np.maximum(mass, 1)
    others = P.copy()
    others[at, own] = -1.0
    other = np.argmax(others, axis=1)
    best = others[at, other]
    odds = best / np.maximum(mine, 2.0**-52)
    doubted = (best >= confidence[other]) & (mine < confidence[own]) & (odds >= _ODDS)
    chosen = np.flatnonzero(doubted & (mass[other] > 0))
    chosen = chosen[np.argsort(-odds[chosen], kind="stable")]
    classes = model.classes_

    def who(i: int) -> str:
        name = f"example {i}" if called is None else called(i)
        return name[:1].upper() + name[1:]

    return [
        Finding(
            "wrong label",
            f"{who(int(said.ids[i]))} is labelled {classes[own[i]]} (probability {mine[i]:.3f} by "
            f"the other examples), but looks like {classes[other[i]]} ({best[i]:.3f}).",
            (int(said.ids[i]),),
            label=classes[own[i]],
            suggested=classes[other[i]],
            strength=float(odds[i]),
        )
        for i in chosen
    ]


def _copies(
    table: TableOfExamples, ids: Integers, index: Integers, labels: NDArray[Any], called: Called
) -> list[Finding]:
    """Find rows that are equal cell by cell, missing ones included."""
    if not table.rows.shape[1]:
        return []
    # One pattern of bits for each number: -0.0 is 0.0, and all NaN are alike.
    rows = np.where(np.isnan(table.rows), np.nan, table.rows + 0.0)
    bits = np.ascontiguousarray(rows).view(np.uint64)
    _, group, count = np.unique(bits, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(group, kind="stable")
    order = order[count[group.ravel()[order]] > 1]
    if not order.size:
        return []
    found = []
    sorted_groups = group.ravel()[order]
    for who in np.split(order, np.flatnonzero(np.diff(sorted_groups)) + 1):
        several = np.unique(index[who]).size > 1
        named = ", ".join(
            called(int(ids[i])) + (f" ({labels[index[i]]})" if several else "")
            for i in who[:_NAMED]
        )
        more = f" and {who.size - _NAMED} more" if who.size > _NAMED else ""
        end = "have different labels" if several else f"all labelled {labels[index[who[0]]]}"
        text = f"{who.size} rows are alike and {end}: {named}{more}."
        if not several:
            text = f"{who.size} rows are alike, {end}: {named}{more}."
        kind = "conflict" if several else "copies"
        found.append(Finding(kind, text, tuple(ids[who].tolist()), strength=float(who.size)))
    found.sort(key=lambda f: (f.kind != "conflict", -f.strength, f.ids))
    return found


def _columns(
    model: Any,
    table: TableOfExamples,
    index: Integers,
    weight: Floats,
    doubted: NDArray[np.bool_],
) -> list[Finding]:
    found: dict[str, list[Finding]] = {"leak": [], "identifier": [], "constant": [], "idle": []}
    n_classes = len(model._decided)
    mass = np.bincount(index, weights=weight, minlength=n_classes)
    guess = 1.0 - float(mass.max() / mass.sum())
    idle = _idle(model, table, index, weight, n_classes)
    for j, (name, kind) in enumerate(zip(table.names, table.kinds, strict=True)):
        column = table.rows[:, j]
        there = column[~np.isnan(column)]
        distinct = np.unique(there)
        if distinct.size + (there.size < column.size) < 2:
            what = "empty" if not distinct.size else f"always {table.cell(j, distinct[0])}"
            text = f"Column {name} is {what} and tells nothing."
            found["constant"].append(Finding("constant column", text, columns=(name,)))
            continue
        if (why := _identifier(column, there, distinct, kind)) is not None:
            text = f"Column {name} looks like a name of the row: {why}."
            part = float(distinct.size / there.size)
            found["identifier"].append(Finding("identifier", text, columns=(name,), strength=part))
        # A wrong label is nothing a leak could tell.
        sure = ~doubted
        told = telling(column[sure], index[sure], weight[sure], n_classes, kind != "categorical")
        wrong = (1.0 - told.accuracy) * sure.sum()
        few = _TOO_WELL * guess * sure.sum() + _WHERE_CLASSES_MEET
        if n_classes > 1 and sure.sum() >= _ROWS and wrong <= few and told.balanced >= _BALANCED:
            text = (
                f"Column {name} alone tells the class of {told.accuracy:.2%} of the rows left out: "
                "make sure that it is known before the class is."
            )
            if _one_to_one(column[sure], index[sure]):
                text = f"Column {name} is the class under another name, value by value."
            found["leak"].append(Finding("leak", text, columns=(name,), strength=told.accuracy))
        if idle[j]:
            text = f"Nothing was seen to depend on column {name}."
            found["idle"].append(Finding("idle column", text, columns=(name,)))
    for kind in ("leak", "identifier"):
        found[kind].sort(key=lambda f: -f.strength)
    return [finding for kind in found.values() for finding in kind]


def _one_to_one(column: Floats, index: Integers) -> bool:
    cells = np.unique(column, return_inverse=True)[1]
    pairs = np.unique(np.stack([cells, index]), axis=1).shape[1]
    return bool(pairs == np.unique(cells).size == np.unique(index).size)


def _identifier(column: Floats, there: Floats, distinct: Floats, kind: str) -> str | None:
    if there.size < _ENOUGH or distinct.size < _DISTINCT * there.size:
        return None
    if kind == "categorical":
        return f"{distinct.size} different texts in {there.size} rows"
    if kind != "numeric" or np.any(there != np.floor(there)):
        return None
    step = np.diff(there)
    if np.all(step > 0) or np.all(step < 0):
        return "whole numbers that run with the rows"
    if distinct[-1] - distinct[0] < 1.5 * there.size:
        return f"{distinct.size} different running numbers in {there.size} rows"
    return None


def _idle(
    model: Any, table: TableOfExamples, index: Integers, weight: Floats, n_classes: int
) -> NDArray[np.bool_]:
    """Find columns that tell nothing by themselves, nor to any learnt distance."""
    p = len(table.names)
    if n_classes < 2 or len(index) < _ENOUGH:
        return np.zeros(p, dtype=bool)
    pooled = getattr(model, "_pooled", False)
    points = model._model.points(table.rows) if pooled else table.rows
    origin = model._model.encoder.origin_ if pooled else np.arange(p)
    if not points.shape[1]:
        return np.zeros(p, dtype=bool)
    scores = fit_view(points, weight, "ranks").features(points)
    alone = anova_scales(scores, index, weight, n_classes)
    if np.all(alone == alone[0]):  # all 1 where no column tells anything
        alone = np.zeros_like(alone) if _nothing(scores, index, weight, n_classes) else alone
    tells = alone > 0.0
    learnt = []
    if pooled:
        for group in model.pool_.groups:
            if np.ptp(group.scale) > 0.0:
                used = group.scale**2 > _IDLE * np.mean(group.scale**2)
                np.logical_or.at(tells, group.view.source, used)
                learnt.append(group)
    # What no distance has learnt may still matter together with other columns: nothing is said.
    if not learnt:
        return np.zeros(p, dtype=bool)
    there = np.zeros(p, dtype=bool)
    there[origin] = True
    used = np.zeros(p, dtype=bool)
    np.logical_or.at(used, origin, tells)
    idle: NDArray[np.bool_] = there & ~used
    return idle


def _nothing(scores: Floats, index: Integers, weight: Floats, n_classes: int) -> bool:
    """Tell whether no column tells anything: then a further, empty one gets the same scale."""
    padded = np.hstack([scores, np.zeros((len(scores), 1))])
    return bool(anova_scales(padded, index, weight, n_classes)[-1] > 0.0)


def _rare(index: Integers, labels: NDArray[Any], ids: Integers, called: Called) -> list[Finding]:
    counts = np.bincount(index, minlength=len(labels))
    found = []
    for c in np.argsort(counts, kind="stable"):
        if 0 < counts[c] < _RARE:
            who = ids[index == c]
            has = "1 example" if counts[c] == 1 else f"{counts[c]} examples"
            text = f"Class {labels[c]} has {has}: {', '.join(map(called, who.tolist()))}."
            share = float(counts[c] / counts.sum())
            found.append(
                Finding("rare class", text, tuple(who.tolist()), label=labels[c], strength=share)
            )
    return found
