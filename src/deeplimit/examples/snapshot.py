"""The live examples of a set at one time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Snapshot"]


class Snapshot(NamedTuple):
    """The live examples in the order of their ids.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        Rows.
    codes : ndarray of int64, shape (n,)
        Class of each, a place in `ExampleSet.classes`.
    weights : ndarray of shape (n,)
        Positive weights.
    ids : ndarray of int64, shape (n,)
        Ids, ascending.

    Examples
    --------
    >>> from deeplimit.examples import ExampleSet
    >>> kept = ExampleSet(1)
    >>> _ = kept.add([[5.0], [6.0], [7.0]], ["a", "b", "a"], [1.0, 0.0, 2.0])
    >>> found = kept.snapshot()
    >>> found.rows.ravel().tolist(), found.codes.tolist(), found.ids.tolist()
    ([5.0, 7.0], [0, 0], [0, 2])
    """

    rows: NDArray[np.float64]
    codes: NDArray[np.int64]
    weights: NDArray[np.float64]
    ids: NDArray[np.int64]

    def check(self, n_features: int, n_classes: int, next_id: int) -> None:
        """Refuse what no history of changes leads to.

        Parameters
        ----------
        n_features, n_classes : int
            Numbers of columns and of classes.
        next_id : int
            The first id not given yet.

        Raises
        ------
        ValueError
            If the examples do not fit together.

        Examples
        --------
        >>> one = Snapshot(np.zeros((1, 2)), np.array([0]), np.ones(1), np.array([4]))
        >>> one.check(2, 1, 5)
        >>> one.check(2, 2, 5)
        Traceback (most recent call last):
            ...
        ValueError: its examples do not fit together
        """
        n = len(self.ids)
        sound = (
            self.rows.shape == (n, n_features)
            and self.codes.shape == self.weights.shape == self.ids.shape == (n,)
            and n > 0
            and bool(np.all(np.diff(self.ids) > 0))
            and 0 <= self.ids[0] <= self.ids[-1] < next_id
            and np.array_equal(np.unique(self.codes), np.arange(n_classes))
            and bool(np.all((self.weights > 0.0) & np.isfinite(self.weights)))
            # NaN is a cell that is missing.
            and not bool(np.any(np.isinf(self.rows)))
        )
        if not sound:
            raise ValueError("its examples do not fit together")
