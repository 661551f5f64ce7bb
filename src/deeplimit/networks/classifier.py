"""A fully connected network of finite width as a scikit-learn classifier."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from deeplimit.estimators.fitting import untouched_on_failure
from deeplimit.estimators.unanswered import REASONS, Unanswered
from deeplimit.networks.finite import FiniteNetwork, Precision, as_activation
from deeplimit.networks.training import Descent, gradient_descent
from deeplimit.sums.sphere import fit_lift

__all__ = ["FiniteNetworkClassifier"]

FloatArray = NDArray[np.float64]


class FiniteNetworkClassifier(Unanswered, ClassifierMixin, BaseEstimator):
    r"""Classifier by a network of finite width, trained by full-batch gradient descent.

    The network has NTK parametrisation, begins as the zero function and is trained on the
    squared loss with targets -1 and 1 (one output for two classes, otherwise one for each
    class). As the width grows it tends to ridgeless regression with the tangent kernel of the
    same depth; this estimator is for comparison with that limit, not for speed.

    Parameters
    ----------
    activation : Activation or str or callable, default="relu"
        The activation, or anything `Activation` accepts, without jumps.
    depth : int, default=1
        Number of hidden layers; 0 is the linear network.
    width : int, default=512
        Units in each hidden layer.
    learning_rate : float or "auto", default="auto"
        First step size, for the loss of half the summed squared errors. "auto" is the inverse
        of the largest eigenvalue of the empirical tangent kernel. A step that raises
        the loss too far is halved.
    momentum : bool, default=True
        Nesterov's acceleration with restarts; False is plain gradient descent, which takes
        about the square of the number of steps. See `gradient_descent`.
    max_steps : int, default=2000
        Largest number of steps.
    tol : float, default=1e-3
        Mean squared training error to stop at; it is 1 at the start.
    n_ensemble : int, default=1
        Number of independent networks; their outputs are averaged, which takes away most of
        the fluctuation of order width^(-1/2).
    centered_output : bool, default=True
        Subtract the output at the initial weights.
    projection : {"auto", "hemisphere", "stereographic", "normalize", "none"}, default="auto"
        How rows are put on the unit sphere; see `deeplimit.sums.sphere.fit_lift`. "auto" takes
        rows of unit norm as they lie and lifts others to the hemisphere.
    dtype : {"float64", "float32"}, default="float64"
        Precision of the weights and of training.
    device : str or None, default=None
        PyTorch device; None is the CPU.
    random_state : int, RandomState instance or None, default=0
        Seed of the weights.

    Attributes
    ----------
    classes_ : ndarray of shape (c,)
        Class labels.
    n_features_in_ : int
        Number of columns seen in `fit`.
    networks_ : list of FiniteNetwork
        The trained networks.
    lift_ : Lift
        The fitted projection.
    n_iter_ : int
        Steps taken, the most of any network.
    loss_curve_ : ndarray of shape (n_steps + 1,)
        Mean squared training error before the first and after each step, averaged over the
        networks (each stays at its last value).
    learning_rate_ : float
        Smallest step size at the end of training, over the networks.
    converged_ : bool
        True if each network reached `tol` or lowered the loss as far as it can (conflicting
        labels on equal rows leave some).

    Raises
    ------
    ImportError
        If PyTorch is not installed (when fitting).

    See Also
    --------
    deeplimit.networks.width_sweep : Distance to the kernel predictor by width.

    References
    ----------
    A. Jacot, F. Gabriel, C. Hongler, "Neural Tangent Kernel: Convergence and Generalization in
    Neural Networks", NeurIPS 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.networks import FiniteNetworkClassifier
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> clf = FiniteNetworkClassifier(width=128).fit(X, ["a", "b", "b", "a"])
    >>> clf.predict([[0.1], [1.4]])
    array(['a', 'b'], dtype='<U1')
    >>> clf.converged_
    True
    """

    _unanswered = (*REASONS, "partial_fit", "forget", "relabel", "certificate")
    _why = "a trained network keeps no examples; take DeepLimitClassifier, or fit anew for a change"

    def __init__(
        self,
        activation: Any = "relu",
        *,
        depth: int = 1,
        width: int = 512,
        learning_rate: float | Literal["auto"] = "auto",
        momentum: bool = True,
        max_steps: int = 2000,
        tol: float = 1e-3,
        n_ensemble: int = 1,
        centered_output: bool = True,
        projection: str = "auto",
        dtype: Precision = "float64",
        device: str | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.activation = activation
        self.depth = depth
        self.width = width
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.max_steps = max_steps
        self.tol = tol
        self.n_ensemble = n_ensemble
        self.centered_output = centered_output
        self.projection = projection
        self.dtype = dtype
        self.device = device
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> FiniteNetworkClassifier:
        """Train the networks.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Training rows.
        y : array-like of shape (n,)
            Labels, of at least two classes.

        Returns
        -------
        FiniteNetworkClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If there is one class only, or a setting is out of range.

        Warns
        -----
        ConvergenceWarning
            If the steps ran out first.
        """
        with untouched_on_failure(self):
            self._fit(X, y)
        return self

    def _fit(self, X: ArrayLike, y: ArrayLike) -> None:
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, index = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("training needs at least two classes, got one class only")
        if int(self.n_ensemble) != self.n_ensemble or self.n_ensemble < 1:
            raise ValueError(f"n_ensemble must be at least 1, got {self.n_ensemble!r}")
        targets = np.where(index[:, None] == np.arange(len(self.classes_)), 1.0, -1.0)
        if len(self.classes_) == 2:
            targets = targets[:, 1:]
        self.lift_ = fit_lift(X, self.projection)
        if not self.lift_.on_sphere:
            raise ValueError(
                f"projection {self.projection!r} leaves the sphere, on which alone the network has "
                'its kernel limit: choose "auto", "hemisphere", "stereographic" or "normalize"'
            )
        rows = self.lift_.transform(X)
        activation = as_activation(self.activation)
        state = check_random_state(self.random_state)
        self.networks_ = [
            FiniteNetwork(
                activation,
                self.depth,
                self.width,
                rows.shape[1],
                targets.shape[1],
                random_state=state,
                centered=self.centered_output,
                dtype=self.dtype,
                device=self.device,
            )
            for _ in range(self.n_ensemble)
        ]
        descents = [
            gradient_descent(
                network,
                rows,
                targets,
                learning_rate=self.learning_rate,
                momentum=self.momentum,
                max_steps=self.max_steps,
                tol=self.tol,
            )
            for network in self.networks_
        ]
        self._record(descents)

    def _record(self, descents: list[Descent]) -> None:
        self.n_iter_ = max(descent.n_steps for descent in descents)
        self.loss_curve_ = np.mean(
            [
                np.pad(descent.loss_curve, (0, self.n_iter_ - descent.n_steps), mode="edge")
                for descent in descents
            ],
            axis=0,
        )
        self.learning_rate_ = min(descent.learning_rate for descent in descents)
        self.converged_ = all(descent.converged for descent in descents)
        if not self.converged_:
            advice = "raise max_steps or tol" + ("" if self.momentum else ", or set momentum=True")
            warnings.warn(
                f"training stopped after {self.n_iter_} steps at a mean squared error of "
                f"{self.loss_curve_[-1]:.3g}, tol={self.tol:.3g}: {advice}",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _outputs(self, X: ArrayLike) -> FloatArray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        rows = self.lift_.transform(X)
        return np.asarray(np.mean([network(rows) for network in self.networks_], axis=0))

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """Return the networks' mean output.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n,) or (n, c)
            With two classes one column, positive for ``classes_[1]``; otherwise one column for
            each class.
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class with the largest output; the first of them on an exact tie.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Labels.
        """
        outputs = self._outputs(X)
        if outputs.shape[1] == 1:
            index = (outputs[:, 0] > 0).astype(np.intp)
        else:
            index = outputs.argmax(axis=1)
        labels: NDArray[Any] = self.classes_[index]
        return labels

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Return class proportions from the outputs.

        With targets -1 and 1 the squared loss is least in the mean at 2p - 1, so that an output
        f estimates p = (1 + f)/2. Negative values are set to 0 and the rest divided by their
        sum; where none is positive, the largest output gets 1. The order of the outputs is
        kept. These are regression estimates, not calibrated probabilities.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n, c)
            Rows that sum to 1, columns in the order of `classes_`.
        """
        outputs = self._outputs(X)
        if outputs.shape[1] == 1:
            outputs = np.hstack([-outputs, outputs])
        shares = np.maximum(1.0 + outputs, 0.0)
        empty = ~shares.any(axis=1)
        shares[empty, outputs[empty].argmax(axis=1)] = 1.0
        proportions: FloatArray = shares / shares.sum(axis=1, keepdims=True)
        return proportions
