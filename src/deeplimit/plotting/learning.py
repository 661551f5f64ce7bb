"""Learning curves: accuracy as examples are added, beside that of the Bayes rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from deeplimit.plotting.display import Display
from deeplimit.plotting.style import GREY, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LearningCurveDisplay"]

Array = NDArray[np.float64]
Draw = Callable[[int, np.random.Generator], tuple[ArrayLike, ArrayLike]]


class LearningCurveDisplay(Display):
    """Accuracy of classifiers as examples are added, beside that of the Bayes rule.

    Marks are means over repeats, bars one standard error of the mean. In each repeat all
    classifiers get the same examples, fewer of them being the first of more, and are asked the same
    new rows; so does the Bayes rule, where it is known as a rule.

    Make one with `from_estimators`.

    Parameters
    ----------
    sizes : ndarray of int64, shape (s,)
        Numbers of examples.
    accuracies : dict of str to ndarray of shape (repeats, s)
        Of each classifier.
    bayes : ndarray of shape (repeats,) or None
        Accuracy of the Bayes rule in each repeat, or one known number.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        Set by `plot`.
    ax_ : matplotlib.axes.Axes
        Set by `plot`.

    Examples
    --------
    >>> import numpy as np
    >>> import deeplimit as dl
    >>> from deeplimit.plotting import LearningCurveDisplay
    >>> def draw(n, rng):
    ...     y = rng.integers(0, 2, n)
    ...     return rng.normal(y[:, None], 1.0, (n, 1)), y
    >>> display = LearningCurveDisplay.from_estimators(
    ...     {"1-NN": dl.OneNearestNeighborClassifier()}, draw,
    ...     sizes=[10, 40], repeats=3, test_size=200, bayes=lambda X: (X[:, 0] > 0.5) * 1)
    >>> display.accuracies["1-NN"].shape, display.bayes.shape
    ((3, 2), (3,))
    """

    _purpose = "drawing a learning curve"
    _size = (6.4, 4.4)

    def __init__(
        self, sizes: NDArray[np.int64], accuracies: Mapping[str, Array], bayes: Array | None
    ) -> None:
        self.sizes, self.accuracies, self.bayes = sizes, accuracies, bayes

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, Any],
        draw: Draw,
        *,
        sizes: Sequence[int],
        repeats: int = 5,
        bayes: float | Callable[[Any], ArrayLike] | None = None,
        test_size: int = 1000,
        random_state: int = 0,
    ) -> Self:
        """Fit classifiers to more and more examples of a known distribution.

        Parameters
        ----------
        estimators : dict of str to classifier
            By name; copies are fitted.
        draw : callable
            ``draw(n, rng)`` gives n rows and their classes, rng being a `numpy.random.Generator`.
        sizes : sequence of int
            Numbers of examples, from 1.
        repeats : int, default=5
            How often to draw anew.
        bayes : float or callable, optional
            Accuracy of the Bayes rule, or the rule itself, from rows to their classes.
        test_size : int, default=1000
            Rows to ask in each repeat.
        random_state : int, default=0
            Seed of the draws.

        Returns
        -------
        LearningCurveDisplay

        Raises
        ------
        ValueError
            If there is no estimator, no size, no repeat or no row to ask, or `bayes` is no
            accuracy.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import LearningCurveDisplay
        >>> def draw(n, rng):
        ...     return rng.normal(size=(n, 2)), rng.random(n) < 0.25
        >>> vote = {"majority": dl.MajorityVoteClassifier()}
        >>> display = LearningCurveDisplay.from_estimators(vote, draw, sizes=[64], bayes=0.75)
        >>> display.to_pandas()["name"].tolist()
        ['majority', 'Bayes rule']
        """
        if not estimators:
            raise ValueError("there is no estimator to draw a learning curve of.")
        n = np.unique(np.asarray(sizes, dtype=np.int64))
        if not n.size or n[0] < 1:
            raise ValueError(f"sizes are numbers of examples, at least 1; got {list(sizes)!r}.")
        for name, value in (("repeats", repeats), ("test_size", test_size)):
            if value < 1:
                raise ValueError(f"{name} is at least 1; got {value!r}.")
        known = None if bayes is None or callable(bayes) else float(bayes)
        if known is not None and not 0.0 <= known <= 1.0:
            raise ValueError(f"bayes is an accuracy from 0 to 1, or a rule; got {bayes!r}.")
        accuracies = {name: np.empty((repeats, n.size)) for name in estimators}
        best = np.full(1 if known is not None else repeats, np.nan if known is None else known)
        for repeat in range(repeats):
            rng = np.random.default_rng([int(random_state), repeat])
            X, y = (np.asarray(part) for part in draw(int(n[-1]), rng))
            asked, truth = (np.asarray(part) for part in draw(test_size, rng))
            for name, estimator in estimators.items():
                for i, size in enumerate(n):
                    fitted = clone(estimator).fit(X[:size], y[:size])
                    accuracies[name][repeat, i] = np.mean(fitted.predict(asked) == truth)
            if callable(bayes):
                best[repeat] = np.mean(np.asarray(bayes(asked)) == truth)
        return cls(n, accuracies, None if bayes is None else best)

    def to_pandas(self) -> Any:
        """Give means and standard errors as a table.

        Returns
        -------
        pandas.DataFrame
            Columns "name", "n", "accuracy", "standard_error" and "repeats". The Bayes rule has no
            n, and a single repeat no standard error.

        Examples
        --------
        >>> import numpy as np
        >>> from deeplimit.plotting import LearningCurveDisplay
        >>> seen = {"a": np.array([[0.5, 0.7], [0.7, 0.9]])}
        >>> LearningCurveDisplay(np.array([10, 20]), seen, None).to_pandas()["accuracy"].tolist()
        [0.6, 0.8]
        """
        rows = []
        for name, values in self.accuracies.items():
            mean, error = _estimate(values)
            rows += [
                (name, float(size), *pair, len(values))
                for size, *pair in zip(self.sizes, mean, error, strict=True)
            ]
        if self.bayes is not None:
            mean, error = _estimate(self.bayes[:, None])
            rows.append(("Bayes rule", np.nan, mean[0], error[0], len(self.bayes)))
        names = ("name", "n", "accuracy", "standard_error", "repeats")
        return self._table_of_rows(names, rows)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; by default on a new figure.

        Returns
        -------
        LearningCurveDisplay
            Itself, with ``figure_`` and ``ax_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from deeplimit.plotting import LearningCurveDisplay
        >>> seen = {"a": np.array([[0.5, 0.7], [0.7, 0.9]])}
        >>> LearningCurveDisplay(np.array([10, 20]), seen, np.array([0.95])).plot().ax_.get_xscale()
        'log'
        """
        return self._on_axes(ax, self._draw)

    def _draw(self, ax: Axes) -> None:
        if self.bayes is not None:
            best, spread = (float(part[0]) for part in _estimate(self.bayes[:, None]))
            ink = ax.xaxis.label.get_color()
            if np.isfinite(spread):
                ax.axhspan(best - spread, best + spread, color=GREY, alpha=0.25, lw=0)
            ax.axhline(best, color=ink, ls="--", lw=1.2, label="Bayes rule")
        for k, (name, values) in enumerate(self.accuracies.items()):
            look = series(k)
            mean, error = _estimate(values)
            bars = error if np.isfinite(error).all() else None
            ax.errorbar(
                self.sizes, mean, yerr=bars, color=look.color, marker=look.marker, ls=look.line,
                ms=5.0, capsize=2.5, elinewidth=1.2, label=name,
            )  # fmt: skip
        ax.set_xscale("log")
        # Of many sizes those are named that a decade has room for.
        shown = [int(self.sizes[0])]
        for size in self.sizes[1:].tolist():
            if size >= 1.6 * shown[-1]:
                shown.append(size)
        ax.set_xticks(shown, [f"{size:,}" for size in shown])
        ax.minorticks_off()
        ax.set(xlabel="examples", ylabel="accuracy")
        ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _estimate(values: Array) -> tuple[Array, Array]:
    """Give means over repeats, and their standard errors, NaN of a single repeat."""
    repeats = len(values)
    mean = values.mean(axis=0)
    if repeats < 2:
        return mean, np.full(mean.shape, np.nan)
    return mean, values.std(axis=0, ddof=1) / np.sqrt(repeats)
