"""Decision boundaries over two columns: probabilities blended, level lines, examples on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from deeplimit._extras import require
from deeplimit.estimators.base import ExampleClassifier
from deeplimit.estimators.tabular import table_of_examples
from deeplimit.plotting.display import Display
from deeplimit.plotting.style import GREY, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DecisionBoundaryDisplay"]

Array = NDArray[np.float64]
#: How much of a class's colour is seen where it is certain.
_STRENGTH = 0.5
#: Line styles of the levels, the least first.
_LINES = (":", "--", "-.")


class DecisionBoundaryDisplay(Display):
    r"""What a classifier says of every place in a plane of two columns.

    The colour of a class is as strong as its probability is above that of a guess,
    :math:`(p_c - 1/C)/(1 - 1/C)`, so that the plane is as pale as the classifier is undecided.
    Thick lines divide the classes; thin ones, in the colour of the class, are where its probability
    is one of `levels`. Examples lie on top.

    Make one with `from_estimator`.

    Parameters
    ----------
    x, y : ndarray of shape (r,)
        Places of the grid along the two columns.
    probabilities : ndarray of shape (r, r, n_classes)
        Of the classes at ``(x[j], y[i])``.
    classes : ndarray of shape (n_classes,)
        Their labels.
    names : (str, str)
        Of the columns.
    examples : ndarray of shape (n, 2)
        What lies on top.
    labels : ndarray of shape (n,) or None
        Their classes, if known.
    levels : tuple of float
        Probabilities to draw lines of.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        Set by `plot`.
    ax_ : matplotlib.axes.Axes
        Set by `plot`.

    Examples
    --------
    >>> import deeplimit as dl
    >>> from sklearn.datasets import make_moons
    >>> from deeplimit.plotting import DecisionBoundaryDisplay
    >>> clf = dl.HilbertClassifier(exponent=2.0).fit(*make_moons(60, noise=0.2, random_state=0))
    >>> display = DecisionBoundaryDisplay.from_estimator(clf, resolution=40)
    >>> display.probabilities.shape, len(display.examples)
    ((40, 40, 2), 60)
    """

    _purpose = "drawing a decision boundary"
    _size = (6.4, 4.6)

    def __init__(
        self,
        x: Array,
        y: Array,
        probabilities: Array,
        classes: NDArray[Any],
        names: tuple[str, str],
        examples: Array,
        labels: NDArray[Any] | None,
        levels: tuple[float, ...] = (0.75, 0.9),
    ) -> None:
        self.x, self.y, self.probabilities, self.classes = x, y, probabilities, classes
        self.names, self.examples, self.labels, self.levels = names, examples, labels, levels

    @classmethod
    def from_estimator(
        cls,
        clf: Any,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        resolution: int = 150,
        margin: float = 0.1,
        levels: Sequence[float] = (0.75, 0.9),
    ) -> Self:
        """Ask a classifier on a grid.

        Parameters
        ----------
        clf : classifier
            Any fitted one with ``predict_proba``, of this package or another.
        X : array-like of shape (n, 2), optional
            Examples to draw, which the grid covers; by default those that `clf` holds.
        y : array-like of shape (n,), optional
            Their classes; without them given examples are grey.
        resolution : int, default=150
            Places along each column, at least 2.
        margin : float, default=0.1
            How far the grid goes beyond the examples, as a part of their range.
        levels : sequence of float, default=(0.75, 0.9)
            Probabilities to draw lines of, between 0 and 1.

        Returns
        -------
        DecisionBoundaryDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `clf` is not fitted.
        ValueError
            If there are not two columns of numbers, fewer than two classes, no examples, or a
            parameter is out of range.
        TypeError
            If `clf` gives no probabilities.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import DecisionBoundaryDisplay
        >>> X = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
        >>> clf = dl.OneNearestNeighborClassifier().fit(X, ["a", "b", "c"])
        >>> display = DecisionBoundaryDisplay.from_estimator(clf, resolution=3)
        >>> display.to_pandas()["class"].tolist()[:3]
        ['a', 'a', 'b']
        """
        if resolution < 2:
            raise ValueError(f"resolution is a number of places, at least 2; got {resolution!r}.")
        if not margin >= 0.0:
            raise ValueError(f"margin is a part of the range, at least 0; got {margin!r}.")
        if not all(0.0 < level < 1.0 for level in levels):
            raise ValueError(f"levels are probabilities between 0 and 1; got {list(levels)!r}.")
        if not hasattr(clf, "predict_proba"):
            raise TypeError(
                f"{type(clf).__name__} gives no probabilities: it has no predict_proba."
            )
        if hasattr(clf, "fit"):
            check_is_fitted(clf)
        columns = int(clf.n_features_in_)
        if columns != 2:
            raise ValueError(
                "a decision boundary is drawn over two columns; this classifier was fitted on "
                f"{columns}: fit it on the two that you want to see."
            )
        classes = np.asarray(clf.classes_)
        if len(classes) < 2:
            raise ValueError(f"there is one class only, {classes[0]!r}, and so no boundary.")
        if X is None:
            examples, own = _held(clf)
            labels: NDArray[Any] | None = own
        else:
            examples, labels = _numbers(X), None if y is None else np.asarray(y)
            if labels is not None and len(labels) != len(examples):
                raise ValueError(f"X has {len(examples)} rows, and y {len(labels)}.")
        there = np.isfinite(examples).all(axis=1)
        if not there.any():
            raise ValueError("there is no example without a missing cell, and so no place to show.")
        examples, labels = examples[there], None if labels is None else labels[there]
        low, high = examples.min(axis=0), examples.max(axis=0)
        pad = margin * np.where(high > low, high - low, 1.0)
        x, up = (
            np.linspace(a - b, c + b, resolution) for a, b, c in zip(low, pad, high, strict=True)
        )
        grid: Any = np.column_stack([part.ravel() for part in np.meshgrid(x, up)])
        names = getattr(clf, "feature_names_in_", None)
        if names is not None:
            pd = require("pandas", extra="tables", purpose="asking a classifier of named columns")
            grid = pd.DataFrame(grid, columns=names)
        P = np.asarray(clf.predict_proba(grid)).reshape(resolution, resolution, -1)
        one, other = ("x0", "x1") if names is None else map(str, names)
        return cls(x, up, P, classes, (one, other), examples, labels, tuple(levels))

    def to_pandas(self) -> Any:
        """Give the grid and the examples as a table.

        Returns
        -------
        pandas.DataFrame
            Columns "part" ("grid" or "example"), the two columns, "class" (the most probable one,
            or the example's own) and for each class "P(class)", which examples have none of.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import DecisionBoundaryDisplay
        >>> clf = dl.HilbertClassifier(exponent=2.0).fit([[0.0, 0.0], [1.0, 1.0]], [0, 1])
        >>> table = DecisionBoundaryDisplay.from_estimator(clf, resolution=2).to_pandas()
        >>> table.columns.tolist(), table["part"].tolist()[3:]
        (['part', 'x0', 'x1', 'class', 'P(0)', 'P(1)'], ['grid', 'example', 'example'])
        """
        P = self.probabilities.reshape(-1, len(self.classes))
        across, up = (part.ravel() for part in np.meshgrid(self.x, self.y))
        n = len(self.examples)
        own = [None] * n if self.labels is None else self.labels.tolist()
        none = np.full(n, np.nan)
        columns = {
            "part": ["grid"] * len(P) + ["example"] * n,
            self.names[0]: np.concatenate([across, self.examples[:, 0]]),
            self.names[1]: np.concatenate([up, self.examples[:, 1]]),
            "class": self.classes[np.argmax(P, axis=1)].tolist() + own,
        }
        for c, label in enumerate(self.classes):
            columns[f"P({label})"] = np.concatenate([P[:, c], none])
        return self._table(columns)

    def plot(self, ax: Axes | None = None, *, legend: bool = True) -> Self:
        """Draw the plane.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; by default on a new figure.
        legend : bool, default=True
            Whether to name classes and levels beside the axes.

        Returns
        -------
        DecisionBoundaryDisplay
            Itself, with ``figure_`` and ``ax_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import DecisionBoundaryDisplay
        >>> clf = dl.HilbertClassifier(exponent=2.0).fit([[0.0, 0.0], [1.0, 1.0]], ["a", "b"])
        >>> ax = DecisionBoundaryDisplay.from_estimator(clf, resolution=20).plot().ax_
        >>> [text.get_text() for text in ax.get_legend().get_texts()][:2]
        ['a', 'b']
        """
        return self._on_axes(ax, lambda ax: self._draw(ax, legend))

    def colors(self, background: Sequence[float]) -> Array:
        """Blend the colours of the classes into a background.

        Parameters
        ----------
        background : (float, float, float)
            Red, green and blue from 0 to 1.

        Returns
        -------
        ndarray of shape (r, r, 3)
        """
        to_rgb = require("matplotlib.colors", extra="plot", purpose=self._purpose).to_rgb
        C = len(self.classes)
        ground = np.asarray(background, dtype=np.float64)
        hues = np.array([to_rgb(series(c).color) for c in range(C)]) - ground
        excess = np.maximum(self.probabilities - 1.0 / C, 0.0) / (1.0 - 1.0 / C)
        return np.asarray(np.clip(ground + _STRENGTH * excess @ hues, 0.0, 1.0))

    def _draw(self, ax: Axes, legend: bool) -> None:
        from_rgb = require("matplotlib.colors", extra="plot", purpose=self._purpose).to_rgb
        ink = ax.xaxis.label.get_color()
        half = (self.x[1] - self.x[0]) / 2.0, (self.y[1] - self.y[0]) / 2.0
        ax.imshow(
            self.colors(from_rgb(ax.get_facecolor())), origin="lower", aspect="auto",
            interpolation="nearest",
            extent=(
                self.x[0] - half[0], self.x[-1] + half[0],
                self.y[0] - half[1], self.y[-1] + half[1],
            ),
        )  # fmt: skip
        levels: set[float] = set()
        divided = False
        for c in range(len(self.classes)):
            p = self.probabilities[:, :, c]
            levels |= self._lines(ax, p, self.levels, series(c).color, _LINES, 0.9)
            others = np.delete(self.probabilities, c, axis=2).max(axis=2)
            if c:  # of two classes that meet one is not the first
                divided |= bool(self._lines(ax, p - others, (0.0,), ink, ("-",), 1.4))
        handles = self._draw_examples(ax)
        ax.set(
            xlim=(self.x[0], self.x[-1]), ylim=(self.y[0], self.y[-1]),
            xlabel=self.names[0], ylabel=self.names[1],
        )  # fmt: skip
        if legend:
            self._name(ax, handles, levels, divided)

    def _lines(
        self, ax: Axes, table: Array, levels: Sequence[float], color: Any,
        styles: Sequence[str], width: float,
    ) -> set[float]:  # fmt: skip
        """Draw the level lines there are, and tell which."""
        low, high = float(table.min()), float(table.max())
        order = sorted(set(levels))
        there = [level for level in order if low < level < high]
        if there:
            ax.contour(
                self.x, self.y, table, levels=there, colors=[color], linewidths=width,
                linestyles=[styles[order.index(level) % len(styles)] for level in there],
            )  # fmt: skip
        return set(there)

    def _draw_examples(self, ax: Axes) -> list[Any]:
        size = float(np.clip(60.0 / np.sqrt(len(self.examples)), 2.5, 5.5))
        form: dict[str, Any] = {"ls": "none", "ms": size, "mec": ax.get_facecolor(), "mew": 0.5}
        if self.labels is None:
            return ax.plot(*self.examples.T, "o", color=GREY, label="examples", **form)
        drawn: list[Any] = []
        for c, label in enumerate(self.classes):
            own = self.examples[self.labels == label]
            look = series(c)
            drawn += ax.plot(*own.T, look.marker, color=look.color, label=str(label), **form)
        return drawn

    def _name(self, ax: Axes, handles: list[Any], levels: set[float], divided: bool) -> None:
        lines = require("matplotlib.lines", extra="plot", purpose=self._purpose)
        if self.labels is None:
            patches = require("matplotlib.patches", extra="plot", purpose=self._purpose)
            handles += [
                patches.Patch(color=series(c).color, alpha=_STRENGTH, label=str(label))
                for c, label in enumerate(self.classes)
            ]
        handles += [
            lines.Line2D(
                [], [], color=GREY, lw=1.0, ls=_LINES[k % len(_LINES)], label=f"P = {level:g}"
            )
            for k, level in enumerate(sorted(set(self.levels)))
            if level in levels
        ]
        if divided:
            ink = ax.xaxis.label.get_color()
            handles.append(lines.Line2D([], [], color=ink, lw=1.4, label="boundary"))
        ax.legend(handles=handles, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _held(clf: Any) -> tuple[Array, NDArray[Any]]:
    """Give the two columns of the examples that a classifier holds, and their classes."""
    told = isinstance(clf, ExampleClassifier) and getattr(clf, "_encoder", None) is None
    if not told:
        raise ValueError(
            f"{type(clf).__name__} does not hold its examples as they were given: pass X, and y."
        )
    table = table_of_examples(clf)
    for name, kind in zip(table.names, table.kinds, strict=True):
        if kind not in ("numeric", "boolean"):
            raise ValueError(
                f"a decision boundary is drawn over two columns of numbers; {name} is {kind}."
            )
    return table.rows, clf.classes_[clf._present[clf._index]]


def _numbers(X: ArrayLike) -> Array:
    try:
        rows = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"a decision boundary is drawn over two columns of numbers; in X is {error}."
        ) from error
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise ValueError(f"X has two columns; got an array of shape {rows.shape}.")
    return rows
