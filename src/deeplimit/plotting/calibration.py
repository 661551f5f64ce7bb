"""Calibration: whether probabilities hold, of examples left out or of rows held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from deeplimit.estimators.attribution import ExplainedClassifier
from deeplimit.estimators.quality import Quality, forecasts_left_out, quality
from deeplimit.estimators.weighting import check_weights
from deeplimit.plotting.display import Display
from deeplimit.plotting.style import BLUE, GREY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CalibrationDisplay"]

Array = NDArray[np.float64]


class CalibrationDisplay(Display):
    """Whether the probabilities of a classifier hold.

    Above, the share of rows predicted correctly against the probability given, each mark a
    group of rows of about the same confidence with its 95 % interval by Wilson: on the diagonal
    both agree, under it the classifier is too sure of itself. Below, how often each confidence
    occurs. Of several classes the confidence is the probability of the one that is said. The
    figures are those of the model card, `report`.

    Make one with `from_estimator`.

    Parameters
    ----------
    quality : Quality
        Groups of rows, and the calibration error with its interval.
    edges : ndarray of shape (n_bins + 1,)
        Of the histogram.
    weights : ndarray of shape (n_bins,)
        Weight of the rows in each of its bins.
    where : str
        What was measured on.

    Attributes
    ----------
    error : float
        Expected calibration error: the mean, over rows, of the distance between confidence and
        share predicted correctly of the group.
    figure_ : matplotlib.figure.Figure
        Set by `plot`.
    axes_ : dict of str to matplotlib.axes.Axes
        "reliability" and "confidence", set by `plot`.

    References
    ----------
    .. [1] M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using
       Bayesian binning", AAAI 2015 (expected calibration error).

    Examples
    --------
    >>> import deeplimit as dl
    >>> from sklearn.datasets import load_iris
    >>> from deeplimit.plotting import CalibrationDisplay
    >>> clf = dl.DeepLimitClassifier(exponent=4.0).fit(*load_iris(return_X_y=True))
    >>> display = CalibrationDisplay.from_estimator(clf)
    >>> display.where, display.error < 0.1
    ('150 examples, each left out', True)
    """

    _purpose = "drawing a calibration"
    _size = (5.2, 5.8)

    def __init__(self, quality: Quality, edges: Array, weights: Array, where: str) -> None:
        self.quality, self.edges, self.weights, self.where = quality, edges, weights, where

    @classmethod
    def from_estimator(
        cls,
        clf: Any,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        n_bins: int = 10,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Hold what a classifier says against what is.

        Parameters
        ----------
        clf : classifier
            A fitted one with ``predict_proba``, of this package or another.
        X : array-like of shape (n, d), optional
            Rows held out. Without them the examples that `clf` holds are told by the others, if it
            can leave them out exactly.
        y : array-like of shape (n,), optional
            Their classes.
        n_bins : int, default=10
            Most groups of rows, about as many in each.
        sample_weight : array-like of shape (n,), optional
            Their weights.

        Returns
        -------
        CalibrationDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `clf` is not fitted.
        ValueError
            If `clf` cannot leave examples out and there are no others, one of `X` and `y` is
            missing, `n_bins` is less than 1, weights are of no rows, there is one class only, or a
            class is unknown.
        TypeError
            If `clf` gives no probabilities.

        Examples
        --------
        >>> from sklearn.datasets import make_classification
        >>> from sklearn.linear_model import LogisticRegression
        >>> from deeplimit.plotting import CalibrationDisplay
        >>> X, y = make_classification(400, flip_y=0.2, random_state=0)
        >>> clf = LogisticRegression().fit(X[:200], y[:200])
        >>> display = CalibrationDisplay.from_estimator(clf, X[200:], y[200:])
        >>> len(display.quality.bins), float(display.weights.sum())
        (10, 200.0)
        """
        if n_bins < 1:
            raise ValueError(f"n_bins is a number of groups, at least 1; got {n_bins!r}.")
        if not hasattr(clf, "predict_proba"):
            raise TypeError(
                f"{type(clf).__name__} gives no probabilities: it has no predict_proba."
            )
        if hasattr(clf, "fit"):
            check_is_fitted(clf)
        classes = np.asarray(clf.classes_)
        if len(classes) < 2:
            raise ValueError(f"there is one class only, {classes[0]!r}, of which all is certain.")
        if (X is None) != (y is None):
            raise ValueError("X and y belong together: pass both, or neither for leave-one-out.")
        if X is None and sample_weight is not None:
            raise ValueError("sample_weight is of rows held out; examples left out have their own.")
        if X is None or y is None:
            if not isinstance(clf, ExplainedClassifier):
                raise ValueError(
                    f"{type(clf).__name__} cannot leave its examples out exactly: pass X and y "
                    "held out."
                )
            P, said, own, weight = forecasts_left_out(clf)[1]
            where = f"{len(own):,} examples, each left out"
        else:
            P = np.asarray(clf.predict_proba(X), dtype=np.float64)
            truth = np.asarray(y)
            check_consistent_length(P, truth)
            strange = truth[~np.isin(truth, classes)]
            if strange.size:
                raise ValueError(
                    f"y has a class the classifier never saw: {strange.tolist()[0]!r}."
                )
            own = np.searchsorted(classes, truth)
            said = np.searchsorted(classes, np.asarray(clf.predict(X)))
            weight = check_weights(sample_weight, P)
            where = f"{len(own):,} rows held out"
        confidence = P[np.arange(len(P)), said]
        edges = np.linspace(min(1.0 / len(classes), float(confidence.min())), 1.0, 21)
        # A probability may be above 1 by its last digit.
        weights = np.histogram(np.minimum(confidence, 1.0), bins=edges, weights=weight)[0]
        return cls(quality(P, said, own, weight, n_bins), edges, weights, where)

    @property
    def error(self) -> float:
        """Expected calibration error."""
        return self.quality.measures[3].value

    def to_pandas(self) -> Any:
        """Give the groups of rows and the histogram as a table.

        Returns
        -------
        pandas.DataFrame
            Columns "panel", "confidence", "accuracy", "low", "high", "from", "to" and "weight": in
            the panel "reliability" mean confidence, share predicted correctly and its interval, in
            "confidence" the middle of a bin and its edges.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from sklearn.datasets import load_iris
        >>> from deeplimit.plotting import CalibrationDisplay
        >>> clf = dl.DeepLimitClassifier(exponent=4.0).fit(*load_iris(return_X_y=True))
        >>> table = CalibrationDisplay.from_estimator(clf).to_pandas()
        >>> table.groupby("panel")["weight"].sum().tolist()
        [150.0, 150.0]
        """
        bins, edges = self.quality.bins, self.edges
        none = np.full(len(self.weights), np.nan)
        gone = np.full(len(bins), np.nan)
        return self._table(
            {
                "panel": ["reliability"] * len(bins) + ["confidence"] * len(none),
                "confidence": [*(b.confidence for b in bins), *((edges[1:] + edges[:-1]) / 2.0)],
                "accuracy": [*(b.accuracy for b in bins), *none],
                "low": [*(b.low for b in bins), *none],
                "high": [*(b.high for b in bins), *none],
                "from": [*gone, *edges[:-1]],
                "to": [*gone, *edges[1:]],
                "weight": [*(b.mass for b in bins), *self.weights],
            }
        )

    def plot(self, fig: Figure | None = None) -> Self:
        """Draw both panels.

        Parameters
        ----------
        fig : matplotlib.figure.Figure, optional
            An empty figure to draw on; by default a new one.

        Returns
        -------
        CalibrationDisplay
            Itself, with ``figure_`` and ``axes_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from sklearn.datasets import load_iris
        >>> from deeplimit.plotting import CalibrationDisplay
        >>> clf = dl.DeepLimitClassifier(exponent=4.0).fit(*load_iris(return_X_y=True))
        >>> CalibrationDisplay.from_estimator(clf).plot().axes_["confidence"].get_xlabel()
        'confidence'
        """
        panels = [["reliability"], ["confidence"]]
        return self._on_figure(fig, panels, self._draw, height_ratios=[3, 1])

    def _draw(self) -> None:
        reliability, confidence = self.axes_["reliability"], self.axes_["confidence"]
        bins = self.quality.bins
        at, right = np.array([b.confidence for b in bins]), np.array([b.accuracy for b in bins])
        below = right - [b.low for b in bins]
        above = [b.high for b in bins] - right
        least = min(float(self.edges[0]), *(b.low for b in bins))
        reliability.plot(
            [least, 1.0], [least, 1.0], color=GREY, lw=1.0, ls="--", label="they agree"
        )
        reliability.errorbar(
            at, right, yerr=np.maximum([below, above], 0.0), fmt="o-", color=BLUE, ms=4.5,
            lw=1.0, elinewidth=1.4, capsize=2.5, label="predicted correctly, 95 %",
        )  # fmt: skip
        measure = self.quality.measures[3]
        reliability.set_title(
            f"calibration error {measure.value:.3f}\n"
            f"less what chance adds, {measure.low:.3f} to {measure.high:.3f}\n{self.where}"
        )
        pad = 0.03 * (1.0 - least)
        across = (float(self.edges[0]) - pad, 1.0 + pad)
        reliability.set(
            xlim=across, ylim=(least - pad, 1.0 + pad), ylabel="share predicted correctly"
        )
        reliability.legend(frameon=False, loc="best")
        confidence.bar(
            self.edges[:-1], self.weights, np.diff(self.edges), align="edge", color=BLUE, alpha=0.6,
            edgecolor=confidence.get_facecolor(), lw=0.6,
        )  # fmt: skip
        confidence.set(xlim=across, xlabel="confidence", ylabel="rows")
