"""The lifts by name, and those that leave rows as they lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.sums.lift import Lift, Rows, refuse_parameters
from deeplimit.sums.projective import (
    CentredLift,
    HemisphereLift,
    NormalizeLift,
    StereographicLift,
)
from deeplimit.sums.scaling import exponents, float_rows

__all__ = [
    "EuclideanLift",
    "HemisphereLift",
    "Lift",
    "NormalizeLift",
    "StereographicLift",
    "UnitLift",
    "fit_lift",
    "lift_from_dict",
]

UNIT_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class UnitLift(Lift):
    """Take rows of unit norm as they lie on the sphere.

    Nothing is renormalised: a norm may be off by the rounding of float32, up to 1e-6, and the gap
    is |x - z|²/2 of the rows as they are, at most 2. So equal rows have gap 0 and distinct ones
    have not, and the gaps of rows normalised in float64 are exact to rounding.

    Parameters
    ----------
    n_features : int
        Number d of columns; the sphere has dimension d - 1.

    Examples
    --------
    >>> import numpy as np
    >>> lift = UnitLift.fit(np.array([[0.6, 0.8], [1.0, 0.0]]))
    >>> lift.gap([0.6, 0.8], [[1.0, 0.0], [0.6, 0.8]]).round(15).tolist()
    [0.4, 0.0]
    >>> lift.transform([[0.0, 2.0]])
    Traceback (most recent call last):
        ...
    ValueError: row 0 has norm 2, but unit norm is expected: ...
    """

    kind = "none"
    exact = True

    @classmethod
    def _fit(cls, X: Rows, centre: ArrayLike | None, scale: float | None) -> Self:
        refuse_parameters(cls.kind, centre, scale)
        lift = cls(n_features=X.shape[1])
        lift.transform(X)
        return lift

    def _transform(self, X: Rows) -> Rows:
        off = np.flatnonzero(~_unit(X))
        if off.size:
            row = X.reshape(-1, self.n_features)[off[0]]
            norm = np.linalg.norm(np.clip(row, -1e150, 1e150))
            raise ValueError(
                f"row {off[0]} has norm {norm:.6g}, but unit norm is expected: normalise the "
                'rows, or lift examples and queries with "hemisphere"'
            )
        return X

    def _gap(self, X: Rows, Z: Rows) -> Rows:
        difference = X - Z
        return np.asarray(np.minimum(np.sum(difference * difference, axis=-1) / 2.0, 2.0))


@dataclass(frozen=True, eq=False)
class EuclideanLift(Lift):
    """Leave rows in R^d, for the pure singular kernel |x - z|^(-α): gaps are |x - z|²/2.

    Parameters
    ----------
    n_features : int
        Number d of columns.
    exponent : int
        Gaps are measured in units of 4^exponent. Fitting gives 0 unless the data are so large or
        so small that squares would not do. A query farther out than 2^500 units is moved in.

    Examples
    --------
    >>> import numpy as np
    >>> EuclideanLift.fit(np.array([[0.0, 0.0]])).gap([0.0, 0.0], [3.0, 4.0]).item()
    12.5
    """

    kind = "euclidean"
    on_sphere = False
    exact = True
    exponent: int = 0

    @classmethod
    def _fit(cls, X: Rows, centre: ArrayLike | None, scale: float | None) -> Self:
        refuse_parameters(cls.kind, centre, scale)
        exponent = int(exponents(X.reshape(1, -1))[0, 0]) if X.any() else 0
        return cls(n_features=X.shape[1], exponent=0 if -300 < exponent < 300 else exponent)

    def _parameters(self) -> dict[str, Any]:
        return {"exponent": self.exponent}

    def _transform(self, X: Rows) -> Rows:
        with np.errstate(over="ignore"):
            # Scaling takes five times as long as clipping, and is hardly ever needed.
            scaled = np.ldexp(X, -self.exponent) if self.exponent else X
            return np.clip(scaled, -(2.0**500), 2.0**500)

    def _gap(self, X: Rows, Z: Rows) -> Rows:
        difference = self._transform(X) - self._transform(Z)
        return np.asarray(np.sum(difference * difference, axis=-1) / 2.0)


def _unit(X: Rows) -> NDArray[np.bool_]:
    norm2 = np.sum(np.clip(X, -2.0, 2.0) ** 2, axis=-1)
    return np.asarray(np.abs(norm2 - 1.0) <= 2.0 * UNIT_TOLERANCE)


_LIFTS: dict[str, type[Lift]] = {
    cls.kind: cls
    for cls in (HemisphereLift, StereographicLift, NormalizeLift, UnitLift, EuclideanLift)
}


def fit_lift(
    X: ArrayLike,
    kind: str = "auto",
    *,
    centre: ArrayLike | None = None,
    scale: float | None = None,
) -> Lift:
    """Fit a lift of data onto the unit sphere.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Finite rows, at least one.
    kind : {"auto", "hemisphere", "stereographic", "normalize", "none", "euclidean"}, \
