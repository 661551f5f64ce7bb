"""The demonstration: a contest on real data, reasons of decisions, the portrait of a network."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sklearn.preprocessing import StandardScaler

from deeplimit._extras import available
from deeplimit.demo.contest import FOLDS, Contest, Score, compete
from deeplimit.demo.data import DataSet, load
from deeplimit.demo.reasons import Decision, decisions
from deeplimit.documents import Block, Code, Document, Heading, Paragraph, Picture, Table
from deeplimit.estimators import DeepLimitClassifier
from deeplimit.kernels import LimitKernel
from deeplimit.regimes import Taxonomy

__all__ = ["Demonstration", "run"]

#: Probabilities of a new fit and those that a share predicts differ by rounding alone.
REMOVAL_TOLERANCE = 1e-9

_NEXT = """\
deeplimit inspect relu gelu tanh     what other activations become
deeplimit design --dimension 10      an activation for your dimension
deeplimit fit DATA.csv --target COLUMN -o model.safetensors
deeplimit explain model.safetensors NEW.csv
deeplimit reproduce --quick          the paper's claims, checked"""


@dataclass(frozen=True, eq=False)
class Demonstration:
    """What the demonstration found.

    Attributes
    ----------
    contests : tuple of Contest
        Classifiers beside one another, one contest for each data set.
    decisions : tuple of Decision
        Reasons of decisions on the last data set.
    matched : Taxonomy
        Of the activation that was designed for the last data set.
    document : Document
        The report.
    files : tuple of pathlib.Path
        What was written.
    seconds : float
        How long it took.

    Examples
    --------
    >>> from deeplimit.demo import run
    >>> demonstration = run(data_sets=["iris"])
    >>> [contest.data.name for contest in demonstration.contests]
    ['iris']
    >>> max(decision.removal_error for decision in demonstration.decisions) < 1e-9
    True
    """

    contests: tuple[Contest, ...]
    decisions: tuple[Decision, ...]
    matched: Taxonomy
    document: Document
    files: tuple[Path, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether taking examples away changed the scores as their shares say."""
        return all(d.removal_error <= REMOVAL_TOLERANCE for d in self.decisions)

    def to_text(self, width: int = 80) -> str:
        """Set the report for a terminal.

        Parameters
        ----------
        width : int, default=80
            Columns of the terminal.

        Returns
        -------
        str
        """
        text = self.document.to_text(width)
        if self.files:
            listed = "\n".join(f"  {path}" for path in self.files)
            text += f"\n\nWritten in {self.seconds:.0f} seconds:\n\n{listed}"
        return text

    def to_dict(self) -> dict[str, Any]:
        """Give the figures, ready for JSON.

        Returns
        -------
        dict
        """
        return {
            "contests": [
                {
                    "data": contest.data.name,
                    "rows": len(contest.data.y),
                    "scores": [_figures(score) for score in contest.scores],
                    "verdict": contest.verdict(),
                }
                for contest in self.contests
            ],
            "decisions": [
                vars(d) | {"examples": d.examples.tolist(), "shares": d.shares.tolist()}
                for d in self.decisions
            ],
            "matched": self.matched.to_dict(),
            "files": [str(path) for path in self.files],
            "seconds": self.seconds,
        }


def run(
    output: Path | str | None = None,
    *,
    data_sets: Sequence[str] = ("breast cancer", "digits"),
    progress: Callable[[str], None] | None = None,
) -> Demonstration:
    """Run the demonstration; nothing is downloaded.

    Parameters
    ----------
    output : path-like, optional
        Folder for the report (``report.md``, ``report.html``) and its pictures, made if need be.
        Nothing is written by default. Pictures need matplotlib and are left out without it.
    data_sets : sequence of str
        Any of "breast cancer", "digits", "iris" and "wine". Decisions are explained on the last.
    progress : callable, optional
        Called with a line now and then.

    Returns
    -------
    Demonstration
        Figures, report, and the files written.

    Raises
    ------
    ValueError
        If a data set is unknown, or none is named.

    Examples
    --------
    >>> from deeplimit.demo import run
    >>> iris = run(data_sets=["iris"])
    >>> print(iris.decisions[0].sentence)
    Sure: row ... is taken for setosa (rightly), with probability 1.0000, before ...
    """
    if not data_sets:
        raise ValueError("name at least one data set.")
    start = time.perf_counter()
    tell = progress or (lambda line: None)
    data = [load(name) for name in data_sets]
    contests = tuple(compete(each, tell) for each in data)
    tell("explaining three decisions")
    found = tuple(decisions(data[-1]))
    tell("designing the network that matches the data")
    model = DeepLimitClassifier("matched").fit(
        StandardScaler().fit_transform(data[-1].X), data[-1].y
    )
    kernel = model.kernel_
    assert isinstance(kernel, LimitKernel)
    matched: Taxonomy = kernel.taxonomy
    pictures: dict[str, Picture] = {}
    folder = None if output is None else Path(output)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        if available("matplotlib"):
            tell("drawing")
            pictures = _pictures(contests, data[-1], found, matched, folder)
    document = Document(
        "deeplimit on real data", _blocks(contests, data[-1], found, matched, pictures)
    )
    files: list[Path] = []
    if folder is not None:
        files = [*document.write(folder), *(folder / picture.name for picture in pictures.values())]
    return Demonstration(
        contests, found, matched, document, tuple(files), time.perf_counter() - start
    )


def _pictures(
    contests: tuple[Contest, ...],
    data: DataSet,
    found: tuple[Decision, ...],
    matched: Taxonomy,
    folder: Path,
) -> dict[str, Picture]:
    from deeplimit.demo.pictures import draw_contests, draw_portrait, draw_reasons

    pictures = {"contest": draw_contests(contests, folder)}
    if data.shape is not None:
        pictures["reasons"] = draw_reasons(data, found, folder)
    pictures["portrait"] = draw_portrait(matched.activation, folder)
    return pictures


def _figures(score: Score) -> dict[str, Any]:
    return {
        "name": score.name,
        "accuracy": score.accuracy,
        "standard_error": score.standard_error,
        "log_loss": score.log_loss,
        "fit_seconds": score.fit_seconds,
        "predict_seconds": score.predict_seconds,
    }


def _blocks(
    contests: tuple[Contest, ...],
    data: DataSet,
    found: tuple[Decision, ...],
    matched: Taxonomy,
    pictures: dict[str, Picture],
) -> tuple[Block, ...]:
    blocks: list[Block] = [
        Paragraph(
            "“Singular kernel” is the classifier that an infinitely wide and infinitely deep "
            "network is: a sum over the examples, weighed by a power of the distance. Nothing is "
            "trained; the one exponent is chosen by leave-one-out. “Matched network” is the exact "
            "limit of a network whose activation is designed to have that exponent. “DeepLimit”, "
            "the default, pools such sums over the nearest examples with the solutions of wide "
            "networks of finite depth, weighed by what each says of rows left out."
        ),
        Paragraph(
            f"{FOLDS}-fold cross-validation, the same folds and the same scaled features for all; "
            "seconds are means of a fold on this machine."
        ),
    ]
    for contest in contests:
        n, d = contest.data.X.shape
        classes = len(set(contest.data.y.tolist()))
        blocks += [
            Heading(f"{contest.data.name}: {n} rows, {d} columns, {classes} classes"),
            _table(contest),
            Paragraph(contest.verdict()),
        ]
    if "contest" in pictures:
        blocks.append(pictures["contest"])
    blocks += _reasons(data, found)
    if "reasons" in pictures:
        blocks.append(pictures["reasons"])
    blocks += [Heading(f"The network that matches {data.name}"), *_portrait(matched)]
    if "portrait" in pictures:
        blocks.append(pictures["portrait"])
    blocks += [Heading("What to try next"), Code(_NEXT)]
    return tuple(blocks)


def _table(contest: Contest) -> Table:
    most = max(score.accuracy for score in contest.scores)
    least = min(score.log_loss for score in contest.scores)
    rows = tuple(
        (
            score.name,
            f"{score.accuracy:.4f}{'*' if score.accuracy == most else ' '}",
            f"{score.standard_error:.4f}",
            f"{score.log_loss:.4f}{'*' if score.log_loss == least else ' '}",
            f"{score.fit_seconds:.3f}",
            f"{score.predict_seconds:.3f}",
        )
        for score in contest.scores
    )
    return Table(("classifier (* best)", "accuracy ", "±", "log-loss ", "fit s", "predict s"), rows)


def _reasons(data: DataSet, found: tuple[Decision, ...]) -> list[Block]:
    blocks: list[Block] = [
        Heading(f"Reasons of {len(found)} decisions on {data.name}"),
        Paragraph(
            "Rows of the first fold, decided by the others with the singular kernel. A share is "
            "an example's part of the score; the shares of a class add up to its probability."
        ),
    ]
    for decision in found:
        blocks += [
            Paragraph(decision.sentence),
            Table(
                ("example", "class", "share"),
                tuple(
                    (f"row {row}", label, f"{share:.4f}")
                    for row, label, share in zip(
                        decision.examples.tolist(), decision.labels, decision.shares, strict=True
                    )
                ),
                left=(0, 1),
            ),
        ]
    worst = max(decision.removal_error for decision in found)
    outcome = "as predicted" if worst <= REMOVAL_TOLERANCE else "NOT as predicted"
    blocks.append(
        Paragraph(
            "Checked by fitting anew without the first example of each: its class loses exactly "
            f"its share before all are divided by what is left, {outcome} (largest difference "
            f"{worst:.1g})."
        )
    )
    return blocks


def _portrait(matched: Taxonomy) -> list[Block]:
    return [
        Paragraph(f"φ(x) = {matched.activation.formula}"),
        Paragraph(matched.reason),
        Paragraph(
            f"On data of dimension {matched.dimension:.4g} this network is consistent: with ever "
            "more examples its error comes down to the least possible."
        ),
    ]
