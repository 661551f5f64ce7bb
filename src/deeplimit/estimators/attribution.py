"""Reasons for decisions: what classifiers whose scores are sums over examples have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from deeplimit.engines.bounded import BoundedProportions
from deeplimit.estimators.base import ExampleClassifier, Floats
from deeplimit.estimators.card import ModelCard, make_card
from deeplimit.estimators.columns import Columns
from deeplimit.estimators.contributions import Contributions, contributions
from deeplimit.estimators.deciding import search_of
from deeplimit.estimators.findings import Findings, find
from deeplimit.estimators.flips import Flip, flips, winners_without
from deeplimit.estimators.left_out import LeftOut, left_out
from deeplimit.estimators.parameters import check_bounds, check_progress
from deeplimit.estimators.pooled import PooledRule
from deeplimit.estimators.pooled_flips import pooled_flips
from deeplimit.estimators.support import Support, explain_support
from deeplimit.estimators.tabular import explain_columns

__all__ = ["ExplainedClassifier"]


class ExplainedClassifier(ExampleClassifier):
    """Base of classifiers that can tell which examples decide, and what would flip a decision."""

    def contributions(self, X: ArrayLike, top: int | None = 5) -> Contributions:
        """Tell which examples decide each row, with their shares of the score.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.
        top : int or None, default=5
            How many examples to name for each row; None names all.

        Returns
        -------
        Contributions
            Ids of examples, their classes and shares, the share of all others together and
            that of each class. As long as no class has a negative score, the share of a class is
            its probability.

        Raises
        ------
        ValueError
            In a regime whose decision is no sum over examples with weights of their own
            (nearest neighbour, majority vote, interpolation), or if `top` is no number of examples.

        Examples
        --------
        >>> import deeplimit as dl
        >>> clf = dl.DeepLimitClassifier(exponent=2.0).fit([[0.0], [1.0], [3.0]], [0, 1, 1])
        >>> c = clf.contributions([[2.0]], top=2)
        >>> c.indices.tolist(), c.shares.round(3).tolist(), c.rest.round(3).tolist()
        ([[1, 2]], [[0.444, 0.444]], [0.111])
        """
        X = self._queries(X)
        rule = self._rule
        if isinstance(rule, PooledRule):
            found = rule.contributions(X, top, self._decided, self._origin)
        else:
            found = contributions(rule, X, top, self._decided, self._origin)
        shares = self._spread(found.class_shares, 0.0)
        return replace(found, class_shares=shares, labels=self.classes_)

    def columns(self, X: ArrayLike, n_orders: int = 128) -> Columns:
        """Tell which columns decide each row: the margin as an exact sum over the columns.

        Parameters
        ----------
        X : array-like of shape (m, p)
            Rows.
        n_orders : int, default=128
            Orders of the columns to draw where there are too many to ask all sets of columns, an
            even number from 4. The standard errors fall with its root; the sum is exact anyway.

        Returns
        -------
        Columns
            Shapley values of the margin, with what no column adds.

        Raises
        ------
        ValueError
            If the classifier decides by a kernel on the sphere or by none, there is one class only,
            or `n_orders` is no even number from 4.
        """
        check_is_fitted(self)
        return explain_columns(self, X, n_orders)

    def support(self, X: ArrayLike) -> Support:
        """Tell what there is to decide each row by: how many examples, and how near.

        Parameters
        ----------
        X : array-like of shape (m, p)
            Rows.

        Returns
        -------
        Support
            Effective numbers of examples, distances to the nearest, and which rows are outlying.

        Raises
        ------
        ValueError
            In a regime whose decision is no sum over examples with weights of their own.
        """
        check_is_fitted(self)
        return explain_support(self, X)

    def findings(self) -> Findings:
        """Tell what is odd about the examples: labels, copies, leaks, idle columns, rare classes.

        Returns
        -------
        Findings
            In plain words, with the ids of the examples and the names of the columns.
        """
        check_is_fitted(self)
        return find(self)

    def report(self) -> ModelCard:
        """Write a model card: what this is, how good it is, where it is weak, on what data.

        Returns
        -------
        ModelCard
            To be printed, or set as a page or in Markdown.
        """
        check_is_fitted(self)
        return make_card(self)

    def flip(self, X: ArrayLike, max_removed: int | None = None) -> Flip:
        """Find for each row the smallest set of examples without which it is decided otherwise.

        What `fit` chose or computed stays as it is: exponent, lift, and the weights that
        `class_weight` and `priors` give to examples. A new fit without the set gives the same
        decision as far as it comes to the same settings.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.
        max_removed : int, optional
            Look for sets of up to so many examples; no bound if not given.

        Returns
        -------
        Flip
            The sets, heaviest example first. Of a pool it is the shortest beginning of the order of
            the shares that was found to flip the decision, each tried by solving anew; a smaller
            set of others may exist. Otherwise no smaller set flips the decision. Of sets of the
            same size the one with the heaviest examples is given, equal ones by the larger sample
            weight, then by the lower index; where a negative kernel makes it depend on the rival
            which examples weigh, the set for the rival that comes first in ``classes_``.

        Raises
        ------
        ValueError
            In a regime whose decision is no sum over examples with weights of their own, or if
            `max_removed` is no number of examples.

        Examples
        --------
        >>> import deeplimit as dl
        >>> clf = dl.DeepLimitClassifier(exponent=2.0).fit([[0.0], [1.0], [3.0]], [0, 1, 1])
        >>> print(clf.flip([[2.0]]))
        row 0: 1, 0 without 2 examples: 1, 2
        >>> print(clf.flip([[2.0]], max_removed=1))
        row 0: 1, to flip it takes more than 1 example
        """
        rows = self._queries(X)
        rule = self._rule
        search = pooled_flips if isinstance(rule, PooledRule) else flips
        found = search(rule, rows, max_removed, self._decided, self._origin)
        return replace(found, queries=self._asked(X, rows))

    def _asked(self, X: ArrayLike, rows: Floats) -> Any:
        """Give what can be asked again: checked rows, unless they have been encoded."""
        return rows

    def predict_without(self, X: ArrayLike, ids: ArrayLike) -> NDArray[Any]:
        """Predict as if some examples had not been there, all settings staying as they are.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.
        ids : array-like of int, shape (k,)
            Examples to leave out, as ``ids_`` lists them.

        Returns
        -------
        ndarray of shape (m,)
            Classes. A class that lost all its examples is never among them.

        Raises
        ------
        ValueError
            If an example is none of those kept, none would remain, or the regime's decision is no
            sum over examples with weights of their own.

        Examples
        --------
        >>> import deeplimit as dl
        >>> clf = dl.DeepLimitClassifier(exponent=2.0).fit([[0.0], [1.0], [3.0]], [0, 1, 1])
        >>> clf.predict([[2.0]]), clf.predict_without([[2.0]], [1, 2])
        (array([1]), array([0]))
        """
        X = self._queries(X)
        wanted = np.atleast_1d(np.asarray(ids))
        if wanted.ndim != 1 or not (wanted.size == 0 or np.issubdtype(wanted.dtype, np.integer)):
            raise ValueError(f"ids are a list of integers; got {ids!r}.")
        unknown = np.setdiff1d(wanted, self._origin)
        if unknown.size:
            raise ValueError(f"there is no example {unknown[0]}: ids_ lists those there are.")
        out = np.searchsorted(self._origin, wanted.astype(np.int64))
        rule = self._rule
        if isinstance(rule, PooledRule):
            winners = rule.without(out).winners(X)
        else:
            winners = winners_without(rule, X, out)
        return np.asarray(self._decided[winners])

    def leave_one_out(self, progress: Callable[[int, int], None] | None = None) -> LeftOut:
        """Decide each example as if it were not there, all settings staying as they are.

        Duplicates of the example do speak. The figures are those of fitting the model without each
        example in turn, with the same exponent, lift and weights of classes, in one pass.

        Parameters
        ----------
        progress : callable, optional
            Called with the number of examples left out so far and the number there are, every
            16,384 examples; by a pool, which left them out when it was fitted, once.

        Returns
        -------
        LeftOut
            Probabilities, predictions, accuracy and log-loss.

        Raises
        ------
        ValueError
            In a regime whose decision is no sum over examples with weights of their own, or if
            there is one example only.
        TypeError
            If `progress` is no callable.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from sklearn.datasets import load_iris
        >>> found = dl.DeepLimitClassifier(exponent=4.0).fit(*load_iris(return_X_y=True))
        >>> found.leave_one_out().accuracy > 0.9
        True
        """
        check_is_fitted(self)
        check_progress(progress)
        rule = self._rule
        if isinstance(rule, PooledRule):
            found = rule.left_out(self._sample_weight, self._decided, self._origin)
            if progress is not None:
                progress(found.ids.size, found.ids.size)
        else:
            found = left_out(rule, self._sample_weight, self._decided, self._origin, progress)
        return replace(found, probabilities=self._spread(found.probabilities, 0.0))

    def predict_proba_bounds(
        self,
        X: ArrayLike,
        tolerance: float = 0.01,
        budget: float | None = None,
        *,
        shared: bool = False,
    ) -> BoundedProportions:
        """Bound the probabilities of `predict_proba`, at less than the cost of all pairs.

        The first call clusters the examples, in some 10 microseconds each, and the first of all
        compiles the search, which takes some seconds once.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.
        tolerance : float, default=0.01
            Width of the intervals to stop at, nonnegative.
        budget : float, optional
            Most examples to visit for each row, as a part of all, up to 1; no bound if not given.
        shared : bool, default=False
            Whether the budget is the mean over the rows, which share it: most of it goes where two
            classes are closest, so that fewer classes differ from those of `predict`. What is found
            of a row then depends on the others it is asked with.

        Returns
        -------
        BoundedProportions
            ``lower``, ``estimate`` and ``upper`` of shape (m, n_classes), the exact probabilities
            of double precision lying between; ``reached``, whether the intervals of a row are as
            narrow as was asked for; ``visited``, how much was computed for it. A class without
            examples has 0. An interval is [0, 1] where examples lie too near to tell whether they
            coincide with the row.

        Raises
        ------
        ImportError
            If numba (the extra "fast") is absent.
        ValueError
            If the kernel is that of a network, not a pure power, the tolerance or the budget is
            out of range, a budget is to be shared that is not given, or weights differ by more
            than a factor 2^600.

        See Also
        --------
        deeplimit.engines.bound_proportions : The method.

        Examples
        --------
        >>> import deeplimit as dl
        >>> clf = dl.DeepLimitClassifier(exponent=1.0).fit([[0.0], [1.0], [3.0]], [0, 1, 1])
        >>> found = clf.predict_proba_bounds([[2.0]])
        >>> found.lower.round(6).tolist(), found.upper.round(6).tolist(), found.reached.tolist()
        ([[0.2, 0.8]], [[0.2, 0.8]], [True])
        """
        check_bounds(tolerance, budget)
        X = self._queries(X)
        search = search_of(self, wanted=True)
        if search is None:
            raise ValueError(
                "bounds are known for the pure singular kernel alone: take speed='paper', or "
                "predict_proba."
            )
        found = search.proportions(X, tolerance=tolerance, budget=budget, shared=shared)
        lower, estimate, upper = (self._spread(part, 0.0) for part in found[:3])
        return found._replace(lower=lower, estimate=estimate, upper=upper)

    def _winners(self, X: Floats) -> NDArray[np.int64]:
        winners: NDArray[np.int64] = self._rule.winners(X)
        return winners

    @property
    def _decided(self) -> NDArray[Any]:
        """Classes that have examples, among which the rule decides."""
        return np.asarray(self.classes_[self._present])
