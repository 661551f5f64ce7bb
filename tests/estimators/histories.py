"""Random histories of a classifier's examples, and what a fit of the rest must equal."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

#: Few values, so that rows coincide, tie and stand apart by their sign of zero; none of norm 1,
#: which would be taken as they lie.
VALUES = np.array([0.0, -0.0, 1.5, 2.0, -1.5, 0.5])
LABELS = np.array(["a", "b", "c", "dd"])
QUERIES = np.array([[0.0, 0.0], [1.0, 2.0], [0.4, 0.1], [-3.0, 0.7], [0.5, 0.5]])


def batch(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    """Draw rows, labels and weights."""
    weight = rng.choice([0.0, 0.5, 1.0, 3.0], n)
    weight[rng.integers(n)] = 1.0  # weights that are all zero are refused
    return rng.choice(VALUES, (n, 2)), rng.choice(LABELS, n), weight


class History:
    """A classifier that changes, and beside it the examples it should hold."""

    def __init__(self, estimator: Any, rng: np.random.Generator) -> None:
        self.rng = rng
        X, y, w = batch(rng, int(rng.integers(1, 6)))
        self.model = clone(estimator).fit(X, y, w)
        self.rows, self.labels, self.weights = X, y, w
        self.ids = np.flatnonzero(w > 0.0)

    def step(self) -> None:
        """Add, forget or relabel; now and then ask in between."""
        kind = self.rng.integers(4)
        if kind == 0:
            X, y, w = batch(self.rng, int(self.rng.integers(1, 4)))
            self.model.partial_fit(X, y, sample_weight=w)
            self.ids = np.append(self.ids, len(self.rows) + np.flatnonzero(w > 0.0))
            self.rows = np.concatenate([self.rows, X])
            self.labels = np.append(self.labels, y)
            self.weights = np.append(self.weights, w)
        elif kind == 1:
            gone = self._some(len(self.ids) - 1)
            self.model.forget(gone)
            self.ids = np.setdiff1d(self.ids, gone)
        elif kind == 2:
            changed = self._some(len(self.ids))
            labels = self.rng.choice(LABELS, changed.size)
            self.model.relabel(changed, labels)
            self.labels[changed] = labels
        elif self.rng.integers(2):
            self.model.certificate()
        else:
            self.model.predict(QUERIES)

    def _some(self, most: int) -> Any:
        size = min(int(self.rng.integers(0, 4)), most)
        return self.rng.permutation(self.ids)[:size]

    def refit(self) -> Any:
        """Fit what remains."""
        at = self.ids
        again = clone(self.model)
        certificate = self.model.certificate()
        if certificate.kept:
            again.set_params(exponent=certificate.exponent)
        return again.fit(self.rows[at], self.labels[at], self.weights[at])

    def differences(self) -> list[str]:
        """Name what differs, in a single bit, from a fit of what remains."""
        model, again = self.model, self.refit()
        pairs = {
            "classes": (model.classes_, again.classes_),
            "rows": (model._X, again._X),
            "codes": (model._index, again._index),
            "weights": (model._sample_weight, again._sample_weight),
            "weights with those of classes": (model._weight, again._weight),
            "masses": (model.class_mass_, again.class_mass_),
            "probabilities": (model.predict_proba(QUERIES), again.predict_proba(QUERIES)),
            "predictions": (model.predict(QUERIES), again.predict(QUERIES)),
            "ids": (model.ids_, self.ids),
        }
        found = [
            name
            for name, (mine, theirs) in pairs.items()
            if mine.dtype != theirs.dtype or mine.tobytes() != theirs.tobytes()
        ]
        if model.lift_.to_dict() != again.lift_.to_dict():
            found.append("lift")
        if getattr(model, "kernel_", None) is not None:
            s = np.array([0.0, 1e-9, 0.3, 1.0])
            mine, theirs = model.kernel_.log_at_gap(s), again.kernel_.log_at_gap(s)
            if mine.tobytes() != theirs.tobytes():
                found.append("kernel")
        if model.certificate().fingerprint != again.certificate().fingerprint:
            found.append("fingerprint")
        return found
