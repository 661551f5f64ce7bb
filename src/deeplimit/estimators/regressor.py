"""Regression by the same limits, for the contrast: depth helps classification, harms regression."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from deeplimit.estimators.base import Floats
from deeplimit.estimators.fitting import limit_kernel, untouched_on_failure
from deeplimit.estimators.interpolation import Interpolant, fit_interpolant, interpolate
from deeplimit.estimators.lifting import distinct_dimension, fit_weighted_lift
from deeplimit.estimators.unanswered import REASONS, Unanswered
from deeplimit.estimators.weighting import check_weights
from deeplimit.kernels.limit import LimitKernel
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums.smoothing import kernel_means
from deeplimit.sums.threads import number_of_threads


class DeepLimitRegressor(Unanswered, RegressorMixin, BaseEstimator):
    r"""What an infinitely deep network predicts in regression, raw or put right.

    Raw, the ridgeless limit predicts 0 off its examples in the singular and nearest-neighbour
    regimes, nearly the mean under majority vote: depth harms regression. Dividing by the sum of
    the weights, :math:`\sum_i y_i\kappa(x, x_i)/\sum_i\kappa(x, x_i)`, restores the Hilbert kernel
    regression estimate, and the nearest neighbour's value in its regime.

    Parameters
    ----------
    activation : str, Activation, callable or None, default=None
        Activation of the network; None is the pure singular kernel.
    exponent : float or "dimension", default="dimension"
        Exponent of the pure singular kernel.
    normalize : bool, default=True
        Whether to divide by the sum of the weights; False is the network as it is.
    projection : str, default="auto"
        How rows get onto the sphere; see `DeepLimitClassifier`.
    n_jobs : int, optional
        Threads for prediction.

    Attributes
    ----------
    kernel_ : LimitKernel or PowerKernel
    lift_ : Lift
    n_features_in_ : int

    Raises
    ------
    ValueError
        At `fit`, if a parameter does not suit or the activation's regime is undecided.

    Notes
    -----
    Coincident examples predict their weighted mean. Examples at negative kernel values are left
    out of the normalised mean; if none is left it is the mean of all.

    References
    ----------
    .. [1] L. Devroye, L. Györfi, A. Krzyżak, "The Hilbert kernel regression estimate", Journal of
       Multivariate Analysis 65, 1998.

    Examples
    --------
    >>> import deeplimit as dl
    >>> X, y = [[0.0], [1.0], [3.0]], [0.0, 1.0, 5.0]
    >>> dl.DeepLimitRegressor(exponent=1.0).fit(X, y).predict([[2.0], [3.0]])
    array([2.4, 5. ])
    >>> dl.DeepLimitRegressor(exponent=1.0, normalize=False).fit(X, y).predict([[2.0], [3.0]])
    array([0., 5.])
    """

    _unanswered = (*REASONS, "partial_fit", "forget", "relabel", "certificate")
    _why = "regression is here for the contrast alone; take a classifier, or fit anew for a change"

    def __init__(
        self,
        activation: Any = None,
        exponent: Any = "dimension",
        *,
        normalize: bool = True,
        projection: str = "auto",
        n_jobs: int | None = None,
    ) -> None:
        self.activation = activation
        self.exponent = exponent
        self.normalize = normalize
        self.projection = projection
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Store the examples.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Examples, finite numbers.
        y : array-like of shape (n,)
            Targets.
        sample_weight : array-like of shape (n,), optional
            Nonnegative weight of each example.

        Returns
        -------
        self
            The fitted regressor.

        Raises
        ------
        ValueError
            If the data are not finite or shapes do not fit, or a parameter does not suit. The
            regressor is then left as it was.
        """
        with untouched_on_failure(self):
            self._fit(*_checked(self, X, y), sample_weight)
        return self

    def _fit(self, X: Floats, y: Floats, sample_weight: ArrayLike | None) -> None:
        number_of_threads(self.n_jobs)
        weight = check_weights(sample_weight, X)
        live = weight > 0.0
        rows, targets, weight = X[live], y[live], weight[live]
        if self.activation is None:
            wanted = self.exponent
            if isinstance(wanted, str) and wanted != "dimension":
                raise ValueError(f"exponent is 'dimension' or a positive number, got {wanted!r}.")
            kernel: Any = PowerKernel(
                distinct_dimension(rows) if isinstance(wanted, str) else float(wanted)
            )
            kind = "euclidean" if self.projection == "auto" else self.projection
        else:
            if self.projection == "euclidean":
                raise ValueError("a network's kernel lives on the sphere, not in R^d.")
            kernel, kind = limit_kernel(self.activation), self.projection
        self.lift_ = fit_weighted_lift(rows, kind, weight)
        self.kernel_, self._X, self._y, self._weight = kernel, rows, targets, weight
        self._mean = float(np.average(targets, weights=weight))
        if self._regime in ("conditionally-positive-definite", "identity"):
            fitted = fit_interpolant(kernel, self.lift_, rows, targets[:, None], weight)
            self._rows, self._coefficients, self._constant = fitted

    @property
    def _regime(self) -> str:
        kernel = self.kernel_
        return "singular-kernel" if isinstance(kernel, PowerKernel) else str(kernel.regime)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # The network as it is, and the limit of an arbitrary activation, may be poor regressors.
        tags.regressor_tags.poor_score = not self.normalize or self.activation is not None
        return tags

    def predict(self, X: ArrayLike) -> Floats:
        """Predict the target of each row.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.

        Returns
        -------
        ndarray of shape (m,)
        """
        check_is_fitted(self)
        number_of_threads(self.n_jobs)
        rows: Floats = validate_data(self, X, dtype=np.float64, reset=False)
        if self._regime in ("conditionally-positive-definite", "identity"):
            fitted = Interpolant(self._rows, self._coefficients, self._constant)
            return interpolate(self.kernel_, self.lift_, fitted, rows)[:, 0]
        order = _order(self.kernel_)
        means, hits = kernel_means(
            order, self.lift_, self._X, self._y, self._weight, rows, n_jobs=self.n_jobs
        )
        if self.normalize:
            return np.where(np.isnan(means), self._mean, means)
        return np.where(hits, means, self._raw())

    def _raw(self) -> float:
        """Give what the ridgeless limit predicts off its examples."""
        if self._regime != "majority-vote":
            return 0.0
        point = self.kernel_.taxonomy.fixed_point
        if point is None or point >= 1.0:
            return self._mean
        total = self._weight.sum()
        return float(point * total * self._mean / (1.0 - point + total * point))


def _checked(model: Any, X: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    rows, targets = validate_data(model, X, y, dtype=np.float64, y_numeric=True)
    return rows, np.asarray(targets, dtype=np.float64)


def _order(kernel: Any) -> Any:
    if isinstance(kernel, PowerKernel) or kernel.regime == "singular-kernel":
        return kernel
    return _Steep(kernel)


class _Steep:
    """Weights of the other regimes: the nearest alone, or all alike; hits on a level above."""

    def __init__(self, kernel: LimitKernel) -> None:
        self._kernel = kernel
        self.positive = kernel.positive

    def log_at_gap(self, s: ArrayLike) -> Floats:
        s = np.asarray(s, dtype=np.float64)
        if self._kernel.regime == "nearest-neighbour":
            # Steep enough that examples a relative 1e-12 nearer outweigh all the others.
            return np.asarray(self._kernel.log_closeness(s) * 1e14)
        return np.where(s == 0.0, np.inf, 0.0)

    def sign_at_gap(self, s: ArrayLike) -> Floats:
        return self._kernel.sign_at_gap(s)
