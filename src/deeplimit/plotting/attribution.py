"""Attributions: how the shares of examples, or of columns, add up to what was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from deeplimit.estimators.columns import Columns
from deeplimit.estimators.contributions import Contributions
from deeplimit.plotting.display import Display
from deeplimit.plotting.style import BLUE, GREY, VERMILION, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AttributionDisplay", "Share"]

#: Inches of a bar, and of what stands around the bars.
_BAR, _AROUND = 0.27, 1.0
#: Bars that would have room between two groups.
_APART = 0.4
_MARGIN = "margin"


class Share(NamedTuple):
    """A part of a sum.

    Attributes
    ----------
    group : str
        The sum it is a part of: a class, or the margin.
    name : str
        An example, a column, or the rest.
    value : float
        The part.
    error : float
        Its standard error; 0 if it is exact.
    color : str
        Of its bar.
    rest : bool
        Whether it stands for several that are not named.
    """

    group: str
    name: str
    value: float
    error: float
    color: str
    rest: bool


class AttributionDisplay(Display):
    """How the shares of examples, or of columns, add up to what was decided of a row.

    Each bar begins where the one above it ends, so that the last of a group ends at the sum: the
    score of a class for examples, the margin for columns. Hatched bars stand for all that are not
    named. The scores of the classes add up to 1 while none is negative.

    Make one with `from_estimator`, `from_contributions` or `from_columns`.

    Parameters
    ----------
    shares : tuple of Share
        Group by group, in the order of the bars.
    title, label : str
        Of the picture and of its axis.

    Attributes
    ----------
    totals : dict of str to float
        The sum of each group.
    figure_ : matplotlib.figure.Figure
        Set by `plot`.
    ax_ : matplotlib.axes.Axes
        Set by `plot`.

    Examples
    --------
    >>> import deeplimit as dl
    >>> from deeplimit.plotting import AttributionDisplay
    >>> clf = dl.HilbertClassifier(exponent=1.0).fit([[0.0], [1.0], [4.0]], ["a", "b", "b"])
    >>> display = AttributionDisplay.from_estimator(clf, [2.0], top=2)
    >>> [(share.group, share.name, round(share.value, 12)) for share in display.shares]
    [('b', 'example 1', 0.5), ('b', 'others', 0.25), ('a', 'example 0', 0.25)]
    >>> {group: round(total, 12) for group, total in display.totals.items()}
    {'b': 0.75, 'a': 0.25}
    """

    _purpose = "drawing an attribution"

    def __init__(self, shares: tuple[Share, ...], title: str, label: str) -> None:
        self.shares, self.title, self.label = shares, title, label
        self.totals: dict[str, float] = {}
        for share in shares:
            self.totals[share.group] = self.totals.get(share.group, 0.0) + share.value
        self._size = (6.4, _AROUND + _BAR * (len(shares) + _APART * len(self.totals)))

    @classmethod
    def from_estimator(cls, clf: Any, X_row: ArrayLike, top: int = 10) -> Self:
        """Ask a classifier which examples decide a row.

        Parameters
        ----------
        clf : classifier
            A fitted one of this package that has ``contributions``.
        X_row : array-like of shape (d,) or (1, d)
            The row.
        top : int, default=10
            How many examples to name.

        Returns
        -------
        AttributionDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `clf` is not fitted.
        ValueError
            If there is not one row, or the decision is no sum over examples.
        TypeError
            If `clf` has no ``contributions``.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from sklearn.datasets import load_iris
        >>> from deeplimit.plotting import AttributionDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = dl.DeepLimitClassifier(exponent=4.0).fit(X, y)
        >>> display = AttributionDisplay.from_estimator(clf, X[100] + 0.05)
        >>> bool(abs(sum(display.totals.values()) - 1.0) < 1e-12)
        True
        """
        if not hasattr(clf, "contributions"):
            raise TypeError(f"{type(clf).__name__} cannot tell which examples decide.")
        rows: Any = X_row
        if np.ndim(rows) == 1:
            rows = np.asarray(rows).reshape(1, -1)
        if len(rows) != 1:
            raise ValueError(f"an attribution is of one row; got {len(rows)}.")
        return cls.from_contributions(clf.contributions(rows, top=top))

    @classmethod
    def from_contributions(cls, found: Contributions, row: int = 0) -> Self:
        """Show what has been found of the examples that decide.

        Parameters
        ----------
        found : Contributions
            From ``clf.contributions``.
        row : int, default=0
            Which of its rows.

        Returns
        -------
        AttributionDisplay

        Raises
        ------
        ValueError
            If there is no such row.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import AttributionDisplay
        >>> clf = dl.HilbertClassifier(exponent=1.0).fit([[0.0], [1.0], [4.0]], [3, 5, 5])
        >>> found = clf.contributions([[2.0], [4.0]])
        >>> AttributionDisplay.from_contributions(found, row=1).title
        'row 1: class 5 has 1.000, by examples that coincide with it'
        """
        _check_row(row, len(found.indices))
        shares: list[Share] = []
        whole = found.class_shares[row]
        order = np.argsort(-whole, kind="stable")
        named = found.indices[row] >= 0
        # What is not named is exact where all is named, and rounding otherwise.
        all_named = abs(found.rest[row]) <= 1e-12
        for c in order:
            own = named & (found.classes[row] == found.labels[c])
            if not own.any() and whole[c] == 0.0:
                continue
            group, color = str(found.labels[c]), series(int(c)).color
            for example, value in zip(found.indices[row][own], found.shares[row][own], strict=True):
                if value != 0.0:
                    name = f"example {example}"
                    shares.append(Share(group, name, float(value), 0.0, color, False))
            rest = float(whole[c] - found.shares[row][own].sum())
            if not (all_named or abs(rest) <= 1e-14):
                name = "others" if own.any() else f"all of {group}"
                shares.append(Share(group, name, rest, 0.0, color, True))
        title = f"row {row}: class {found.labels[order[0]]} has {whole[order[0]]:.3f}"
        if found.exact[row]:
            title += ", by examples that coincide with it"
        whole_is_one = abs(float(whole.sum()) - 1.0) <= 1e-9
        more = "; the classes add up to 1" if whole_is_one else ""
        return cls(tuple(shares), title, f"share of the score{more}")

    @classmethod
    def from_columns(cls, found: Columns, row: int = 0, top: int = 10) -> Self:
        """Show what has been found of the columns that decide.

        Parameters
        ----------
        found : Columns
            From ``clf.columns``.
        row : int, default=0
            Which of its rows.
        top : int, default=10
            How many columns to name, those with the largest shares.

        Returns
        -------
        AttributionDisplay
            One group, "margin": what no column adds, the columns, and the rest of them.

        Raises
        ------
        ValueError
            If there is no such row, or `top` is less than 1.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import AttributionDisplay
        >>> clf = dl.HilbertClassifier(exponent=2.0)
        >>> clf = clf.fit([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]], ["a", "b", "b"])
        >>> display = AttributionDisplay.from_columns(clf.columns([[1.5, 5.0]]))
        >>> [(share.name, round(share.value, 3)) for share in display.shares]
        [('no column', 0.333), ('x0 = 1.5', 0.561), ('x1 = 5', 0.0)]
        """
        _check_row(row, len(found.margin))
        if top < 1:
            raise ValueError(f"top is a number of columns, at least 1; got {top!r}.")
        values, errors = found.shares[row], found.errors[row]
        order = np.argsort(-np.abs(values), kind="stable")
        shares = [_column("no column", float(found.base[row]), 0.0, rest=True)]
        for j in order[:top]:
            cell = found.cells[row, j]
            told = "(missing)" if cell is None or cell != cell else cell
            words = f"{told:.4g}" if isinstance(told, float) else str(told)
            name = f"{found.names[j]} = {words}"
            shares.append(_column(name, float(values[j]), float(errors[j]), rest=False))
        if order.size > top:
            beyond = order[top:]
            error = float(np.sqrt(np.sum(errors[beyond] ** 2)))
            name = f"{beyond.size} other columns"
            shares.append(_column(name, float(values[beyond].sum()), error, rest=True))
        title = f"row {row}: class {found.predictions[row]} before {found.rivals[row]}"
        return cls(tuple(shares), title, _MARGIN)

    def to_pandas(self) -> Any:
        """Give the shares as a table.

        Returns
        -------
        pandas.DataFrame
            Columns "group", "name", "share", "error" and "rest", in the order of the bars.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import AttributionDisplay
        >>> clf = dl.HilbertClassifier(exponent=1.0).fit([[0.0], [1.0], [4.0]], ["a", "b", "b"])
        >>> AttributionDisplay.from_estimator(clf, [[2.0]]).to_pandas()["share"].round(12).tolist()
        [0.5, 0.25, 0.25]
        """
        return self._table(
            {
                "group": [share.group for share in self.shares],
                "name": [share.name for share in self.shares],
                "share": [share.value for share in self.shares],
                "error": [share.error for share in self.shares],
                "rest": [share.rest for share in self.shares],
            }
        )

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; by default on a new figure, as high as there are bars.

        Returns
        -------
        AttributionDisplay
            Itself, with ``figure_`` and ``ax_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import AttributionDisplay
        >>> clf = dl.HilbertClassifier(exponent=1.0).fit([[0.0], [1.0], [4.0]], ["a", "b", "b"])
        >>> AttributionDisplay.from_estimator(clf, [2.0]).plot().ax_.get_xlabel()
        'share of the score; the classes add up to 1'
        """
        return self._on_axes(ax, self._draw)

    def _draw(self, ax: Axes) -> None:
        places, at, most = [], 0.0, 0.0
        kind = "" if self.label == _MARGIN else "class "
        for group, total in self.totals.items():
            own = [share for share in self.shares if share.group == group]
            end, first = 0.0, at
            for share in own:
                ax.barh(
                    at, share.value, left=end, height=0.72, color=share.color,
                    alpha=0.45 if share.rest else 1.0, hatch="///" if share.rest else None,
                    edgecolor=ax.get_facecolor(), lw=0.5,
                )  # fmt: skip
                end += share.value
                if share.error > 0.0:
                    ax.errorbar(end, at, xerr=share.error, color=GREY, capsize=2.5, lw=1.0)
                places.append(at)
                at += 1.0
            right = max(total, total - own[-1].value) + own[-1].error
            most = max(most, right)
            ax.plot([total, total], [first - 0.4, at - 0.6], color=GREY, lw=0.9, ls=":", zorder=0)
            ax.annotate(
                f"{kind}{group}: {total:.3f}".replace("-", "−"), (right, at - 1.0), xytext=(5, 0),
                textcoords="offset points", va="center", weight="bold", annotation_clip=False,
            )  # fmt: skip
            at += _APART
        ax.axvline(0.0, color=GREY, lw=0.8)
        ax.set_yticks(places, [share.name for share in self.shares])
        ax.set_ylim(at - _APART - 0.4, -0.6)
        ax.margins(x=0.04)
        low, high = ax.get_xlim()
        # To the right of the largest sum is room for its words.
        ax.set_xlim(low, max(high, most + 0.3 * (high - low)))
        ax.set(xlabel=self.label, title=self.title)
        ax.tick_params(axis="y", length=0)


def _check_row(row: int, rows: int) -> None:
    if not 0 <= row < rows:
        raise ValueError(f"row is one of {rows}, from 0; got {row!r}.")


def _column(name: str, value: float, error: float, *, rest: bool) -> Share:
    color = GREY if rest else BLUE if value >= 0.0 else VERMILION
    return Share(_MARGIN, name, value, error, color, rest)
