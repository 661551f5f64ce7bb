"""What a lift is: a map of rows onto the unit sphere with gaps that keep relative accuracy.

A kernel of an infinitely deep network is a function of the gap s = 1 - ξ = ‖x - z‖²/2 of two
points of the unit sphere. A lift puts data there, its parameters frozen once it is fitted. The gap
of two lifted rows is computed from the difference of the *original* rows: differences of lifted
coordinates carry the rounding of the coordinates, which is a relative 1e-8 of the gap when two
rows agree to 1e-8, and all of it when they agree to 1e-16.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.persist.state import State
from deeplimit.sums.scaling import float_rows

__all__ = ["Lift", "Rows", "refuse_parameters"]

Rows = NDArray[np.float64]

# The gap of two distinct rows is never below the smallest normal number: 0 means coincidence.
SMALLEST_GAP = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class Lift(ABC):
    """A map of rows onto the unit sphere and the gap of two mapped rows.

    Parameters
    ----------
    n_features : int
        Number of columns of the rows.

    Attributes
    ----------
    kind : str
        Name by which `fit_lift` makes the lift.
    on_sphere : bool
        True if the images are of unit norm, so that gaps are at most 2.
    exact : bool
        True if `transform` rounds nothing, so that differences of images are as good as `gap`.
    separates : bool
        True if distinct rows have distinct images, so that a gap of 0 means equal rows.

    Examples
    --------
    >>> from deeplimit.sums import Lift, fit_lift
    >>> lift = fit_lift([[0.0, 1.0], [2.0, 1.0]])
    >>> isinstance(lift, Lift), lift.kind, lift.on_sphere, lift.exact
    (True, 'hemisphere', True, False)
    """

    n_features: int
    kind: ClassVar[str]
    on_sphere: ClassVar[bool] = True
    exact: ClassVar[bool] = False
    separates: ClassVar[bool] = True

    @classmethod
    def fit(cls, X: ArrayLike, centre: ArrayLike | None = None, scale: float | None = None) -> Self:
        """Take the parameters from rows, or as given.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Finite rows, at least one.
        centre : float or array-like of shape (d,), optional
            Centre, for a lift that has one.
        scale : float, optional
            Scale, for a lift that has one.

        Returns
        -------
        Lift
            The fitted lift, frozen.

        Raises
        ------
        ValueError
            If `X` is no such matrix or holds a row without image, or a parameter does not suit.

        Examples
        --------
        >>> from deeplimit.sums import HemisphereLift
        >>> HemisphereLift.fit([[0.0], [2.0]], scale=3)
        HemisphereLift(n_features=1, centre=array([1.]), scale=3.0)
        """
        rows = float_rows(X)
        if rows.ndim != 2 or 0 in rows.shape:
            raise ValueError(
                f"a matrix of at least one row and one column is expected, {rows.shape} was got"
            )
        return cls._fit(rows, centre, scale)

    @classmethod
    @abstractmethod
    def _fit(cls, X: Rows, centre: ArrayLike | None, scale: float | None) -> Self: ...

    def transform(self, X: ArrayLike) -> Rows:
        """Give the images of rows.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Finite rows.

        Returns
        -------
        ndarray of shape (n, D)
            Their images, rounded to float64.

        Raises
        ------
        ValueError
            If the number of columns is another than at the fit, or a row has no image.

        Examples
        --------
        >>> from deeplimit.sums import fit_lift
        >>> fit_lift([[0.0], [2.0]]).transform([[1.0]])
        array([[0., 1.]])
        """
        return self._transform(self._checked(X))

    @abstractmethod
    def _transform(self, X: Rows) -> Rows: ...

    def gap(self, X: ArrayLike, Z: ArrayLike) -> Rows:
        """Give half the squared distances of images, from differences of the rows themselves.

        The relative error is a few roundings however near the rows are (for "hemisphere" it also
        grows with their distance to the centre, in units of the scale).

        Parameters
        ----------
        X, Z : array-like of shape (..., d)
            Finite rows, broadcast against each other.

        Returns
        -------
        ndarray of shape (...)
            The gaps: 0 where the rows are equal, and only there (but see `NormalizeLift`).

        Raises
        ------
        ValueError
            If the number of columns is another than at the fit, or a row has no image.

        Examples
        --------
        >>> from deeplimit.sums import fit_lift
        >>> fit_lift([[0.0], [2.0]]).gap([1.0], [[1.0], [2.0]]).round(4).tolist()
        [0.0, 0.2929]
        """
        x, z = self._checked(X), self._checked(Z)
        gap = self._gap(x, z)
        suspect = gap < SMALLEST_GAP
        if not self.separates or not suspect.any():
            return gap
        equal = np.all(x == z, axis=-1)
        return np.where(suspect, np.where(equal, 0.0, SMALLEST_GAP), gap)

    @abstractmethod
    def _gap(self, X: Rows, Z: Rows) -> Rows: ...

    def to_dict(self) -> dict[str, Any]:
        """Give the frozen parameters as numbers, strings and lists, which JSON keeps exactly.

        Returns
        -------
        dict
            What `lift_from_dict` takes.

        Examples
        --------
        >>> from deeplimit.sums import fit_lift
        >>> fit_lift([[0.0], [2.0]]).to_dict()
        {'kind': 'hemisphere', 'n_features': 1, 'centre': [1.0], 'scale': 1.0}
        """
        return {"kind": self.kind, "n_features": self.n_features, **self._parameters()}

    def _to_state(self) -> State:
        return State(type(self).__name__, self.to_dict())

    @classmethod
    def _from_state(cls, state: State) -> Lift:
        from deeplimit.sums.sphere import lift_from_dict  # which knows the kinds

        return lift_from_dict(state.meta)

    def _parameters(self) -> dict[str, Any]:
        return {}

    def _checked(self, X: ArrayLike) -> Rows:
        rows = float_rows(X)
        if rows.ndim == 0 or rows.shape[-1] != self.n_features:
            raise ValueError(
                f"rows of {self.n_features} columns are expected, the shape {rows.shape} was got"
            )
        return rows


def refuse_parameters(kind: str, centre: ArrayLike | None, scale: float | None) -> None:
    """Raise for a lift without parameters that is given one.

    Parameters
    ----------
    kind : str
        Name of the lift.
    centre, scale : object
        What was given.

    Raises
    ------
    ValueError
        If any of the two is not None.
    """
    if centre is not None or scale is not None:
        raise ValueError(f'the lift "{kind}" has no centre and no scale: leave them out')
