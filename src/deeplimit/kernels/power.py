"""The pure singular kernel |x - z|^(-α): the Hilbert kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.persist.state import State

__all__ = ["PowerKernel"]


@dataclass(frozen=True)
class PowerKernel:
    """The kernel ‖x - z‖^(-α), a function (2s)^(-α/2) of the gap s = ‖x - z‖²/2.

    The smoother with this kernel is the Hilbert kernel estimate: consistent, without any
    parameter to choose, if the exponent α is the dimension of the data.

    Parameters
    ----------
    exponent : float
        The exponent α, positive.

    Attributes
    ----------
    positive : bool
        True: the kernel is positive at every gap.
    decreasing : bool
        True: the kernel decreases with the gap.

    Raises
    ------
    ValueError
        If the exponent is not a positive finite number.

    References
    ----------
    .. [1] L. Devroye, L. Györfi, A. Krzyżak, "The Hilbert kernel regression estimate", Journal of
       Multivariate Analysis 65 (1998) 209-227.

    Examples
    --------
    >>> PowerKernel(2.0).log_at_gap([0.0, 0.125, 2.0]).round(4).tolist()
    [inf, 1.3863, -1.3863]
    """

    exponent: float
    positive: ClassVar[bool] = True
    decreasing: ClassVar[bool] = True

    def __post_init__(self) -> None:
        exponent = float(self.exponent)
        if not (np.isfinite(exponent) and exponent > 0):
            raise ValueError(
                f"exponent must be a positive finite number, {self.exponent!r} was got"
            )
        object.__setattr__(self, "exponent", exponent)

    def _to_state(self) -> State:
        return State("PowerKernel", {"exponent": float(self.exponent)})

    @classmethod
    def _from_state(cls, state: State) -> Self:
        return cls(state.meta["exponent"])  # type: ignore[arg-type]

    def log_at_gap(self, s: ArrayLike) -> NDArray[np.float64]:
        """Give ln K = -(α/2) ln(2s).

        Parameters
        ----------
        s : array-like
            Gaps, nonnegative.

        Returns
        -------
        ndarray of float64
            Logarithms of the kernel: +inf at a gap of 0.

        Examples
        --------
        >>> PowerKernel(4.0).log_at_gap(0.5 * 1e-300).round(6).item()
        1381.551056
        """
        gap = np.asarray(s, dtype=np.float64)
        with np.errstate(divide="ignore", over="ignore"):
            # ln s + ln 2 rather than ln 2s: twice the largest number is none.
            log = np.asarray(np.log(gap))
        log += np.log(2.0)
        log *= -self.exponent / 2.0
        return log

    def sign_at_gap(self, s: ArrayLike) -> NDArray[np.float64]:
        """Give the sign of the kernel, which is 1 everywhere.

        Parameters
        ----------
        s : array-like
            Gaps, nonnegative.

        Returns
        -------
        ndarray of float64
            Ones.

        Examples
        --------
        >>> PowerKernel(3.0).sign_at_gap([0.0, 2.0]).tolist()
        [1.0, 1.0]
        """
        return np.ones(np.shape(s))
