"""A model card: what a fitted classifier is, how good it is, where it is weak, on what data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.documents import Block, Document, Drawing, Heading, Paragraph, Table
from deeplimit.estimators.findings import Findings, find
from deeplimit.estimators.portrayal import bins_svg, made_of
from deeplimit.estimators.quality import (
    Quality,
    Slice,
    forecasts_left_out,
    quality,
    weak_slices,
)
from deeplimit.estimators.tabular import table_of_examples

__all__ = ["ModelCard", "make_card"]

Floats = NDArray[np.float64]

# Rows of a table that is cut off, and classes up to which confusions are a square.
_LINES, _SQUARE = 12, 10


@dataclass(frozen=True, eq=False)
class ModelCard:
    """What a fitted classifier is, how good it is, and where it is weak.

    ``str(card)`` is the card for a terminal.

    Attributes
    ----------
    document : Document
        The whole text.
    quality : Quality or None
        Figures from examples left out; None in a regime that has none.
    weak : tuple of Slice
        Ranges of columns whose rows are told worst.
    findings : Findings
        What is odd about the data.

    Examples
    --------
    >>> import deeplimit as dl
    >>> from sklearn.datasets import load_iris
    >>> card = dl.DeepLimitClassifier().fit(*load_iris(return_X_y=True)).report()
    >>> print(str(card)[:33])
    Model card of DeepLimitClassifier
    >>> card.quality.measures[0].name, card.quality.measures[0].value > 0.9
    ('accuracy', True)
    """

    document: Document
    quality: Quality | None
    weak: tuple[Slice, ...]
    findings: Findings

    def __str__(self) -> str:
        return self.document.to_text()

    def to_markdown(self) -> str:
        """Set the card in Markdown.

        Returns
        -------
        str
        """
        return self.document.to_markdown()

    def to_html(self, path: str | Path | None = None) -> str:
        """Set the card as one page that needs no other file, and no script.

        Parameters
        ----------
        path : str or pathlib.Path, optional
            Where to write it besides.

        Returns
        -------
        str
            The page.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        page = self.document.to_html()
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page


def make_card(model: Any, called: Callable[[int], str] | None = None) -> ModelCard:
    """Write the card of a classifier.

    Parameters
    ----------
    model : ExplainedClassifier
        A fitted classifier.
    called : callable, optional
        From the id of an example to what it is called in sentences; see `find`.

    Returns
    -------
    ModelCard
    """
    findings = find(model, called)
    blocks: list[Block] = list(_what(model))
    found: Quality | None = None
    weak: tuple[Slice, ...] = ()
    try:
        place, said = forecasts_left_out(model)
    except ValueError as error:
        blocks += [Heading("How good it is"), Paragraph(f"Not known: {error}")]
    else:
        found = quality(*said)
        weak = tuple(weak_slices(table_of_examples(model), place, found.losses, said.weight))
        names = [str(label) for label in model.classes_]
        blocks += _how_good(model, found, len(place))
        blocks += _calibration(found)
        blocks += _classes(found, names, said.own, said.weight)
        blocks += _weak(weak)
    blocks += made_of(model)
    blocks += _odd(findings)
    blocks += _certificate(model)
    title = f"Model card of {type(model).__name__}"
    return ModelCard(Document(title, tuple(blocks)), found, weak, findings)


def _what(model: Any) -> list[Block]:
    table = table_of_examples(model)
    regime = getattr(model, "regime_", None) or _kernel(model)
    speed = getattr(model, "speed_", None)
    counts = np.bincount(model._index, minlength=len(model._decided))
    kinds = sorted(set(table.kinds))
    columns = ", ".join(f"{table.kinds.count(kind)} {kind}" for kind in kinds)
    gone = float(np.mean(np.isnan(table.rows))) if table.rows.size else 0.0
    rows = [
        ("decides by", regime),
        ("examples", f"{len(model._origin):,}"),
        ("columns", f"{len(table.names):,} ({columns})"),
        ("missing cells", f"{gone:.1%}"),
        ("classes", _some([f"{c} ({n:,})" for c, n in zip(model._decided, counts, strict=True)])),
    ]
    if speed is not None:
        rows.insert(1, ("speed", speed))
    return [
        Heading("What it is"),
        Paragraph(
            "A classifier whose every score is an exact sum over the examples it holds: any "
            "decision can be traced to them, and an example can be taken out again without a trace."
            if _sums(model)
            else "A classifier that keeps the examples it was given."
        ),
        Table(("what", "which"), tuple(rows), left=(0, 1)),
    ]


def _sums(model: Any) -> bool:
    return getattr(model, "_pooled", False) or model._rule.kernel is not None


def _kernel(model: Any) -> str:
    return f"singular kernel, exponent {model.exponent_:.6g}"


def _some(words: list[str]) -> str:
    more = f" and {len(words) - _LINES} more" if len(words) > _LINES else ""
    return ", ".join(words[:_LINES]) + more


