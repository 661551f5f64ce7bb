"""Lifts that see a row x as the vector (x - c, r): hemisphere, stereographic, normalised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.sums.lift import Lift, Rows, refuse_parameters
from deeplimit.sums.scaling import centre_and_scale, exponents, safe_difference, total

__all__ = ["CentredLift", "HemisphereLift", "NormalizeLift", "StereographicLift"]


@dataclass(frozen=True, eq=False)
class _Frame:
    """Rows relative to a centre: the unit vector of (x - c, r) and the size P·2^E it had."""

    direction: Rows  # (x - c)/√(|x - c|² + r²)
    height: Rows  # r/√(|x - c|² + r²), of shape (..., 1)
    size: Rows
    exponent: NDArray[np.int32]
    row_exponent: NDArray[np.int32]  # of the rows themselves


@dataclass(frozen=True, eq=False)
class CentredLift(Lift):
    """What lifts with a centre c and a scale r share: all of them see a row as (x - c, r)."""

    centre: Rows = field(default_factory=lambda: np.zeros(1))
    scale: float = 1.0

    @classmethod
    def _fit(cls, X: Rows, centre: ArrayLike | None, scale: float | None) -> Self:
        mean, spread = centre_and_scale(X)
        chosen = mean if centre is None else np.asarray(centre, dtype=np.float64)
        radius = spread if scale is None else float(scale)
        d = X.shape[1]
        if chosen.shape not in ((), (d,)) or not np.all(np.isfinite(chosen)):
            raise ValueError(
                f"centre must be a finite number or {d} of them, the shape {chosen.shape} was got"
            )
        if not (np.isfinite(radius) and radius > 0):
            raise ValueError(f"scale must be a positive finite number, {radius!r} was got")
        frozen = np.broadcast_to(chosen, (d,)).copy()
        frozen.flags.writeable = False
        return cls(n_features=d, centre=frozen, scale=radius)

    def _parameters(self) -> dict[str, Any]:
        return {"centre": self.centre.tolist(), "scale": self.scale}

    def _frame(self, X: Rows) -> _Frame:
        row_exponent = exponents(X)
        offset, h = safe_difference(
            X, self.centre, np.maximum(row_exponent, exponents(self.centre))
        )
        radius = np.float64(self.scale)
        # Twice scaled: the offset may be far smaller than the row, or than the radius.
        exponent = np.maximum(exponents(offset) + h, exponents(np.array([radius])))
        offset = np.ldexp(offset, h - exponent)
        height = np.ldexp(radius, -exponent)
        size = np.sqrt(total(offset * offset) + height * height)
        self._refuse_zero(size)
        return _Frame(offset / size, height / size, size, exponent, row_exponent)

    def _refuse_zero(self, size: Rows) -> None:
        """Raise for rows that have no image; with a positive scale every row has one."""

    def _chord(self, X: Rows, Z: Rows) -> tuple[_Frame, _Frame, Rows, Rows, Rows]:
        """Give the frames, the difference over the larger size, and the smaller row's frame."""
        x, z = self._frame(X), self._frame(Z)
        difference, h = safe_difference(X, Z, np.maximum(x.row_exponent, z.row_exponent))
        x_smaller = x.exponent + np.log2(x.size) <= z.exponent + np.log2(z.size)
        exponent = np.where(x_smaller, z.exponent, x.exponent)
        difference = np.ldexp(difference, h - exponent) / np.where(x_smaller, z.size, x.size)
        direction = np.where(x_smaller, x.direction, z.direction)
        return x, z, difference, direction, np.where(x_smaller, x.height, z.height)

    def _wedge_gap(self, X: Rows, Z: Rows) -> Rows:
        """Give 1 - cos of the angle of (x - c, r) and (z - c, r).

        With U, V the two vectors and δ = x - z, |U∧V|² = r²|δ|² + |δ∧(x - c)|²: a sum of two
        squares, nothing cancels between them. The second is the part of δ perpendicular to x - c.
        """
        x, z, difference, base, height = self._chord(X, Z)
        base2 = total(base * base)
        along = total(difference * base) / np.where(base2 > 0, base2, 1.0)
        across = self._denoised(difference - along * base, difference)
        sine2 = height**2 * total(difference * difference) + base2 * total(across * across)
        cosine = total(x.direction * z.direction) + x.height * z.height
        gap = np.where(cosine > 0.5, sine2 / (1.0 + np.maximum(cosine, 0.5)), 1.0 - cosine)
        return np.asarray(np.minimum(gap, 2.0)[..., 0])

    def _denoised(self, across: Rows, difference: Rows) -> Rows:
        return across


