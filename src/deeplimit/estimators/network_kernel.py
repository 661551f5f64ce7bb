"""Kernel machines of infinitely wide networks of finite depth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.activations import Activation
from deeplimit.estimators.base import ExampleClassifier, Floats
from deeplimit.estimators.interpolation import check_size, merge_duplicates, solve_ridge
from deeplimit.estimators.shares import clipped_shares
from deeplimit.estimators.unanswered import Unanswered
from deeplimit.kernels.network import NetworkKernel
from deeplimit.sums.gaps import gap_blocks

#: Ridges tried by leave-one-out, relative to a unit diagonal; 0 is none.
RIDGES = np.concatenate(([0.0], 10.0 ** np.arange(-9.0, 3.0)))


class NetworkKernelClassifier(Unanswered, ExampleClassifier):
    r"""Kernel machine of an infinitely wide network of finite depth: NTK or NNGP.

    Targets are the indicator of each class less its share, fitted by kernel ridge regression; the
    ridge is chosen by exact leave-one-out unless given. With ``ridge=0`` it is the trained
    infinitely wide network itself, and its decisions at growing depth are those of
    `DeepLimitClassifier` with the same activation.

    Parameters
    ----------
    activation : str, Activation or callable, default="relu"
        Activation of the network.
    depth : int, default=1
        Number of hidden layers.
    kind : {"ntk", "nngp"}, default="ntk"
        Kernel: of training by gradient descent, or of the Bayesian posterior.
    ridge : float or "loo", default="loo"
        Ridge, relative to a kernel of unit diagonal; "loo" takes the one of least leave-one-out
        squared error among 0 and powers of ten from 1e-9 to 100.
    projection : str, default="auto"
        How rows get onto the sphere; see `DeepLimitClassifier`.
    center : bool, default=False
        Whether to subtract the class shares from the targets before fitting, as an intercept
        would; without it the machine is the network.
    priors : array-like of shape (n_classes,), optional
        Frequencies of the classes to expect where the rule is used: positive numbers in the order
        of ``classes_``, divided by their sum.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    ids_ : ndarray of shape (n_examples,)
        Ids of the examples, for `forget` and `relabel`.
    kernel_ : NetworkKernel
    ridge_ : float
        The ridge used.
    dual_coef_ : ndarray of shape (n_distinct, n_classes)
        Weights of the distinct rows, for the kernel divided by its diagonal.
    loo_accuracy_ : float
        Exact leave-one-out accuracy on the training rows, duplicates merged.
    lift_ : Lift
    n_features_in_ : int

    Raises
    ------
    ValueError
        At `fit`, for more than 20,000 distinct rows or a parameter that does not suit.

    References
    ----------
    .. [1] A. Jacot, F. Gabriel, C. Hongler, "Neural tangent kernel", NeurIPS 2018.

    Examples
    --------
    >>> import deeplimit as dl
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = dl.NetworkKernelClassifier("relu", depth=3).fit(X[::2], y[::2])
    >>> round(clf.score(X[1::2], y[1::2]), 2)
    0.97
    """

    _why = (
        "its weights are solved for all examples together, and none has its own; take "
        "HilbertClassifier or DeepLimitClassifier"
    )

    def __init__(
        self,
        activation: Any = "relu",
        depth: int = 1,
        kind: str = "ntk",
        *,
        ridge: Any = "loo",
        projection: str = "auto",
        center: bool = False,
        priors: Any = None,
        class_weight: Any = None,
    ) -> None:
        self.activation = activation
        self.depth = depth
        self.kind = kind
        self.ridge = ridge
        self.projection = projection
        self.center = center
        self.priors = priors
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Without a ridge the machine interpolates whatever the weights of the classes.
        tags.classifier_tags.poor_score = self.ridge != "loo" and self.ridge == 0
        return tags

    def _ridges(self) -> Floats:
        if isinstance(self.ridge, str):
            if self.ridge != "loo":
                raise ValueError(f"ridge is 'loo' or a number of at least 0, got {self.ridge!r}.")
            return RIDGES
        try:
            value = float(self.ridge)
        except (TypeError, ValueError):
            value = np.nan
        if not (np.isfinite(value) and value >= 0.0):
            raise ValueError(f"ridge is 'loo' or a number of at least 0, got {self.ridge!r}.")
        return np.array([value])

    def _learn(self) -> None:
        if self.projection == "euclidean":
            raise ValueError("a network's kernel lives on the sphere, not in R^d.")
        kind: Any = self.kind
        self.kernel_ = NetworkKernel(Activation(self.activation), self.depth, kind=kind)
        self._lift_kind = self.projection
        self._candidates = self._ridges()
        self._follow()

    def _follow(self) -> None:
        """Solve, which costs what a fit does."""
        targets = np.eye(self._n_present)[self._index]
        self._constant = np.zeros(self._n_present)
        if self._settings["center"]:
            self._constant = self._mass / self._mass.sum()
            targets = targets - self._constant
        else:
            # Centred between the classes, so that the machine decides two classes by a sign.
            targets = targets - 1.0 / self._n_present
        merged = merge_duplicates(self._X, targets, self._weight)
        check_size(merged.first.size, "kernel ridge regression")
        self._rows = self._X[merged.first]
        log, sign = self._log_kernel(self._rows)
        solution = solve_ridge(sign * np.exp(log), merged.targets, merged.weight, self._candidates)
        self.dual_coef_, self.ridge_ = solution.coefficients, solution.ridge
        truth = np.argmax(merged.targets, axis=1)
        right = np.argmax(solution.loo, axis=1) == truth
        self.loo_accuracy_ = float(np.average(right, weights=merged.weight))

    def _log_kernel(self, Q: Floats) -> tuple[Floats, Floats]:
        log = np.empty((len(Q), len(self._rows)))
        sign = np.empty_like(log)
        for rows, columns, gaps in gap_blocks(Q, self._rows, self.lift_):
            log[rows, columns], sign[rows, columns] = self.kernel_.log_and_sign_at_gap(
                gaps, normalize=True
            )
        return log, sign

    def decision_function(self, X: ArrayLike) -> Floats:
        """Predict the targets of each class.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.

        Returns
        -------
        ndarray of shape (m, n_classes), or (m,) for two classes
            For two classes the score of the second less that of the first. Deep singular networks
            decay to nothing off their examples: the values may underflow, decisions do not. A class
            without examples has -inf.
        """
        values, log_scale = self._values(self._queries(X))
        with np.errstate(under="ignore"):
            scaled = values * np.exp(log_scale) + self._constant
        scaled = self._spread(scaled, -np.inf)
        return scaled[:, 1] - scaled[:, 0] if scaled.shape[1] == 2 else scaled

    def _values(self, Q: Floats) -> tuple[Floats, Floats]:
        """Predictions less the constant, over exp of a scale for each query."""
        values = np.empty((len(Q), self._n_present))
        scales = np.empty((len(Q), 1))
        for start in range(0, len(Q), 512):
            part = slice(start, start + 512)
            log, sign = self._log_kernel(Q[part])
            top = log.max(axis=1, keepdims=True)
            top = np.where(np.isfinite(top), top, 0.0)
            values[part] = (sign * np.exp(log - top)) @ self.dual_coef_
            scales[part] = top
        return values, scales

    def _scores(self, X: Floats) -> tuple[NDArray[np.int64], Floats]:
        values, scales = self._values(X)
        with np.errstate(under="ignore"):
            total = values * np.exp(scales) + self._constant
        # Without a constant the order survives any underflow.
        center = self._settings["center"]
        ranked = total if center else values
        top = ranked.max(axis=1, keepdims=True)
        tied = ranked >= top - 2.0**-40 * np.abs(ranked).max(axis=1, keepdims=True)
        winner = np.argmax(np.where(tied, self._mass, -np.inf), axis=1)
        shift = 0.0 if center else 1.0 / self._n_present
        return winner, clipped_shares(total + shift, winner)
