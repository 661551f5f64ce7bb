"""The classifier of examples in a store: larger than memory, on one machine or on several."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_array

from deeplimit.engines.packed import Precision
from deeplimit.estimators.contributions import Contributions, contributions
from deeplimit.estimators.exponents import choose_exponent
from deeplimit.estimators.flips import Flip, flips, winners_without
from deeplimit.estimators.limits import Smoother
from deeplimit.estimators.stored_examples import StoredExamples
from deeplimit.estimators.unanswered import Unanswered
from deeplimit.estimators.weighting import check_total
from deeplimit.kernels.power import PowerKernel
from deeplimit.store import ExampleStore
from deeplimit.sums.threads import number_of_threads

__all__ = ["StoreClassifier"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Progress = Callable[[int, int], None]

# Rows from which an exponent is chosen, evenly spread.
_SAMPLE = 20_000


class StoreClassifier(Unanswered):
    r"""The singular kernel smoother over the examples of a store on disk.

    :math:`\arg\max_c \sum_{y_i=c} w_i\,\|x-x_i\|^{-\alpha}`, the sums taken shard by shard: what is
    in memory is some shards of 65,536 rows, and a class, a weight and an id for each example. There
    is no `fit`: what the store holds is the model, for every process that opens it.

    Parameters
    ----------
    store : ExampleStore, str or path
        The store, or its folder; a folder is opened for reading.
    exponent : float or "auto", default="auto"
        Exponent :math:`\alpha`. "auto" has the least leave-one-out log-loss on up to 20,000 rows,
        evenly spread.
    precision : {"single", "double"}, default="single"
        Of the sums. In single precision probabilities are right to 1e-5, and decisions are those of
        double precision.
    n_jobs : int, optional
        Threads, -1 for all.
    client : dask.distributed.Client, optional
        A cluster that sums the shards, each worker reading its own: the folder must have the same
        path there. The result has the same bits.
    progress : callable, optional
        Called with the number of shards summed and the number there are.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes that have examples.
    exponent_ : float
    n_features_in_ : int

    Raises
    ------
    ValueError
        If the store is empty, its weights add up to more than 1e304, or a parameter does not suit.

    See Also
    --------
    DeepLimitClassifier : The same in memory, and any network.

    Notes
    -----
    Queries are rounded to the type of the store's rows, so that a row that was stored is found
    again. Decisions, ties and probabilities are otherwise those of `DeepLimitClassifier`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import deeplimit as dl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = dl.ExampleStore.create(pathlib.Path(folder, "examples"), n_features=1)
    ...     ids = store.append([[0.0], [1.0], [3.0]], ["a", "b", "b"])
    ...     clf = dl.StoreClassifier(store, exponent=1.0)
    ...     before = clf.predict([[0.75]])
    ...     after = clf.forget(ids[1:2]).predict([[0.75]])
    ...     store.close()
    >>> before, after
    (array(['b'], dtype='<U1'), array(['a'], dtype='<U1'))
    """

    _unanswered = (
        "leave_one_out", "predict_proba_bounds", "columns", "support", "findings", "report",
        "certificate",
    )  # fmt: skip
    _why = (
        "its examples are on disk; take DeepLimitClassifier of examples in memory, and "
        "store.fingerprint() for a certificate"
    )

    def __init__(
        self,
        store: ExampleStore | str | os.PathLike[str],
        exponent: Any = "auto",
        *,
        precision: Precision = "single",
        n_jobs: int | None = None,
        client: Any = None,
        progress: Progress | None = None,
    ) -> None:
        if precision not in ("single", "double"):
            raise ValueError(f"precision is 'single' or 'double', got {precision!r}.")
        number_of_threads(n_jobs)
        self.store = store if isinstance(store, ExampleStore) else ExampleStore.open(store)
        self.precision, self.n_jobs = precision, n_jobs
        self.client, self.progress = client, progress
        self._read()
        self.kernel_ = PowerKernel(self._choose(exponent))

    @property
    def exponent_(self) -> float:
        """Exponent of the kernel."""
        return self.kernel_.exponent

    @property
    def n_features_in_(self) -> int:
        """Number of columns."""
        return self.store.n_features

    @property
    def ids_(self) -> Integers:
        """Ids of the examples there are, ascending."""
        return self._ids[self._examples.weight > 0.0]

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

        Raises
        ------
        ValueError
            If rows are not finite or have another number of columns.
        """
        return np.asarray(self.classes_[self._rule.scores(self._queries(X))[0]])

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Give each class's share of the score.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.

        Returns
        -------
        ndarray of shape (m, n_classes)
            Rows add up to 1.

        Raises
        ------
        ValueError
            If rows are not finite or have another number of columns.
        """
        return self._rule.scores(self._queries(X))[1]

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Give the accuracy on rows of known classes, as scikit-learn's classifiers do.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.
        y : array-like of shape (m,)
            Their classes.
        sample_weight : array-like of shape (m,), optional
            Weights of the rows.

        Returns
        -------
        float
            The part of the rows for which `predict` gives their class.

        Raises
        ------
        ValueError
            If rows are not finite or have another number of columns, or lengths differ.
        """
        return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))

    def contributions(self, X: ArrayLike, top: int = 5) -> Contributions:
        """Tell which examples decide each row; see `DeepLimitClassifier.contributions`.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.
        top : int, default=5
            How many examples to name for each row.

        Returns
        -------
        Contributions

        Raises
        ------
        ValueError
            If `top` is no number of examples.
        """
        return contributions(self._rule, self._queries(X), top, self.classes_, self._ids)

    def flip(self, X: ArrayLike, max_removed: int | None = None) -> Flip:
        """Find the smallest sets that decide; see `DeepLimitClassifier.flip`.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.
        max_removed : int, optional
            Look for sets of up to so many examples.

        Returns
        -------
        Flip

        Raises
        ------
        ValueError
            If `max_removed` is no number of examples.
        """
        return flips(self._rule, self._queries(X), max_removed, self.classes_, self._ids)

    def predict_without(self, X: ArrayLike, ids: ArrayLike) -> NDArray[Any]:
        """Predict as if some examples had not been there.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.
        ids : array-like of int
            Which.

        Returns
        -------
        ndarray of shape (m,)
            Classes.

        Raises
        ------
        ValueError
            If an id is unknown or forgotten, or nothing would remain.
        """
        wanted = np.atleast_1d(np.asarray(ids, dtype=np.int64))
        unknown = np.setdiff1d(wanted, self.ids_)
        if unknown.size:
            raise ValueError(f"there is no example {unknown[0]}: ids_ lists those there are.")
        out = np.searchsorted(self._ids, wanted)
        return np.asarray(self.classes_[winners_without(self._rule, self._queries(X), out)])

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Add examples to the store; they are on the disk when this returns.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows.
        y : array-like of shape (n,)
            Classes.
        sample_weight : array-like of shape (n,), optional
            Weights.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data do not fit, weights add up to more than 1e304, or the store is open for
            reading alone. The store is then as it was.
        """
        weight = np.asarray(1.0 if sample_weight is None else sample_weight)
        if weight.dtype.kind in "fiub" and np.isfinite(weight).all():  # the store refuses others
            check_total(weight, self._examples.weight)
        return self._changed(lambda: self.store.append(X, y, sample_weight))

    def forget(self, ids: ArrayLike) -> Self:
        """Take examples out of the store; that is on the disk when this returns.

        The bytes of the rows stay in the files until `ExampleStore.compact`.

        Parameters
        ----------
        ids : array-like of int
            Which.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an id is unknown or forgotten, nothing would remain, or the store is open for
            reading alone.
        """
        if not np.setdiff1d(self.ids_, np.asarray(ids)).size:
            raise ValueError("forgetting all examples leaves nothing to decide by: keep one.")
        return self._changed(lambda: self.store.forget(ids))

    def relabel(self, ids: ArrayLike, y: ArrayLike) -> Self:
        """Give examples other classes; that is on the disk when this returns.

        Parameters
        ----------
        ids : array-like of int, shape (k,)
            Which.
        y : array-like of shape (k,)
            Their classes.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an id is unknown or forgotten, labels do not fit, or the store is open for reading
            alone.
        """
        return self._changed(lambda: self.store.relabel(ids, y))

    def refresh(self) -> Self:
        """Follow what another process has written.

        Returns
        -------
        self
        """
        return self._changed(self.store.refresh)

    def _changed(self, change: Callable[[], object]) -> Self:
        change()
        self._read()
        return self

    def _read(self) -> None:
        """Read what is known of all examples but their rows."""
        snapshot = self.store.snapshot()
        n = sum(part.entry.rows for part in snapshot.parts)
        codes, weight = np.empty(n, dtype=np.int64), np.empty(n)
        ids, start = np.empty(n, dtype=np.int64), 0
        for _, _, chunk in snapshot.pieces(1 << 20):
            here = slice(start, start + len(chunk.ids))
            ids[here], weight[here] = chunk.ids, chunk.weights
            codes[here] = np.where(chunk.live, chunk.codes, 0)
            start = here.stop
        if not np.any(weight > 0.0):
            raise ValueError("the store holds no example of positive weight: append some first.")
        check_total(weight)
        present = np.unique(codes[weight > 0.0])
        # The store numbers labels as they came.
        present = present[np.argsort(self.store.classes[present])]
        self.classes_ = self.store.classes[present]
        self._ids = ids
        # Codes count the classes that have examples, as those of the shards do not.
        place = np.zeros(len(self.store.classes), dtype=np.int64)
        place[present] = np.arange(present.size)
        self._examples = StoredExamples(self, snapshot, present, place[codes], weight)
        self._rule_made: Smoother | None = None

    @property
    def _rule(self) -> Smoother:
        if self._rule_made is None:
            self._rule_made = Smoother(self._examples, self.kernel_)
        return self._rule_made

    def _choose(self, exponent: Any) -> float:
        some: Floats = np.zeros((1, self.store.n_features))
        index, weight = np.zeros(1, dtype=np.int64), np.ones(1)
        if isinstance(exponent, str):
            live = np.flatnonzero(self._examples.weight > 0.0)
            at = live[np.unique(np.linspace(0, live.size - 1, min(live.size, _SAMPLE)).astype(int))]
            some = np.asarray(self.store.rows_of(self._ids[at]), dtype=np.float64)
            index, weight = self._examples.index[at], self._examples.weight[at]
        lift = self._examples.lift
        return choose_exponent(
            exponent, lift, some, index, weight, len(self.classes_), self.n_jobs
        ).exponent

    def _queries(self, X: ArrayLike) -> Floats:
        with np.errstate(over="ignore"):  # what is beyond the type of the store is an error anyway
            rows: Floats = check_array(X, dtype=self.store.dtype, estimator=self)
        if rows.shape[1] != self.store.n_features:
            raise ValueError(
                f"X has {rows.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.store.n_features} features as input."
            )
        return rows.astype(np.float64)
