"""Factors of classes: what class weights and priors make of the weights of examples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import _check_sample_weight

__all__ = ["Weighting", "check_total", "check_weights"]

Floats = NDArray[np.float64]

# Sums of weights are multiplied by the number of classes and compared: far enough below the largest
# float64 for that.
_MOST = 1e304


def check_total(weight: NDArray[Any], others: Floats | None = None, most: float = _MOST) -> None:
    """Check that weights have a sum.

    Parameters
    ----------
    weight : ndarray of shape (n,)
        Weights.
    others : ndarray of shape (k,), optional
        Weights of the examples that there are besides, which passed this check.
    most : float, default=1e304
        What they may add up to.

    Raises
    ------
    ValueError
        If they add up to more than that.

    Examples
    --------
    >>> check_total(np.array([1e308, 1e308]))
    Traceback (most recent call last):
        ...
    ValueError: sample weights add up to more than 1e304: divide all of them by the largest.
    """
    with np.errstate(over="ignore"):
        total = weight.sum(dtype=np.float64)
        # Where few examples come to many, the others are asked only if it can matter.
        if others is not None and total > 1e-30 * most:
            total += others.sum()
    if total > most:
        named = f"{most:.0e}".replace("+", "")
        raise ValueError(
            f"sample weights add up to more than {named}: divide all of them by the largest."
        )


def check_weights(
    sample_weight: ArrayLike | None,
    rows: Floats,
    others: Floats | None = None,
    most: float = _MOST,
) -> Floats:
    """Check the weights of examples; 1 each if none are given.

    Parameters
    ----------
    sample_weight : array-like of shape (n,) or None
        Nonnegative weights. An example of weight zero is absent, from every statistic too.
    rows : ndarray of shape (n, d)
        The examples.
    others : ndarray of shape (k,), optional
        Weights of the examples that there are besides.
    most : float, default=1e304
        What they may add up to.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError
        If they do not fit, all are zero, or they add up to more than that.

    Examples
    --------
    >>> check_weights(None, np.zeros((2, 1)))
    array([1., 1.])
    """
    weight: Floats = _check_sample_weight(
        sample_weight, rows, dtype=np.float64, ensure_non_negative=True
    )
    if not np.any(weight > 0.0):
        raise ValueError("all sample weights are zero: there is no example to learn from.")
    check_total(weight, others, most)
    return weight


class Weighting:
    """Weights of classes, checked against the classes there are.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        Weight of each class.
    priors : array-like of shape (n_classes,) or None
        Frequencies of the classes to expect; they are divided by their sum.
    classes : ndarray of shape (n_classes,)
        All classes.
    present : ndarray of shape (n_present,)
        Those of them that have examples.

    Raises
    ------
    ValueError
        If priors are not one positive number for each class, with a finite sum, or the weights do
        not suit.

    Examples
    --------
    >>> labels = np.array(["a", "b"])
    >>> weighting = Weighting("balanced", None, labels, labels)
    >>> weighting.factors(np.array([0, 1, 1]), np.ones(3)).tolist()
    [1.5, 0.75]
    """

    def __init__(
        self, class_weight: Any, priors: Any, classes: NDArray[Any], present: NDArray[Any]
    ) -> None:
        self._balanced = isinstance(class_weight, str) and class_weight == "balanced"
        self._expected: Floats | None = None
        if priors is not None:
            try:
                given = np.asarray(priors, dtype=np.float64)
            except (TypeError, ValueError):  # no numbers, or lists of several lengths
                given = np.full(1, np.nan)
            with np.errstate(over="ignore"):
                sound = bool(np.all(given > 0)) and bool(np.isfinite(given.sum()))
            if given.shape != classes.shape or not sound:
                raise ValueError(
                    f"priors must be {classes.size} positive numbers, one for each class in the "
                    f"order of classes_; got {priors!r}."
                )
            self._expected = given[np.isin(classes, present)]
        self._given = np.asarray(
            compute_class_weight(class_weight, classes=present, y=present), dtype=np.float64
        )

    def factors(self, index: NDArray[np.int64], weight: Floats) -> Floats:
        """Give the factor of each class that has examples.

        Parameters
        ----------
        index : ndarray of int64, shape (n,)
            Class of each example, a place among those that have examples.
        weight : ndarray of shape (n,)
            Weight of each.

        Returns
        -------
        ndarray of shape (n_present,)
        """
        if not self._balanced and self._expected is None:
            return self._given
        mass = np.bincount(index, weights=weight).astype(np.float64)
        # scikit-learn counts rows; here the weights count.
        factors = mass.sum() / (mass.size * mass) if self._balanced else self._given
        if self._expected is not None:
            factors = factors * self._expected / self._expected.sum() * mass.sum() / mass
        return np.asarray(factors, dtype=np.float64)
