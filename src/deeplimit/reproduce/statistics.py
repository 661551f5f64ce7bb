"""Means over seeds with their standard errors."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A mean with its standard error.

    Attributes
    ----------
    mean, error : float
        Both over seeds.
    """

    mean: float
    error: float

    def __str__(self) -> str:
        return f"{self.mean:.4f} ± {self.error:.4f}"

    @property
    def ratio(self) -> float:
        """Mean over standard error; infinite without an error, 0 for 0 ± 0."""
        if self.error == 0.0:
            return math.copysign(math.inf, self.mean) if self.mean else 0.0
        return self.mean / self.error


def estimate(values: Floats) -> Estimate:
    """Estimate a mean from independent values.

    Parameters
    ----------
    values : ndarray of shape (n,)
        At least two.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> import numpy as np
    >>> estimate(np.array([1.0, 3.0]))
    Estimate(mean=2.0, error=1.0)
    """
    values = np.asarray(values, dtype=np.float64)
    return Estimate(float(values.mean()), float(values.std(ddof=1) / math.sqrt(values.size)))


def error_of_accuracy(values: Floats, tests: int, seeds: int, tests_each: int) -> float:
    """Estimate the standard error of an experiment's mean accuracy from the spread in this one.

    The variance over seeds is that of the classifier from sample to sample plus the binomial one
    of the test points, which is known and scaled to the other experiment's number of them.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Accuracies of this experiment by seed.
    tests : int
        Test points for each.
    seeds, tests_each : int
        Seeds and test points of the other experiment.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> round(error_of_accuracy(np.array([0.7, 0.7]), 1000, 5, 10_000), 6)
    0.002049
    """
    p = float(np.mean(values))
    binomial = p * (1.0 - p)
    # What the seeds add; a few seeds may by chance spread less than the binomial law allows.
    between = max(0.0, float(np.var(values, ddof=1)) - binomial / tests)
    return math.sqrt((between + binomial / tests_each) / seeds)


def family_bound(count: int, level: float = 0.05) -> float:
    """Bound the largest of many normal deviates, but for a given probability.

    Parameters
    ----------
    count : int
        How many there are, however dependent.
    level : float, default=0.05
        The probability.

    Returns
    -------
    float

    Examples
    --------
    >>> round(family_bound(1), 2), round(family_bound(48), 2)
    (1.96, 3.28)
    """
    return float(-ndtri(level / (2 * count)))
