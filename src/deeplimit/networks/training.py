"""Full-batch gradient descent on the squared loss, its step set by the empirical tangent kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.networks.finite import FiniteNetwork
from deeplimit.networks.linearisation import Linearisation

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Descent", "gradient_descent"]

# A residual whose Rayleigh quotient in the tangent kernel is this much below the largest
# eigenvalue lies in directions the network cannot learn (a linear network; equal rows with
# different targets). It plays the part of the relative cut-off of a pseudo-inverse.
UNLEARNABLE = 1e-7
# A step may raise the loss, but not above this many times the least so far. Where the activation
# has a kink the loss has valleys with a sharp floor: asked to fall in each step, the step shrinks
# to nothing there, while a constant one jumps to and fro a little and goes on.
RISE = 2.0
SMALLEST_STEP = 2.0**-40
# Errors of the outputs below this many units of rounding are not lowered any further.
ROUNDING = 64.0


@dataclass(frozen=True)
class Descent:
    """How a gradient descent went.

    Parameters
    ----------
    n_steps : int
        Steps taken.
    loss_curve : ndarray of shape (n_steps + 1,)
        Mean squared error over rows and outputs before the first and after each step.
    learning_rate : float
        Step size at the end, for the loss of half the summed squared errors.
    largest_eigenvalue : float
        Of the empirical tangent kernel over all rows and outputs, before training.
    converged : bool
        True if training stopped by itself: see `reason`.
    reason : {"tolerance", "stationary", "max_steps", "stalled"}
        The loss reached the tolerance; or what is left of it cannot be learned by this network;
        or the steps ran out; or each step, however small, led to a loss that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.networks import FiniteNetwork, gradient_descent
    >>> network = FiniteNetwork("relu", depth=1, width=64, n_features=2)
    >>> descent = gradient_descent(network, np.eye(2), [1.0, -1.0])
    >>> descent.converged, descent.reason
    (True, 'tolerance')
    """

    n_steps: int
    loss_curve: NDArray[np.float64]
    learning_rate: float
    largest_eigenvalue: float
    converged: bool
    reason: Literal["tolerance", "stationary", "max_steps", "stalled"]


@dataclass(frozen=True)
class _Point:
    """Weights with the loss and its gradient there."""

    weights: Sequence[Tensor]
    loss: float
    gradient: Sequence[Tensor]
    slope2: float


class _Objective:
    """Half the summed squared errors as a function of the weights."""

    def __init__(self, network: FiniteNetwork, X: ArrayLike, Y: ArrayLike) -> None:
        self.network, self.rows = network, network.rows(X)
        targets = np.asarray(Y, dtype=np.float64)
        targets = targets[:, None] if targets.ndim == 1 else targets
        shape = (len(self.rows), network.n_outputs)
        if targets.shape != shape:
            raise ValueError(f"Y must have shape {shape}, got {targets.shape}")
        self.goal = network._tensor(targets)
        if network._initial is not None:
            self.goal = self.goal + network._forward(self.rows, network._initial)

    def rounding(self) -> float:
        """Return the mean squared error that rounding alone makes."""
        unit = ROUNDING * float(np.finfo(self.network.dtype).eps)
        return unit * unit * _norm2(self.goal) / self.goal.numel()

    def linearise(self) -> Linearisation:
        return self.network.linearise(self.rows)

    def at(self, weights: Sequence[Tensor]) -> _Point:
        lin = self.network.linearise(self.rows, weights)
        residual = lin.outputs - self.goal
        gradient = lin.pullback(residual)
        slope2 = math.fsum(_norm2(part) for part in gradient)
        return _Point(weights, 0.5 * _norm2(residual), gradient, slope2)


def _norm2(array: Tensor) -> float:
    flat = array.ravel()
    return float(flat @ flat)


def largest_eigenvalue(lin: Linearisation, *, rtol: float = 1e-3, max_iter: int = 200) -> float:
    """Return the largest eigenvalue of the empirical tangent kernel, by power iteration.

    The iterate is the vector of all rows and outputs, the kernel applied as the Jacobian times
    its transpose, so that no matrix is formed. The start is drawn from a fixed seed.

    Parameters
    ----------
    lin : Linearisation
        The network at the rows.
    rtol : float, default=1e-3
        Stop when the Rayleigh quotient grows relatively less than this in a step.
    max_iter : int, default=200
        Largest number of steps.

    Returns
    -------
    float
        A Rayleigh quotient, hence never above the eigenvalue.
    """
    start = np.random.default_rng(0).standard_normal(tuple(lin.outputs.shape))
    vector = lin.outputs.new_tensor(start)
    vector /= vector.norm()
    value = 0.0
    for _ in range(max_iter):
        image = lin.pushforward(lin.pullback(vector))
        before, value = value, float((vector * image).sum())
        norm = float(image.norm())
        if not norm > 0.0 or value - before <= rtol * value:
            break
        vector = image / norm
    return value


def gradient_descent(
    network: FiniteNetwork,
    X: ArrayLike,
    Y: ArrayLike,
    *,
    learning_rate: float | Literal["auto"] = "auto",
    momentum: bool = True,
    max_steps: int = 10_000,
    tol: float = 1e-4,
) -> Descent:
    r"""Train a network in place by full-batch gradient descent on the squared loss.

    The loss is half the summed squared errors. In the linearised network it is a quadratic
    whose Hessian has the eigenvalues of the empirical tangent kernel :math:`\hat\Theta`, and
    the step :math:`1/\lambda_{\max}(\hat\Theta)` lowers it each time. In the true network a step
    that raises the loss above twice the least so far is halved and taken again, so that training
    cannot diverge at any width. A centred network goes, as the width grows, to ridgeless
    regression with the tangent kernel.

    Parameters
    ----------
    network : FiniteNetwork
        The network; its weights are replaced.
    X : array-like of shape (n, n_features)
        Rows.
    Y : array-like of shape (n,) or (n, n_outputs)
        Targets.
    learning_rate : float or "auto", default="auto"
        First step size tried; "auto" is the inverse of the largest eigenvalue.
    momentum : bool, default=True
        Nesterov's acceleration, begun anew whenever it fails to lower the loss. It needs about
        the square root of the number of steps, and has the same limit in wide networks. False
        is plain gradient descent.
    max_steps : int, default=10000
        Largest number of steps.
    tol : float, default=1e-4
        Stop when the mean squared error is at most this, or at most the rounding of the outputs.

    Returns
    -------
    Descent
        Steps, losses and the reason to stop.

    Raises
    ------
    ValueError
        If the shapes do not fit, a setting is out of range, or the loss is not finite.

    References
    ----------
    J. Lee et al., "Wide Neural Networks of Any Depth Evolve as Linear Models Under Gradient
    Descent", NeurIPS 2019.

    B. O'Donoghue, E. Candès, "Adaptive restart for accelerated gradient schemes", Foundations
    of Computational Mathematics 15, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.networks import FiniteNetwork, gradient_descent
    >>> network = FiniteNetwork("relu", depth=1, width=64, n_features=2)
    >>> descent = gradient_descent(network, np.eye(2), [1.0, -1.0], tol=1e-6)
    >>> bool(np.abs(network(np.eye(2))[:, 0] - [1.0, -1.0]).max() < 2e-3)
    True
    """
    if not (tol >= 0.0 and math.isfinite(tol)):
        raise ValueError(f"tol must be a number of at least 0, got {tol!r}")
    if int(max_steps) != max_steps or max_steps < 1:
        raise ValueError(f"max_steps must be an integer of at least 1, got {max_steps!r}")
    objective = _Objective(network, X, Y)
    point = objective.at(network.weights)
    if not math.isfinite(point.loss + point.slope2):
        raise ValueError(
            f"the loss or its gradient is not finite at the initial weights (activation "
            f"{network.activation.name}): scale the rows of X to unit norm, or use float64"
        )
    top = largest_eigenvalue(objective.linearise())
    step = _first_step(learning_rate, top)

    per_entry = 2.0 / objective.goal.numel()
    tol = max(tol, objective.rounding())
    losses = [least := point.loss * per_entry]
    previous, age = point.weights, 1.0
    smallest = step * SMALLEST_STEP
    reason: Literal["tolerance", "stationary", "max_steps", "stalled"]
    while True:
        if losses[-1] <= tol:
            reason = "tolerance"
        elif point.slope2 <= UNLEARNABLE * top * 2.0 * point.loss:
            reason = "stationary"
        elif len(losses) > max_steps:
            reason = "max_steps"
        elif step < smallest:
            reason = "stalled"
        else:
            plain = [
                w.add(g, alpha=-step) for w, g in zip(point.weights, point.gradient, strict=True)
            ]
            older = (1.0 + math.sqrt(1.0 + 4.0 * age * age)) / 2.0
            push = (age - 1.0) / older if momentum else 0.0
            if push > 0.0:
                ahead = [p.lerp(w, 1.0 + push) for w, p in zip(plain, previous, strict=True)]
                trial = objective.at(ahead)
                accepted = trial.loss <= point.loss
            else:
                trial = objective.at(plain)
                accepted = trial.loss * per_entry <= RISE * least
            if accepted:
                point, previous, age = trial, plain, older
                losses.append(point.loss * per_entry)
                least = min(least, losses[-1])
            elif push > 0.0:
                age = 1.0
            else:
                step /= 2.0
            continue
        break
    network.weights = list(point.weights)
    return Descent(
        n_steps=len(losses) - 1,
        loss_curve=np.array(losses),
        learning_rate=step,
        largest_eigenvalue=top,
        converged=reason in ("tolerance", "stationary"),
        reason=reason,
    )


def _first_step(learning_rate: float | Literal["auto"], top: float) -> float:
    if isinstance(learning_rate, str):
        if learning_rate != "auto":
            raise ValueError(f'learning_rate must be "auto" or a number, got {learning_rate!r}')
        return 1.0 / top if top > 0.0 else 1.0
    if not (learning_rate > 0.0 and math.isfinite(learning_rate)):
        raise ValueError(f"learning_rate must be above 0 and finite, got {learning_rate!r}")
    return float(learning_rate)