@dataclass(frozen=True, eq=False)
class HemisphereLift(CentredLift):
    """Lift rows to the open upper hemisphere: x ↦ (u, 1)/√(1 + |u|²), u = (x - c)/r.

    No two images are antipodes, so that odd kernels stay consistent, and the image has the
    dimension d of the data, so that the consistent exponent is α = d.

    With the mean as the centre and the root mean squared distance to it as the scale, moving or
    scaling the data changes nothing: units do not matter, and the typical row sits at 45 degrees.
    Every other choice is consistent, too; a fixed one (``centre=0, scale=1``) does not depend on
    the data, so that adding and removing rows needs no new lift.

    Parameters
    ----------
    n_features : int
        Number d of columns.
    centre : ndarray of shape (d,)
        The row c that goes to the pole.
    scale : float
        The distance r from c that goes half way to the equator, at 45 degrees.

    Examples
    --------
    >>> import numpy as np
    >>> lift = HemisphereLift.fit(np.array([[0.0], [2.0]]))
    >>> lift.transform([[1.0], [2.0]]).round(4)
    array([[0.    , 1.    ],
           [0.7071, 0.7071]])
    >>> gap = lift.gap([2.0], [2.0 + 2**-40])  # (δ/(1 + u²))²/2 with δ = 2^-40, u = 1
    >>> round(float(gap) * 2**83, 10)
    1.0
    """

    kind = "hemisphere"

    def _transform(self, X: Rows) -> Rows:
        frame = self._frame(X)
        return np.concatenate([frame.direction, frame.height], axis=-1)

    def _gap(self, X: Rows, Z: Rows) -> Rows:
        return self._wedge_gap(X, Z)


@dataclass(frozen=True, eq=False)
class StereographicLift(CentredLift):
    """Lift rows to the sphere without its north pole: the inverse stereographic projection.

    x ↦ (2u, |u|² - 1)/(1 + |u|²), u = (x - c)/r. The gap is 2|u - v|²/((1 + |u|²)(1 + |v|²)). The
    image holds antipodes: with an odd activation the classifier is then not consistent.

    Parameters
    ----------
    n_features : int
        Number d of columns.
    centre : ndarray of shape (d,)
        The row c that goes to the south pole.
    scale : float
        The distance r from c that goes to the equator.

    Examples
    --------
    >>> import numpy as np
    >>> lift = StereographicLift.fit(np.array([[0.0], [2.0]]))
    >>> lift.transform([[1.0], [2.0]]).round(4)
    array([[ 0., -1.],
           [ 1.,  0.]])
    >>> lift.gap([1.0], [[1.0], [2.0]]).round(12)
    array([0., 1.])
    """

    kind = "stereographic"

    def _transform(self, X: Rows) -> Rows:
        frame = self._frame(X)
        last = total(frame.direction**2) - frame.height**2
        return np.concatenate([2.0 * frame.height * frame.direction, last], axis=-1)

    def _gap(self, X: Rows, Z: Rows) -> Rows:
        *_, difference, _, height = self._chord(X, Z)
        gap = np.minimum(2.0 * height**2 * total(difference * difference), 2.0)
        return np.asarray(gap[..., 0])


@dataclass(frozen=True, eq=False)
class NormalizeLift(CentredLift):
    """Divide each row by its norm: x ↦ x/|x|. The radius of the data is thrown away.

    Rows that are positive multiples of each other coincide: directions that differ by no more
    than the rounding of the rows have gap 0, an angle of some 1e-15. The gap of a pair at a small
    angle δ is known to a relative 1e-16 if the radii are near, else to 1e-16/δ.

    Parameters
    ----------
    n_features : int
        Number d of columns.
    centre : ndarray of shape (d,)
        Zero: directions are those from the origin.
    scale : float
        Zero, the height of a row over the origin: the hemisphere's lift with no upward part.

    Examples
    --------
    >>> import numpy as np
    >>> lift = NormalizeLift.fit(np.array([[3.0, 4.0]]))
    >>> lift.transform([[3.0, 4.0]])
    array([[0.6, 0.8]])
    >>> lift.gap([0.1, 0.2], [[0.3, 0.6], [-2.0, 1.0]]).tolist()
    [0.0, 1.0]
    """

    kind = "normalize"
    separates = False

    @classmethod
    def _fit(cls, X: Rows, centre: ArrayLike | None, scale: float | None) -> Self:
        refuse_parameters(cls.kind, centre, scale)
        lift = cls(n_features=X.shape[1], centre=np.zeros(X.shape[1]), scale=0.0)
        lift._frame(X)
        return lift

    def _parameters(self) -> dict[str, Any]:
        return {}

    def _transform(self, X: Rows) -> Rows:
        return self._frame(X).direction

    def _gap(self, X: Rows, Z: Rows) -> Rows:
        return self._wedge_gap(X, Z)

    def _refuse_zero(self, size: Rows) -> None:
        if not size.all():
            raise ValueError(
                f"{np.count_nonzero(size == 0)} rows are zero and have no direction to normalise: "
                'drop them or lift with "hemisphere"'
            )

    def _denoised(self, across: Rows, difference: Rows) -> Rows:
        # Both lengths are in units of the longer row, which is known to an ulp of it.
        length = np.sqrt(total(difference * difference))
        noise = (4.0 + np.sqrt(self.n_features) * length) * np.finfo(np.float64).eps
        return np.where(total(across * across) > noise**2, across, 0.0)
