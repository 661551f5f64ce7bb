"""The pictures of the demonstration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deeplimit.activations import Activation
from deeplimit.demo.contest import OWN, Contest
from deeplimit.demo.data import DataSet
from deeplimit.demo.reasons import Decision
from deeplimit.documents import Picture
from deeplimit.plotting import ActivationDisplay
from deeplimit.plotting.style import BLUE, GREEN, GREY, SIZES, VERMILION, canvas, pyplot

__all__ = ["draw_contests", "draw_portrait", "draw_reasons"]

_PURPOSE = "drawing the demonstration"


def draw_contests(contests: Sequence[Contest], folder: Path) -> Picture:
    """Draw accuracies and log-losses of all classifiers.

    Parameters
    ----------
    contests : sequence of Contest
        One for each data set.
    folder : pathlib.Path
        Where to write the picture.

    Returns
    -------
    Picture
    """
    plt = pyplot(_PURPOSE)
    with plt.rc_context(dict(SIZES)):
        figure = canvas(None, (8.0, 2.5 * len(contests) + 0.3), _PURPOSE)
        panels = np.reshape(figure.subplots(len(contests), 2, sharey="row"), (len(contests), 2))
        for (left, right), contest in zip(panels, contests, strict=True):
            names = [score.name for score in contest.scores]
            at = np.arange(len(names))[::-1]
            colors = [GREEN if name in OWN else GREY for name in names]
            for y, score, color in zip(at, contest.scores, colors, strict=True):
                left.errorbar(
                    score.accuracy, y, xerr=score.standard_error, fmt="o", color=color, capsize=3
                )
                right.plot([0.0, score.log_loss], [y, y], color=color, lw=1.0)
                right.plot(score.log_loss, y, "o", color=color)
            left.set_yticks(at, names)
            left.set(title=f"{contest.data.name}: accuracy, one standard error")
            right.set(title="log-loss (less is better)", xlim=(0.0, None))
            left.grid(axis="x", color=GREY, alpha=0.25)
        return _saved(
            figure,
            folder / "contest.png",
            "Accuracy and log-loss of each classifier on each data set",
        )


def draw_reasons(data: DataSet, found: Sequence[Decision], folder: Path) -> Picture:
    """Draw decisions on pictures beside the examples that made them.

    Parameters
    ----------
    data : DataSet
        Of pictures.
    found : sequence of Decision
        What to draw.
    folder : pathlib.Path
        Where to write the picture.

    Returns
    -------
    Picture
    """
    plt = pyplot(_PURPOSE)
    columns = 1 + max(len(decision.examples) for decision in found)
    with plt.rc_context(dict(SIZES)):
        figure = canvas(None, (8.0, 1.75 * len(found)), _PURPOSE)
        panels = np.reshape(figure.subplots(len(found), columns), (len(found), columns))
        for row, decision in zip(panels, found, strict=True):
            title = f"{decision.kind}: “{decision.predicted}” {decision.probability:.2f}"
            if decision.predicted != decision.truth:
                title += f"\nin truth {decision.truth}"
            _show(row[0], data, decision.row, title, BLUE)
            for ax, example, label, share in zip(
                row[1:], decision.examples, decision.labels, decision.shares, strict=True
            ):
                agrees = label == decision.truth
                title = f"{label}: {share:.3f}\nrow {example}"
                _show(ax, data, int(example), title, GREEN if agrees else VERMILION)
        return _saved(
            figure,
            folder / "reasons.png",
            "Three decisions, each beside the five examples that weigh most in it; green "
            "frames are of the right class",
        )


def _show(ax: Any, data: DataSet, row: int, title: str, color: str) -> None:
    ax.imshow(data.X[row].reshape(data.shape or (1, -1)), cmap="gray_r")
    ax.set_title(title, fontsize=8.5)
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color=color, linewidth=2.0)


def draw_portrait(activation: Activation, folder: Path) -> Picture:
    """Draw the portrait of an activation.

    Parameters
    ----------
    activation : Activation
        Whose.
    folder : pathlib.Path
        Where to write the picture.

    Returns
    -------
    Picture
    """
    display = ActivationDisplay.from_activation(activation).plot()
    return _saved(
        display.figure_,
        folder / "portrait.png",
        "The activation, its dual map, its kernel by depth, and the kernel at infinite depth",
    )


def _saved(figure: Any, path: Path, about: str) -> Picture:
    figure.savefig(path, dpi=110, facecolor="white")
    pyplot(_PURPOSE).close(figure)
    return Picture(path.name, about)
