"""Koenigs and Böttcher functions as functions of the gap, through a table or without."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from deeplimit.kernels.koenigs import (
    BoettcherFunction,
    KoenigsAtOne,
    KoenigsFunction,
    LogSign,
)
from deeplimit.kernels.profiles import Profile
from deeplimit.kernels.radial import Array, GapKernel


class KoenigsKernel(GapKernel):
    """A Koenigs or Böttcher function as a kernel of the gap.

    That at the inner fixed point is what breaks an exact tie of a majority vote.

    Parameters
    ----------
    function : KoenigsFunction
        The function.
    tabulate : bool, default=True
        Whether to evaluate it through a table, made when it is first needed.
    """

    positive = False

    def __init__(self, function: KoenigsFunction, tabulate: bool = True) -> None:
        self.function = function
        self._tabulate = tabulate

    @property
    def log_diagonal(self) -> float:
        """Infinite with the sign of the leading power: the function is singular or vanishes."""
        return self.function.log_at_one

    @property
    def error(self) -> float:
        """Bound of the error that the table adds to the logarithm; 0 without one."""
        return self._profile.error if self._tabulate else 0.0

    @cached_property
    def _profile(self) -> Profile:
        function = self.function
        jumps = np.isinf(function.dual.slope_at_one)
        return Profile(
            function.quotient,
            theta=function.theta,
            period=function.period,
            root_gap=function.root_gap,
            parity=function.dual.parity,
            smallest=1e-300 if jumps else 1e-33,
            # Beyond the equator a Böttcher function need not be smooth, and takes few steps.
            far=not isinstance(function, BoettcherFunction),
            follow=None if jumps or isinstance(function, KoenigsAtOne) else function.follow,
        )

    def _log_and_sign(self, s: Array) -> LogSign:
        if not self._tabulate:
            return self.function.log_and_sign(s)
        log, sign = self._profile.log_and_sign(s)
        if isinstance(self.function, BoettcherFunction):
            # The table of small gaps keeps no sign: there it is positive.
            sign = np.where(s <= 1.0, 1.0, sign)
        # Without a leading power the table would be flat down to zero.
        parity = self.function.dual.parity
        at_one = (s == 0.0) | (s == 2.0) if parity else s == 0.0
        return np.where(at_one, self.log_diagonal, log), sign