default="auto"
        Which map. "auto" takes rows as they lie ("none") if there are two or more columns, all rows
        are of unit norm to 1e-6 and no centre or scale is given; it lifts them to the hemisphere
        otherwise.
    centre : float or array-like of shape (d,), optional
        Centre of "hemisphere" and "stereographic"; the mean row if not given.
    scale : float, optional
        Scale of the two; the root mean squared distance to the mean row if not given, 1 if all
        rows are equal.

    Returns
    -------
    Lift
        The fitted lift, frozen.

    Raises
    ------
    ValueError
        If `kind` is none of the names, if `X` is no matrix of at least one row and column, if the
        lift takes no centre or scale but one is given, or if a row has no image: a zero row under
        "normalize", a row not of unit norm under "none".

    References
    ----------
    .. [1] A. Radhakrishnan, M. Belkin, C. Uhler, "Wide and Deep Neural Networks Achieve Optimality
       for Classification", arXiv:2204.14126.

    Examples
    --------
    >>> fit_lift([[0.0, 1.0], [2.0, 1.0]])
    HemisphereLift(n_features=2, centre=array([1., 1.]), scale=1.0)
    >>> fit_lift([[0.0, 1.0], [0.6, 0.8]])
    UnitLift(n_features=2)
    """
    if kind == "auto":
        rows = float_rows(X)
        as_they_lie = rows.ndim == 2 and rows.shape[1] > 1 and bool(_unit(rows).all())
        kind = "none" if as_they_lie and centre is None and scale is None else "hemisphere"
    if kind not in _LIFTS:
        raise ValueError(f"no lift is named {kind!r}: choose one of auto, {', '.join(_LIFTS)}")
    return _LIFTS[kind].fit(X, centre, scale)


def lift_from_dict(state: Mapping[str, Any]) -> Lift:
    """Make the lift that `Lift.to_dict` described.

    Parameters
    ----------
    state : mapping
        What `Lift.to_dict` gave, also after a way through JSON.

    Returns
    -------
    Lift
        An equal lift, bit for bit.

    Raises
    ------
    ValueError
        If the description is none of a lift.

    Examples
    --------
    >>> lift = fit_lift([[0.0, 1.0], [2.0, 1.0]])
    >>> lift_from_dict(lift.to_dict())
    HemisphereLift(n_features=2, centre=array([1., 1.]), scale=1.0)
    """
    kind, n_features = state.get("kind"), state.get("n_features")
    if kind not in _LIFTS or not isinstance(n_features, int) or n_features < 1:
        raise ValueError(f"no lift has kind {kind!r} and {n_features!r} columns")
    cls = _LIFTS[kind]
    blank = np.zeros((1, n_features))
    if issubclass(cls, NormalizeLift):
        return cls.fit(blank + 1.0)
    if issubclass(cls, CentredLift):
        if not {"centre", "scale"} <= state.keys():
            raise ValueError(f'the lift "{kind}" is described without its centre and scale')
        return cls.fit(blank, state["centre"], state["scale"])
    if issubclass(cls, EuclideanLift):
        return cls(n_features=n_features, exponent=int(state.get("exponent", 0)))
    return cls(n_features=n_features)
