"""What a kernel's profile asks of the arithmetic: how steep it is, how much its table varies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from deeplimit.engines.precision import TABLE_EDGE
from deeplimit.engines.profiles import FastProfile

__all__ = ["Character"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Character:
    """A profile whose table is in a unit of its own, and its figures.

    Parameters
    ----------
    profile : FastProfile
        The profile; where it has a table, that is at most 1 in size but for the nearest gaps.
    log_unit : float
        Logarithm of the table's unit.
    steepness : float
        Bound of 2|d ln K/d ln s| up to the equator, but for the nearest gaps and for the pieces of
        the table where K may change its sign.
    far_steepness : float
        The same in t = 2 - s beyond the equator; 0 without a table.
    octaves : float
        Logarithm base 2 of how much the table varies, but for the nearest gaps; inf where it may
        change its sign, around which the relative error of a value has no bound.

    Examples
    --------
    >>> character = Character.of(FastProfile(3.0))
    >>> character.steepness, character.far_steepness, character.octaves
    (3.0, 0.0, 0.0)
    """

    profile: FastProfile
    log_unit: float
    steepness: float
    far_steepness: float
    octaves: float

    @classmethod
    def of(cls, profile: FastProfile) -> Self:
        """Read the figures from a profile.

        Parameters
        ----------
        profile : FastProfile
            The profile.

        Returns
        -------
        Character
            Its character.
        """
        table, bits = profile.table, profile.bits
        if table is None:
            return cls(profile, 0.0, profile.exponent, 0.0, 0.0)
        rows = len(table) // 2
        piece = np.arange(rows)
        # Of P(t), t = 2^e (1 + (j + v)/2^b): t dP/dt = (2^b + j + v) dP/dv.
        position = 2.0**bits + (piece & (2**bits - 1)) + 1.0
        # Of the last piece only the beginning is used, where the one before it ends.
        used = (piece >= rows - 1 + (np.log2(TABLE_EDGE) * 2**bits)) & (piece < rows - 1)
        sides = np.abs(table.reshape(2, rows, -1))
        change = sides[..., 1:].sum(axis=2)
        least, largest = (sides[..., 0] - change)[:, used], (sides[..., 0] + change)[:, used]
        slope = (position * (sides @ np.arange(sides.shape[2])))[:, used]
        # A piece is a sixteenth of an octave or so: what varies more within it goes through zero.
        clear = least > largest / 2.0
        near, beyond = (
            float(np.max(2.0 * slope[side][clear[side]] / least[side][clear[side]], initial=0.0))
            for side in (0, 1)
        )
        unit = float(largest.max())
        scaled = FastProfile(
            profile.exponent, table / unit, bits, profile.low, profile.error, profile.turns
        )
        return cls(
            profile=scaled,
            log_unit=float(np.log(unit)),
            steepness=profile.exponent + near,
            far_steepness=beyond,
            octaves=float(np.log2(unit / least.min())) if clear.all() else np.inf,
        )
