"""What the classifiers share: examples that come and go, checked data, weights of classes."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from deeplimit.estimators.examples import Examples
from deeplimit.estimators.fitting import untouched_on_failure
from deeplimit.estimators.holding import held
from deeplimit.estimators.lifting import lift_of
from deeplimit.estimators.weighting import Weighting, check_weights
from deeplimit.examples import Certificate, ExampleSet, fingerprint
from deeplimit.examples.example_set import Undo
from deeplimit.examples.fingerprint import canonical, label_text
from deeplimit.examples.labels import as_labels, merged
from deeplimit.persist.state import to_state
from deeplimit.sums.lift import Lift
from deeplimit.sums.threads import number_of_threads

Floats = NDArray[np.float64]
T = TypeVar("T")


class ExampleClassifier(ClassifierMixin, BaseEstimator):
    """Base of classifiers that keep their examples and decide by scores of the classes.

    Examples come, go and change class in any order; the state is, bit for bit, that of a fit of
    what remains in the order of ids. `set_params` does nothing to a fitted model before a `fit`.

    Subclasses define `_scores`, `_learn` for a fit, and `_follow` for a change unless learning anew
    is what it takes.
    """

    class_weight: Any = None
    priors: Any = None
    engine: Any = "auto"
    n_jobs: Any = None

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Store the examples and what their limit needs.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Examples, finite numbers.
        y : array-like of shape (n,)
            Class of each example.
        sample_weight : array-like of shape (n,), optional
            Nonnegative weight of each example; 1 if not given, and 0 is absence.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If the data are not finite, shapes do not fit, a class has no weight, or a parameter
            does not suit. The classifier is then left as it was.
        """
        with untouched_on_failure(self):
            self._fit(*self._checked(X, y, sample_weight, reset=True), None)
        return self

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Add examples; on an unfitted classifier, fit them.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Examples, finite numbers.
        y : array-like of shape (n,)
            Class of each example. It may be a new one.
        classes : array-like of shape (k,), optional
            Classes to list in ``classes_`` even while they have no example, besides those listed
            before.
        sample_weight : array-like of shape (n,), optional
            Nonnegative weight of each example; 1 if not given, and 0 is absence.

        Returns
        -------
        self
            The classifier.

        Raises
        ------
        ValueError
            As for `fit`. The classifier is then left as it was.

        Notes
        -----
        Ids go on counting. What `fit` chose from its data, an exponent, is kept; see
        `certificate`.
        """
        if not self.__sklearn_is_fitted__():
            with untouched_on_failure(self):
                self._fit(*self._checked(X, y, sample_weight, reset=True), classes)
            return self
        checked = self._checked(X, y, sample_weight, reset=False)
        return self._change(lambda: self._examples.add(*checked), classes)

    def forget(self, ids: ArrayLike) -> Self:
        """Take examples out, as if they had never been given.

        Parameters
        ----------
        ids : array-like of int
            Which, by their places in the data given to `fit` and then `partial_fit`, counted
            throughout; ``ids_`` lists those there are.

        Returns
        -------
        self
            The classifier.

        Raises
        ------
        ValueError
            If an id is unknown, forgotten already or given twice, or nothing would remain. The
            classifier is then left as it was.
        TypeError
            If ids are no integers.

        Notes
        -----
        The rows are overwritten at once, in a time that does not grow with the examples there are;
        masses, lift and rule are made when next asked for. What has to be solved (interpolation,
        `NetworkKernelClassifier`) is solved anew, at the cost of a fit.
        """
        check_is_fitted(self)
        return self._change(lambda: self._examples.forget(ids))

    def relabel(self, ids: ArrayLike, y: ArrayLike) -> Self:
        """Give examples other classes, as if they had been given with them.

        Parameters
        ----------
        ids : array-like of int, shape (k,)
            Which; see `forget`.
        y : array-like of shape (k,), or one label
            Their classes.

        Returns
        -------
        self
            The classifier.

        Raises
        ------
        ValueError
            If an id is unknown, forgotten or given twice, or the labels do not suit. The
            classifier is then left as it was.
        TypeError
            If ids are no integers.
        """
        check_is_fitted(self)
        labels = as_labels(y, one=np.size(ids))
        if labels.size and type_of_target(labels) not in ("binary", "multiclass"):
            raise ValueError(f"labels are classes; got {type_of_target(labels)} ones.")
        return self._change(lambda: self._examples.relabel(ids, labels))

    def certificate(self) -> Certificate:
        """Certify the state: models of the same settings and examples have the same fingerprint.

        The first call hashes every example, some microseconds each; changes then keep the hash up
        to date.

        Returns
        -------
        Certificate

        Raises
        ------
        TypeError
            If the activation is a Python callable, whose code cannot be hashed.
        """
        check_is_fitted(self)
        kept = self._kept_so_far() if self._examples.version > 1 else ()
        settings = {
            "model": type(self).__name__,
            "n_features": self._examples.n_features,
            "classes": [label_text(label) for label in self.classes_],
            "parameters": canonical(self._certified()),
            "kernel": canonical(to_state(self.kernel_)) if hasattr(self, "kernel_") else None,
        }
        return Certificate(
            type(self).__name__,
            len(self._examples),
            len(self.classes_),
            kept,
            self._chosen if "exponent" in kept else None,
            fingerprint(settings, len(self._examples), self._total()),
        )

    def _kept_so_far(self) -> tuple[str, ...]:
        """Name what was chosen from earlier examples, where that may make a difference."""
        return self._kept

    def _certified(self) -> dict[str, Any]:
        """Give the settings that a certificate covers."""
        return self._settings

    def _total(self) -> int:
        """Hash the examples there are."""
        return self._examples.total()

    @property
    def ids_(self) -> NDArray[np.int64]:
        """Ids of the examples there are, ascending."""
        return self._examples.live_ids.copy()

    @property
    def class_mass_(self) -> Floats:
        """Total weight of each class."""
        return self._spread(self._mass[None], 0.0).ravel()

    #: Parameters that decide nothing, or nothing that the kernel does not say.
    _beside = frozenset({"n_jobs", "engine", "activation", "exponent"})
    #: How rows get to where gaps are measured; see `fit_lift`.
    _lift_kind = "euclidean"
    #: What was chosen from data, and is kept when they change.
    _kept: tuple[str, ...] = ()
    _chosen: float | None = None

    def _checked(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, *, reset: bool
    ) -> tuple[Floats, NDArray[Any], Floats]:
        rows: Floats
        rows, labels = validate_data(self, X, y, dtype=np.float64, reset=reset)
        check_classification_targets(labels)
        others = None if reset else self._examples.weights
        return rows, labels, check_weights(sample_weight, rows, others)

    def _fit(
        self, rows: Floats, labels: NDArray[Any], weight: Floats, classes: ArrayLike | None
    ) -> None:
        number_of_threads(self.n_jobs)
        self._lazy: dict[str, Any] = {}
        self._settings = {
            name: deepcopy(value)
            for name, value in self.get_params(deep=False).items()
            if name not in self._beside
        }
        self._declared: NDArray[Any] | None = None
        self._declare(classes)
        self._kept, self._chosen = (), None
        self._live: dict[str, Any] = {}
        self._examples = ExampleSet(rows.shape[1])
        self._examples.add(rows, labels, weight)
        self._name_classes()
        self._learn()

    def _change(self, change: Callable[[], Undo], classes: ArrayLike | None = None) -> Self:
        """Change the examples, and follow; or leave all as it was."""
        with untouched_on_failure(self):
            self._declare(classes)
            undo = change()
            try:
                self._lazy = {}
                self._name_classes()
                self._follow()
            except BaseException:
                undo()
                raise
        self._examples.compact()
        return self

    def _declare(self, classes: ArrayLike | None) -> None:
        if classes is not None and (further := as_labels(classes)).size:
            known = self._declared
            self._declared = np.unique(further) if known is None else merged(known, further)

    def _name_classes(self) -> None:
        """List the classes that have examples or were declared, and check what goes by class."""
        present, declared = self._examples.classes, self._declared
        self.classes_ = present if declared is None else merged(present, declared)
        self._lazy["weighting"] = self._make_weighting()

    def _make_weighting(self) -> Weighting:
        return Weighting(
            self._settings.get("class_weight"),
            self._settings.get("priors"),
            self.classes_,
            self._examples.classes.astype(self.classes_.dtype),
        )

    def _learn(self) -> None:
        raise NotImplementedError

    def _follow(self) -> None:
        """Follow a change of the examples."""
        self._learn()

    def _make_rule(self) -> Any:
        """Make the decision rule from the fitted attributes, where there is one."""
        raise NotImplementedError

    #: Attributes that a saved model leaves out, being made again of the others.
    _transient = frozenset({"_lazy", "_live"})

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is made again: an engine holds what cannot be pickled."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name not in self._transient}

    def _once(self, name: str, make: Callable[[], T]) -> T:
        """Make what follows from the examples when it is asked for, once until they change."""
        lazy = self.__dict__.setdefault("_lazy", {})  # absent if just loaded
        if name not in lazy:
            lazy[name] = make()
        made: T = lazy[name]
        return made

    @property
    def _rule(self) -> Any:
        number_of_threads(self.n_jobs)  # set_params may have come after fit
        return self._once("rule", self._make_rule)

    def _held(self) -> Examples:
        """Give what the rule decides by."""
        return held(self)

    def _prepare(self) -> None:
        """Make the rule now, for what does not suit is to be told by who changes the examples."""
        _ = self._rule

    @property
    def lift_(self) -> Lift:
        """The map of rows to where gaps are measured."""
        return self._once("lift", lambda: lift_of(self._examples, self._lift_kind))

    @property
    def _X(self) -> Floats:
        """The examples there are, in the order of ids."""
        return self._examples.live_rows

    @property
    def _index(self) -> NDArray[np.int64]:
        """Class of each, a place among those that have examples."""
        return self._examples.live_codes

    @property
    def _origin(self) -> NDArray[np.int64]:
        """Id of each example."""
        return self._examples.live_ids

    @property
    def _sample_weight(self) -> Floats:
        return self._examples.live_weights

    @property
    def _weight(self) -> Floats:
        """Weight of each example, that of its class included."""
        return self._once("weight", self._make_weight)

    def _make_weight(self) -> Floats:
        codes, weights = self._examples.live_codes, self._examples.live_weights
        factors = self._once("weighting", self._make_weighting).factors(codes, weights)
        return weights * factors[codes]

    @property
    def _n_present(self) -> int:
        return len(self._examples.classes)

    @property
    def _mass(self) -> Floats:
        """Total weight of each class that has examples."""
        return np.bincount(self._index, weights=self._weight).astype(np.float64)

    @property
    def _present(self) -> NDArray[np.int64]:
        """Places in ``classes_`` of the classes that have examples."""
        places = np.searchsorted(self.classes_, self._examples.classes.astype(self.classes_.dtype))
        return places.astype(np.int64)

    def _scores(self, X: Floats) -> tuple[NDArray[np.int64], Floats]:
        """Winner and score for each row, of the classes that have examples."""
        raise NotImplementedError

    def _winners(self, X: Floats) -> NDArray[np.int64]:
        return self._scores(X)[0]

    def _queries(self, X: ArrayLike) -> Floats:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=np.float64, reset=False))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the class of each row.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.

        Returns
        -------
        ndarray of shape (m,)
            Classes.
        """
        X = self._queries(X)
        return np.asarray(self.classes_[self._present[self._winners(X)]])

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Give each class's share of the score: the estimate of its probability.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.

        Returns
        -------
        ndarray of shape (m, n_classes)
            Rows add up to 1; the largest entry is that of the prediction. A class without
            examples has 0.
        """
        return self._spread(self._scores(self._queries(X))[1], 0.0)

    def _spread(self, scores: Floats, absent: float) -> Floats:
        """Give scores of the classes that have examples as those of all in ``classes_``."""
        if scores.shape[1] == len(self.classes_):
            return scores
        spread = np.full((len(scores), len(self.classes_)), absent)
        spread[:, self._present] = scores
        return spread

    def __sklearn_is_fitted__(self) -> bool:
        return "_examples" in self.__dict__
