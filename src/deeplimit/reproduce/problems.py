"""The classification problems of the paper's experiment: two Dirichlet distributions in R^k."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Probability of the first class in the experiment.
PRIOR = 0.4


@dataclass(frozen=True)
class Sample:
    """Points of a sphere with labels and the densities they were drawn from.

    Attributes
    ----------
    train, test : ndarray of shape (n, k) and (m, k)
        Points of unit norm.
    train_labels, test_labels : ndarray of shape (n,) and (m,)
        1 for the first class, -1 for the second.
    test_posterior : ndarray of shape (m,)
        Probability of the first class at the test points.
    """

    train: Floats
    train_labels: Floats
    test: Floats
    test_labels: Floats
    test_posterior: Floats

    def first(self, n: int) -> Sample:
        """Keep only the first n training points."""
        return Sample(
            self.train[:n],
            self.train_labels[:n],
            self.test,
            self.test_labels,
            self.test_posterior,
        )


@dataclass(frozen=True)
class Problem:
    """Two Dirichlet distributions on the simplex of R^k, divided by the norm onto the sphere.

    Attributes
    ----------
    first, second : tuple of float
        Parameters of the two.
    name : str
        Where the data live.
    """

    name: str
    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def dimension(self) -> int:
        """Dimension k - 1 of the sphere, which a matched exponent equals."""
        return len(self.first) - 1

    def posterior(self, simplex: Floats, prior: float = PRIOR) -> Floats:
        """Give the probability of the first class at points of the simplex.

        Parameters
        ----------
        simplex : ndarray of shape (m, k)
            Points before they are divided by their norms.
        prior : float, default=0.4
            Probability of the first class anywhere.

        Returns
        -------
        ndarray of shape (m,)
        """
        a, b = np.array(self.first), np.array(self.second)
        constant = math.lgamma(a.sum()) - math.lgamma(b.sum())
        constant += sum(math.lgamma(v) for v in b) - sum(math.lgamma(v) for v in a)
        # A coordinate may underflow: its density is then that of the smallest number.
        logs = np.log(np.maximum(simplex, np.finfo(np.float64).tiny))
        log_odds = constant + math.log(prior / (1.0 - prior)) + logs @ (a - b)
        return np.asarray(0.5 * (1.0 + np.tanh(log_odds / 2.0)))

    def draw(
        self, train: int, test: int, seed: int, *, prior: float = PRIOR, noise: float = 0.0
    ) -> Sample:
        """Draw a sample as the paper's public code does.

        The numbers of the two classes are fixed before all points are shuffled and cut in two.

        Parameters
        ----------
        train, test : int
            Numbers of points.
        seed : int
            Of the draw; the same for all sizes is not the same points.
        prior : float, default=0.4
            Share of the first class.
        noise : float, default=0.0
            Probability with which a label, of training and test points alike, is turned over.

        Returns
        -------
        Sample

        Examples
        --------
        >>> sample = PROBLEMS["R³"].draw(6, 4, 0)
        >>> sample.train.shape, sample.test.shape
        ((6, 3), (4, 3))
        >>> int(sum(sample.train_labels > 0) + sum(sample.test_labels > 0))
        4
        """
        rng = np.random.default_rng([1717, len(self.first), seed])
        total = train + test
        n_first = round(total * prior)
        simplex = np.concatenate(
            [rng.dirichlet(self.first, n_first), rng.dirichlet(self.second, total - n_first)]
        )
        labels = np.repeat([1.0, -1.0], [n_first, total - n_first])
        order = rng.permutation(total)
        simplex, labels = simplex[order], labels[order]
        posterior = self.posterior(simplex[train:], prior)
        if noise:
            labels = np.where(rng.random(total) < noise, -labels, labels)
            posterior = posterior * (1.0 - noise) + (1.0 - posterior) * noise
        points = simplex / np.linalg.norm(simplex, axis=1, keepdims=True)
        return Sample(points[:train], labels[:train], points[train:], labels[train:], posterior)


PROBLEMS = {
    p.name: p
    for p in (
        Problem("R²", (1, 2), (2, 1)),
        Problem("R³", (0.5, 0.5, 2.5), (2.5, 0.1, 0.5)),
        Problem("R⁵", (3, 1, 2, 1, 1), (1, 2, 2, 2, 3)),
        Problem("R⁹", (1, 2, 1, 2, 1, 1, 1, 1, 1), (1, 1, 1, 2, 3, 4, 2, 2, 1)),
    )
}
