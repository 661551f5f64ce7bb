"""The data of the demonstration: real, and bundled with scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

__all__ = ["DataSet", "load"]

_LOADERS: Mapping[str, Callable[[], Any]] = {
    "breast cancer": load_breast_cancer,
    "digits": load_digits,
    "iris": load_iris,
    "wine": load_wine,
}


@dataclass(frozen=True, eq=False)
class DataSet:
    """Rows with classes.

    Attributes
    ----------
    name : str
    X : ndarray of shape (n, d)
    y : ndarray of str, shape (n,)
        Names of the classes.
    shape : tuple of int or None
        Of the picture that a row is, if it is one.
    """

    name: str
    X: NDArray[np.float64]
    y: NDArray[np.str_]
    shape: tuple[int, int] | None


def load(name: str) -> DataSet:
    """Load a data set by name.

    Parameters
    ----------
    name : str
        "breast cancer", "digits", "iris" or "wine".

    Returns
    -------
    DataSet

    Raises
    ------
    ValueError
        If there is no such data set.
    """
    if name not in _LOADERS:
        raise ValueError(f"no data set is called {name!r}; there are {', '.join(_LOADERS)}.")
    bunch = _LOADERS[name]()
    names = np.asarray([str(label) for label in bunch.target_names])
    shape = (8, 8) if name == "digits" else None
    return DataSet(name, np.asarray(bunch.data, dtype=np.float64), names[bunch.target], shape)
