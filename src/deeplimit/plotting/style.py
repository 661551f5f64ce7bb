"""How pictures look: one colour and one marker a regime, and the door to matplotlib.

Colours are Okabe and Ito's, told apart in every common form of colour blindness; a marker or a
line style says the same again. Backgrounds, fonts and the colour of text are left to matplotlib's
style in force, so that pictures fit the reader's notebook, light or dark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from deeplimit._extras import require
from deeplimit.evidence.verdict import Regime

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Look(NamedTuple):
    """How a regime is drawn.

    Attributes
    ----------
    color : str
    marker : str
    words : str
        Name of the regime in a legend.
    """

    color: str
    marker: str
    words: str


#: Okabe and Ito, "Color universal design", 2008.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, GREY = "#CC79A7", "#56B4E9", "#F0E442", "#808080"

LOOKS: Mapping[Regime, Look] = {
    "nearest-neighbour": Look(BLUE, "s", "1-nearest neighbour"),
    "singular-kernel": Look(GREEN, "o", "singular kernel"),
    "majority-vote": Look(VERMILION, "^", "majority vote"),
    "conditionally-positive-definite": Look(PURPLE, "D", "conditionally positive definite"),
    "identity": Look(SKY, "P", "identity"),
    "undecided": Look(GREY, "X", "undecided"),
}


class Series(NamedTuple):
    """How one of several classes or curves is drawn.

    Attributes
    ----------
    color, marker, line : str
    """

    color: str
    marker: str
    line: str


_SERIES = tuple(
    map(
        Series,
        (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW, GREY),
        "os^DvPX*",
        ("-", "--", "-.", ":", "-", "--", "-.", ":"),
    )
)


def series(k: int) -> Series:
    """Give the look of the class or curve with number k; from the ninth on they come again.

    Parameters
    ----------
    k : int
        From 0.

    Returns
    -------
    Series
    """
    return _SERIES[k % len(_SERIES)]


#: Sizes at which a picture eight inches wide is legible at 800 pixels.
SIZES: Mapping[str, Any] = {
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def pyplot(purpose: str) -> Any:
    """Load pyplot, or say how to install it.

    Parameters
    ----------
    purpose : str
        What the picture shows, as the subject of a sentence.

    Returns
    -------
    module
    """
    return require("matplotlib.pyplot", extra="plot", purpose=purpose)


def canvas(fig: Figure | None, size: tuple[float, float], purpose: str) -> Figure:
    """Give the figure to draw on, a new one by default.

    Parameters
    ----------
    fig : Figure or None
        The user's own.
    size : (float, float)
        Inches of a new one.
    purpose : str
        As for `pyplot`.

    Returns
    -------
    Figure
    """
    plt = pyplot(purpose)
    if fig is not None:
        return fig
    made: Figure = plt.figure(figsize=size, layout="constrained")
    return made


def short(x: float, digits: int = 4) -> str:
    """Write a number in a few digits, with a true minus.

    Parameters
    ----------
    x : float
        Any number.
    digits : int, default=4
        How many.

    Returns
    -------
    str
    """
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    return f"{x:.{digits}g}".replace("-", "−")
