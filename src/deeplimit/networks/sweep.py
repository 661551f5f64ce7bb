"""How the error of trained networks against the kernel predictor falls with the width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lstsq

from deeplimit.networks.finite import FiniteNetwork, as_activation, empirical_ntk
from deeplimit.networks.training import gradient_descent

__all__ = ["WidthSweep", "width_sweep"]

FloatArray = NDArray[np.float64]
Kernel = Callable[[FloatArray, FloatArray], ArrayLike] | tuple[ArrayLike, ArrayLike]


@dataclass(frozen=True)
class WidthSweep:
    """Errors of finite networks against their kernel limit, by width.

    Parameters
    ----------
    widths : ndarray of shape (w,)
        Widths, ascending.
    depth : int
        Hidden layers.
    n_seeds : int
        Networks trained at each width.
    deviation, deviation_error : ndarray of shape (w,)
        Mean over queries and seeds of |network - kernel predictor|, and its standard error over
        the seeds.
    ntk_deviation, ntk_deviation_error : ndarray of shape (w,)
        Relative Frobenius distance of the empirical tangent kernel at the initial weights from
        the limit kernel on the training rows: mean and standard error over the seeds.
    agreement : ndarray of shape (w,)
        Share of queries, over all seeds, on which network and kernel predictor decide alike.
    steps : ndarray of shape (w,)
        Mean number of descent steps.
    converged : bool
        True if each network reached the training tolerance.
    slope, slope_error : float
        Slope of log deviation in log width by least squares, and its standard error from the
        errors of the points; -1/2 is expected.
    ntk_slope, ntk_slope_error : float
        The same for the tangent kernel.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.networks import width_sweep
    >>> X, Q = np.eye(2), np.array([[0.6, 0.8]])
    >>> kernel = lambda X, Z: X @ Z.T
    >>> sweep = width_sweep("relu", 0, [1, 2], X, [1.0, -1.0], Q, seeds=2, kernel=kernel)
    >>> bool(sweep.deviation.max() < 1e-3)  # at depth 0 the kernel is exact at each width
    True
    """

    widths: NDArray[np.int64]
    depth: int
    n_seeds: int
    deviation: FloatArray
    deviation_error: FloatArray
    ntk_deviation: FloatArray
    ntk_deviation_error: FloatArray
    agreement: FloatArray
    steps: FloatArray
    converged: bool
    slope: float
    slope_error: float
    ntk_slope: float
    ntk_slope_error: float

    def records(self) -> list[dict[str, float]]:
        """Return one dictionary for each width.

        Returns
        -------
        list of dict
            With the keys width, deviation, deviation_error, ntk_deviation, ntk_deviation_error,
            agreement and steps.
        """
        columns = (
            "deviation",
            "deviation_error",
            "ntk_deviation",
            "ntk_deviation_error",
            "agreement",
            "steps",
        )
        return [
            {"width": int(width)} | {name: float(getattr(self, name)[i]) for name in columns}
            for i, width in enumerate(self.widths)
        ]

    def __str__(self) -> str:
        """Return a table of the widths and the two slopes."""
        lines = [f"{'width':>6}  {'|net - kernel|':>19}  {'NTK, relative':>19}  {'agree':>6}"]
        lines += [
            f"{row['width']:6.0f}  {row['deviation']:9.5f} ± {row['deviation_error']:7.5f}"
            f"  {row['ntk_deviation']:9.5f} ± {row['ntk_deviation_error']:7.5f}"
            f"  {row['agreement']:6.1%}"
            for row in self.records()
        ]
        lines.append(
            f" slope  {self.slope:9.3f} ± {self.slope_error:7.3f}"
            f"  {self.ntk_slope:9.3f} ± {self.ntk_slope_error:7.3f}"
        )
        return "\n".join(lines)


def width_sweep(
    activation: Any,
    depth: int,
    widths: Sequence[int],
    X: ArrayLike,
    y: ArrayLike,
    Q: ArrayLike,
    seeds: int | Sequence[int] = 8,
    *,
    kernel: Kernel,
    momentum: bool = True,
    max_steps: int = 20_000,
    tol: float = 1e-6,
    dtype: Any = "float64",
    device: str | None = None,
) -> WidthSweep:
    r"""Train networks of several widths and compare them with the kernel predictor.

    The predictor is ridgeless regression with the tangent kernel of the same depth,
    :math:`\Theta(Q, X)\,\Theta(X, X)^{+}y`. The comparison is on the values at Q, before any
    decision. The fluctuation of the empirical tangent kernel is of order
    :math:`m^{-1/2}` in the width m, and so is the error.

    Parameters
    ----------
    activation : Activation or str or callable
        The activation, or anything `Activation` accepts.
    depth : int
        Number of hidden layers.
    widths : sequence of int
        Widths, at least two different ones.
    X : array-like of shape (n, d)
        Training rows, of unit norm.
    y : array-like of shape (n,) or (n, c)
        Real targets, for example -1 and 1.
    Q : array-like of shape (q, d)
        Query rows, of unit norm.
    seeds : int or sequence of int, default=8
        Seeds of the networks, at least two; a number k stands for 0, ..., k-1.
    kernel : callable or pair of array-like
        ``kernel(X, Z)`` returns the limit kernel, shape (len(X), len(Z)), or the two matrices
        (X with X, Q with X) themselves.
    momentum : bool, default=True
        Nesterov's acceleration; see `gradient_descent`.
    max_steps : int, default=20000
        Largest number of steps for each network.
    tol : float, default=1e-6
        Mean squared training error to stop at.
    dtype : {"float64", "float32"}, default="float64"
        Precision of the networks.
    device : str or None, default=None
        PyTorch device; None is the CPU.

    Returns
    -------
    WidthSweep
        Mean errors with standard errors, and the slopes.

    Raises
    ------
    ValueError
        If rows are not of unit norm, shapes do not fit, or there are too few widths or seeds.

    References
    ----------
    J. Lee et al., "Wide Neural Networks of Any Depth Evolve as Linear Models Under Gradient
    Descent", NeurIPS 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.networks import width_sweep
    >>> angles = np.arange(4) * 0.9
    >>> X = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> def kernel(X, Z):  # depth 1, ReLU
    ...     t = np.arccos(np.clip(X @ Z.T, -1, 1))
    ...     return (np.sin(t) + 2 * (np.pi - t) * np.cos(t)) / np.pi
    >>> sweep = width_sweep("relu", 1, [32, 512], X[:3], [1, -1, 1], X[3:], 4, kernel=kernel)
    >>> bool(sweep.ntk_deviation[1] < sweep.ntk_deviation[0])
    True
    """
    rows, queries = _unit_rows(X, "X"), _unit_rows(Q, "Q")
    targets = np.asarray(y, dtype=np.float64)
    targets = targets[:, None] if targets.ndim == 1 else targets
    if targets.ndim != 2 or len(targets) != len(rows):
        raise ValueError(f"y must hold one target for each of {len(rows)} rows of X")
    sizes = np.unique(np.asarray(widths, dtype=np.int64))
    states = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    if len(sizes) < 2 or len(states) < 2:
        raise ValueError(
            f"give at least two widths and two seeds, got {len(sizes)} and {len(states)}: "
            "slope and standard errors need them"
        )
    gram, cross = _kernel_matrices(kernel, rows, queries)
    limit = cross @ lstsq(gram, targets)[0]

    activation = as_activation(activation)
    shape = (len(sizes), len(states))
    deviation, ntk_deviation, agreement, steps = (np.empty(shape) for _ in range(4))
    converged = True
    for i, width in enumerate(sizes):
        for j, seed in enumerate(states):
            network = FiniteNetwork(
                activation,
                depth,
                int(width),
                rows.shape[1],
                targets.shape[1],
                random_state=seed,
                dtype=dtype,
                device=device,
            )
            ntk = empirical_ntk(network, rows)
            ntk_deviation[i, j] = np.linalg.norm(ntk - gram) / np.linalg.norm(gram)
            descent = gradient_descent(
                network, rows, targets, momentum=momentum, max_steps=max_steps, tol=tol
            )
            values = network(queries)
            deviation[i, j] = np.abs(values - limit).mean()
            agreement[i, j] = (_decisions(values) == _decisions(limit)).mean()
            steps[i, j] = descent.n_steps
            converged &= descent.reason == "tolerance"
    mean, error = _mean_and_error(deviation)
    ntk_mean, ntk_error = _mean_and_error(ntk_deviation)
    slope, slope_error = _log_slope(sizes, mean, error)
    ntk_slope, ntk_slope_error = _log_slope(sizes, ntk_mean, ntk_error)
    return WidthSweep(
        widths=sizes,
        depth=depth,
        n_seeds=len(states),
        deviation=mean,
        deviation_error=error,
        ntk_deviation=ntk_mean,
        ntk_deviation_error=ntk_error,
        agreement=agreement.mean(axis=1),
        steps=steps.mean(axis=1),
        converged=converged,
        slope=slope,
        slope_error=slope_error,
        ntk_slope=ntk_slope,
        ntk_slope_error=ntk_slope_error,
    )


def _unit_rows(X: ArrayLike, name: str) -> FloatArray:
    rows = np.asarray(X, dtype=np.float64)
    if rows.ndim != 2 or not np.allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=0, atol=1e-6):
        raise ValueError(
            f"{name} must hold rows of unit norm: the limit kernel is that of a sphere"
        )
    return rows


def _kernel_matrices(kernel: Kernel, X: FloatArray, Q: FloatArray) -> tuple[FloatArray, FloatArray]:
    pair = (kernel(X, X), kernel(Q, X)) if callable(kernel) else kernel
    gram, cross = (np.asarray(matrix, dtype=np.float64) for matrix in pair)
    expected = (len(X), len(X)), (len(Q), len(X))
    if (gram.shape, cross.shape) != expected:
        raise ValueError(
            f"the kernel matrices must have shapes {expected[0]} and {expected[1]}, "
            f"got {gram.shape} and {cross.shape}"
        )
    return gram, cross


def _decisions(values: FloatArray) -> NDArray[np.intp]:
    if values.shape[1] == 1:
        return np.asarray(values[:, 0] > 0, dtype=np.intp)
    return np.asarray(values.argmax(axis=1))


def _mean_and_error(samples: FloatArray) -> tuple[FloatArray, FloatArray]:
    return samples.mean(axis=1), samples.std(axis=1, ddof=1) / np.sqrt(samples.shape[1])


def _log_slope(
    widths: NDArray[np.int64], mean: FloatArray, error: FloatArray
) -> tuple[float, float]:
    """Return the least-squares slope of log mean in log width, errors carried to first order."""
    if np.any(mean <= 0.0):
        return float("nan"), float("nan")
    x = np.log(widths)
    weight = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    return float(weight @ np.log(mean)), float(np.linalg.norm(weight * error / mean))
