"""Weights of a pool of smoothers, by the log-loss of what each says of rows left out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

__all__ = ["Link", "Weights", "mixture_weights", "pool_weights"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# A pooled score below this part of the whole counts as this: a ridge solution may be negative.
_FLOOR = 1e-4
_LARGEST_POWER = 12.0


class Link(NamedTuple):
    """From pooled scores to probabilities: a power of each, normalised, and a little of the prior.

    The order of the classes stays what it is, so that the decision is that of the scores.

    Parameters
    ----------
    power : float
        Positive; beyond 1 it sharpens what averaging has blunted.
    mixed : float
        Part of the prior.
    prior : ndarray of shape (C,)
        Shares of the classes.
    """

    power: float
    mixed: float
    prior: Floats

    def probabilities(self, scores: Floats) -> Floats:
        """Map scores of shape (m, C) to probabilities."""
        logs = self.power * np.log(np.maximum(scores, _FLOOR))
        logs -= logs.max(axis=1, keepdims=True)
        p = np.exp(logs)
        p /= p.sum(axis=1, keepdims=True)
        mixed: Floats = (1.0 - self.mixed) * p + self.mixed * self.prior
        return mixed


class Weights(NamedTuple):
    """A fitted pool.

    Parameters
    ----------
    weights : ndarray of shape (M,)
        Nonnegative, summing to 1.
    link : Link
        From pooled scores to probabilities.
    loss : float
        Mean log-loss of the rows left out, in nats.
    """

    weights: Floats
    link: Link
    loss: float


def mixture_weights(P: Floats, weight: Floats, rounds: int = 200) -> Floats:
    """Give the mixture of forecasts with the largest likelihood, by the EM algorithm.

    Parameters
    ----------
    P : ndarray of shape (n, M)
        Probability that each forecast gave to what happened.
    weight : ndarray of shape (n,)
        Weight of each case.
    rounds : int, default=200
        At most so many steps.

    Returns
    -------
    ndarray of shape (M,)
        Nonnegative weights summing to 1.

    References
    ----------
    .. [1] A. P. Dempster, N. M. Laird, D. B. Rubin, "Maximum likelihood from incomplete data via
       the EM algorithm", Journal of the Royal Statistical Society B 39, 1977.

    Examples
    --------
    >>> mixture_weights(np.array([[0.9, 0.1], [0.8, 0.3]]), np.ones(2)).round(3).tolist()
    [1.0, 0.0]
    """
    share, whole = weight / weight.sum(), np.zeros(P.shape[1])
    at = np.arange(whole.size)
    w = np.full(at.size, 1.0 / at.size)
    last = -np.inf
    for step in range(rounds):
        mix = np.maximum(P @ w, 1e-300)
        w = w * ((share / mix) @ P)
        if step % 10 == 9:
            likelihood = float(share @ np.log(mix))
            if likelihood - last < 1e-6:
                break
            last = likelihood
            # What has become small does not come back; without it the rest is faster.
            on = w > 1e-3 * w.max()
            at, w, P = at[on], w[on], np.ascontiguousarray(P[:, on])
            w = w / w.sum()
    whole[at] = w / w.sum()
    return whole


def pool_weights(
    scores: Floats, index: Integers, weight: Floats, start: Floats, prior: Floats
) -> Weights:
    """Weigh smoothers so that the log-loss of their pool is least.

    Parameters
    ----------
    scores : ndarray of shape (M, n, C)
        What each smoother says of each row without the row.
    index : ndarray of int64, shape (n,)
        Class of each row.
    weight : ndarray of shape (n,)
        Weight of each row.
    start : ndarray of shape (M,)
        Weights to start from.
    prior : ndarray of shape (C,)
        Shares of the classes.

    Returns
    -------
    Weights

    Notes
    -----
    The power is drawn to 1 by as much as one row in their number can say.
    """
    M, n, C = scores.shape
    flat = scores.reshape(M, n * C)
    at, share, mass = np.arange(n), weight / weight.sum(), weight.sum()
    mixed = 1.0 / (mass + 1.0)
    pull = 1.0 / mass

    def loss(t: Floats) -> tuple[float, Floats]:
        w = np.exp(t[:-1] - t[:-1].max())
        w /= w.sum()
        power = np.exp(t[-1])
        s = (w @ flat).reshape(n, C)
        on = s > _FLOOR
        s = np.maximum(s, _FLOOR)
        logs = np.log(s)
        p = power * logs
        p -= p.max(axis=1, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(axis=1, keepdims=True)
        true = p[at, index]
        said = (1.0 - mixed) * true + mixed * prior[index]
        value = -float(share @ np.log(said)) + pull * t[-1] ** 2
        slope = share * (1.0 - mixed) * true / said
        p *= slope[:, None]
        p[at, index] -= slope
        d_power = power * float(np.sum(p * logs)) + 2.0 * pull * t[-1]
        d_w = flat @ (power * p / s * on).ravel()
        return value, np.append(w * (d_w - w @ d_w), d_power)

    t = np.append(np.log(np.maximum(start / start.sum(), 1e-4)), 0.0)
    bounds = [(-16.0, 3.0)] * M + [(-1.5, np.log(_LARGEST_POWER))]
    found = minimize(loss, t, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 150})
    w = np.exp(found.x[:-1] - found.x[:-1].max())
    return Weights(w / w.sum(), Link(float(np.exp(found.x[-1])), mixed, prior), float(found.fun))
