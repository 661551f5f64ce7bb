"""Classifiers that take tables as they come: coded rows, and a pool of smoothers or a pure rule."""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import copy, deepcopy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from deeplimit.estimators.attribution import ExplainedClassifier
from deeplimit.estimators.base import Floats
from deeplimit.estimators.pooled import PooledRule
from deeplimit.estimators.table_model import PLANS, TableModel, canonical_rows, fit_table
from deeplimit.estimators.weighting import check_weights
from deeplimit.examples.fingerprint import multiset_hash
from deeplimit.smoothers import Pool
from deeplimit.tables.coding import TableCoder
from deeplimit.tables.columns import as_frame
from deeplimit.tables.encoding import TableEncoder
from deeplimit.tables.guesses import may_be_guessed_anew

__all__ = ["TableClassifier"]


class TableClassifier(ExplainedClassifier):
    """Base of a classifier of raw tables: pooled smoothers, or a pure rule on encoded rows.

    Examples are kept as coded rows, which depend on no other row; what needs statistics is made
    of the rows that are there. A pure rule has its rows as they are if all are numbers, and encoded
    as by the first fit otherwise.

    Subclasses say which by `_speed`, and define what a pure rule does by `_learn_pure`,
    `_follow_pure` and `_make_pure_rule`.
    """

    random_state: Any = 0
    time_limit: Any = None
    verbose: Any = False
    exponent_: float | None
    _coder: TableCoder
    # Examples that the fit was offered, and those of them that have a weight; unknown of a model
    # that was saved before this was kept.
    _first: tuple[int, int] = (0, 0)

    _beside = ExplainedClassifier._beside | {"verbose"}

    def _speed(self) -> str:
        raise NotImplementedError

    def _learn_pure(self) -> None:
        raise NotImplementedError

    def _follow_pure(self) -> None:
        raise NotImplementedError

    def _make_pure_rule(self) -> Any:
        raise NotImplementedError

    @property
    def _pooled(self) -> bool:
        return self.speed_ in PLANS

    def _checked(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, *, reset: bool
    ) -> tuple[Floats, NDArray[Any], Floats]:
        # What is already there is not to be changed by what turns out not to suit.
        coder = TableCoder() if reset else deepcopy(self._coder)
        if reset:
            self.speed_ = self._speed()
        rows = self._coded(coder, X, reset=reset, grow=True)
        # Of a copy, from which this takes the names of the columns.
        labels = np.asarray(validate_data(copy(self), X="no_validation", y=y))
        check_consistent_length(rows, labels)
        check_classification_targets(labels)
        others, most = None if reset else self._examples.weights, 1e304
        if self._pooled:
            most = 1e150  # a pool squares sums of weights
        weight = check_weights(sample_weight, rows, others, most)
        self._coder = coder
        if reset:
            self._first = len(rows), int(np.count_nonzero(weight))
            self._encoder: TableEncoder | None = None
            plain = set(coder.kinds_) <= {"numeric", "boolean"} and not np.isnan(rows).any()
            if not self._pooled and not plain:
                present = weight > 0.0
                self._encoder = TableEncoder().fit_codes(
                    rows[present], coder, weight=weight[present]
                )
        return self._placed(rows), labels, weight

    def _coded(
        self, coder: TableCoder, X: ArrayLike, *, reset: bool = False, grow: bool = False
    ) -> Floats:
        """Give coded rows; what does not fit is told in the name of this model, not the coder's."""
        if reset:
            return np.asarray(coder._fit(X, self))
        return np.asarray(coder._codes(coder._table(X, self), grow=grow))

    def _placed(self, rows: Floats) -> Floats:
        """Give the rows that examples are kept as, and asked by."""
        if self._pooled:
            return rows
        if self._encoder is not None:
            return np.asarray(self._encoder.transform_codes(rows))
        if np.isnan(rows).any():
            raise ValueError(
                "Input contains NaN, which a pure rule fitted without has no place for; fit "
                "examples with missing cells too, or take speed='instant'."
            )
        return rows

    def _asked(self, X: ArrayLike, rows: Floats) -> Any:
        frame = as_frame(X)
        if frame is not None:
            return frame
        plain = self._encoder is None and not self._coder.has_levels
        return rows if plain else np.asarray(X)

    def _queries(self, X: ArrayLike) -> Floats:
        check_is_fitted(self)
        return self._placed(self._coded(self._coder, X))

    def _learn(self) -> None:
        self._kept, self._chosen = (), None
        # One place for a pool, filled when it is asked for: no attribute changes by a prediction.
        self._models: list[TableModel] = []
        if not self._pooled:
            self._learn_pure()
            return
        self.exponent_ = None
        self._forget_levels()
        self._prepare()

    @property
    def pool_(self) -> Pool:
        """What decides, with ``speed="instant"`` or ``"full"``: smoothers and their weights."""
        if not self._pooled:
            raise AttributeError(f"there is no pool with speed={self.speed_!r}, a pure rule.")
        return self._model.pool

    def _follow(self) -> None:
        self._models = []
        if self._pooled:
            self._forget_levels()
        else:
            self._follow_pure()

    def _forget_levels(self) -> None:
        """Let the names of categories go with the last example that had them."""
        if self._coder.has_levels:
            self._coder = deepcopy(self._coder).forget_levels(self._X)

    def _make_rule(self) -> Any:
        if not self._pooled:
            return self._make_pure_rule()
        weighting = self._once("weighting", self._make_weighting)
        factors = weighting.factors(self._index, self._sample_weight)
        return PooledRule(self._model, self._mass, factors, self.n_jobs)

    @property
    def _model(self) -> TableModel:
        if not self._models:
            self._models.append(
                fit_table(
                    self._X,
                    self._coder,
                    self._index,
                    self._sample_weight,
                    self._n_present,
                    PLANS[self.speed_],
                    seed=int(self.random_state),
                    n_jobs=self.n_jobs,
                    time_limit=self._seconds(),
                    progress=self._progress(),
                )
            )
        return self._models[0]

    def _seconds(self) -> float | None:
        limit = self.time_limit
        if limit is None:
            return None
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit > 0:
            raise ValueError(f"time_limit is a positive number of seconds, got {limit!r}.")
        return float(limit)

    def _progress(self) -> Callable[[str], None] | None:
        if not self.verbose:
            return None
        return lambda words: print(f"deeplimit: {words}", file=sys.stderr)

    def _scores(self, X: Floats) -> tuple[NDArray[np.int64], Floats]:
        winner, scores = self._rule.scores(X)
        return winner, scores

    def _kept_so_far(self) -> tuple[str, ...]:
        kept = super()._kept_so_far()
        offered, present = self._first
        ids = self._examples.live_ids
        if ids.size == present and ids[-1] < offered:
            return kept  # the rows are those of the fit: labels have no part in their coding
        coder = self._coder
        if self._encoder is not None:
            kept += ("encoding",)
        elif may_be_guessed_anew(
            self._X, coder.kinds_, coder.levels_, getattr(coder, "guessed_", ())
        ):
            kept += ("kinds",)
        return kept

    def _certified(self) -> dict[str, Any]:
        settings = {name: value for name, value in self._settings.items() if name != "speed"}
        if not self._pooled:
            # A pure rule draws nothing and is never cut short.
            for name in ("random_state", "time_limit"):
                settings.pop(name, None)
        known = [levels for levels in self._coder.levels_ if levels is not None]
        # Those there are: the others are forgotten.
        names = [
            sorted(level for level in levels if level is not None)
            for levels in known
            if self._pooled
        ]
        return settings | {"speed": self.speed_, "kinds": list(self._coder.kinds_), "levels": names}

    def _total(self) -> int:
        if not self._pooled or not self._coder.has_levels:
            return super()._total()
        snapshot = self._examples.snapshot()
        rows = canonical_rows(snapshot.rows, self._coder)
        return multiset_hash(rows, *snapshot[1:3], self._examples.classes)