def _how_good(model: Any, found: Quality, n: int) -> list[Block]:
    rows = tuple(
        (
            measure.name,
            f"{measure.value:.4f}",
            f"{measure.low:.4f} to {measure.high:.4f}",
            "" if measure.guess is None else f"{measure.guess:.4f}",
        )
        for measure in found.measures
    )
    whole = len(model._origin)
    words = (
        f"Measured on {n:,} of {whole:,} examples, each told by the others. Intervals (95 %) are "
        "of resampled examples; the last column is what the shares of the classes alone have. "
    )
    if getattr(model, "_pooled", False):
        words += (
            "What goes into the pool was chosen by the same examples, so that the figures "
            "are a little better than new data will be."
        )
    elif getattr(model, "loo_losses_", None) is not None:
        words += "The exponent was chosen by the same examples."
    return [
        Heading("How good it is"),
        Paragraph(words),
        Table(("figure", "value", "interval", "by shares alone"), rows),
    ]


def _calibration(found: Quality) -> list[Block]:
    rows = tuple(
        (f"{b.confidence:.3f}", f"{b.accuracy:.3f}", f"{b.low:.3f} to {b.high:.3f}", f"{b.mass:g}")
        for b in found.bins
    )
    about = (
        "Share of the rows predicted correctly against the confidence of the prediction. On the "
        "line both agree; below it the model is too sure of itself. Bars are 95 % intervals."
    )
    return [
        Heading("Whether its probabilities hold"),
        Drawing(bins_svg(found.bins), about),
        Table(("confidence", "correct", "interval", "rows"), rows, left=()),
    ]


def _classes(found: Quality, names: list[str], own: NDArray[Any], weight: Floats) -> list[Block]:
    C = len(names)
    mass = np.bincount(own, weights=weight, minlength=C)
    sums = np.bincount(own, weights=weight * found.losses, minlength=C)
    there = np.flatnonzero(mass)
    loss = np.divide(sums, mass, out=np.zeros(C), where=mass > 0.0)
    order = there[np.argsort(-loss[there], kind="stable")]
    right = np.diag(found.confusion)
    said = found.confusion.sum(axis=0)
    rows = tuple(
        (
            names[c],
            f"{mass[c]:g}",
            f"{right[c] / mass[c]:.1%}",
            f"{right[c] / said[c]:.1%}" if said[c] else "never predicted",
            f"{loss[c]:.3f}",
        )
        for c in order[:_LINES]
    )
    blocks: list[Block] = [
        Heading("Class by class"),
        Paragraph(
            "Worst first. Found: of the rows of the class, those predicted to be of it (recall). "
            "Right: of those predicted to be of it, the rows that are (precision)."
            + (f" {order.size - _LINES} more classes are not shown." if order.size > _LINES else "")
        ),
        Table(("class", "rows", "found", "right", "log-loss"), rows),
        Heading("Confusion", 3),
    ]
    if C <= _SQUARE:
        square = tuple(
            (names[c], *(f"{found.confusion[c, k]:g}" for k in range(C))) for c in range(C)
        )
        blocks.append(Paragraph("Rows are what it is, columns what was predicted."))
        blocks.append(Table(("is", *names), square))
        return blocks
    wrong = found.confusion * (1.0 - np.eye(C))
    pairs = np.argsort(-wrong, axis=None, kind="stable")[:_LINES]
    lines = [(names[i // C], names[i % C], f"{wrong.flat[i]:g}") for i in pairs if wrong.flat[i]]
    if lines:
        blocks.append(Table(("is", "predicted", "rows"), tuple(lines), left=(0, 1)))
    else:
        blocks.append(Paragraph("Nothing: every row left out was predicted correctly."))
    return blocks


def _weak(weak: tuple[Slice, ...]) -> list[Block]:
    heading = Heading("Where it is weak")
    if not weak:
        text = (
            "No quarter or level of any column, with 20 rows at least, is told worse than the rest "
            "by three standard errors."
        )
        return [heading, Paragraph(text)]
    rows = tuple(
        (s.column, s.range, str(s.rows), f"{s.loss:.3f}", f"{s.rest:.3f}") for s in weak[:_LINES]
    )
    more = f" {len(weak) - _LINES} more are not shown." if len(weak) > _LINES else ""
    text = (
        "Ranges whose rows have a log-loss three standard errors above that of all others, the "
        f"largest differences first.{more}"
    )
    head = ("column", "range", "rows", "log-loss", "elsewhere")
    return [heading, Paragraph(text), Table(head, rows, left=(0, 1))]


def _odd(findings: Findings) -> list[Block]:
    blocks: list[Block] = [Heading("What is odd about the data")]
    if not findings:
        blocks.append(Paragraph("Nothing was found."))
    else:
        counts = findings.counts()
        rows = tuple(
            (finding.kind, finding.text)
            for kind in counts
            for finding in findings.of(kind)[: _LINES // 2]
        )
        summary = ", ".join(f"{kind}: {count}" for kind, count in counts.items())
        blocks.append(Paragraph(f"{summary}. The first of each:"))
        blocks.append(Table(("kind", "finding"), rows, left=(0, 1)))
    blocks.append(Paragraph(findings.looked_at))
    return blocks


def _certificate(model: Any) -> list[Block]:
    heading = Heading("Certificate")
    try:
        words = str(model.certificate())
    except TypeError as error:
        return [heading, Paragraph(f"None: {error}")]
    return [
        heading,
        Paragraph(
            "A model of the same settings and examples has the same fingerprint, whatever was "
            "added and forgotten on the way."
        ),
        *(Paragraph(line) for line in words.splitlines()),
    ]
