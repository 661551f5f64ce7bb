"""Numbers in halves: each the sum of two of 11 bits, whose products tensor cores take exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from deeplimit.engines.eager import pytorch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Halves", "split"]

# Coordinates are scaled to at most 2^15, half of what float16 holds.
_TOP = 15
# Rows below it are nothing: what is that near is refined.
_LEAST = -80


class Halves(NamedTuple):
    """Rows of a matrix, (high + low) 2^(exponent - 15).

    A product of two such rows is that of the high parts and the two mixed ones; that of the low
    parts, 2^-22 of it, is left out.

    Parameters
    ----------
    high, low : torch.Tensor of float16, shape (m, D)
        The parts.
    exponents : torch.Tensor of int32, shape (m,)
        Of each row, or of all that share one.
    """

    high: Tensor
    low: Tensor
    exponents: Tensor

    def wide(self) -> Tensor:
        """Give the rows in float64, exactly.

        Returns
        -------
        torch.Tensor of float64, shape (m, D)
            The rows.
        """
        return (self.high.double() + self.low.double()) * _powers(self.exponents - _TOP)[:, None]

    def units(self) -> Tensor:
        """Give the units of the rows.

        Returns
        -------
        torch.Tensor of float32, shape (m,)
            Powers of two, by which the sum of both parts is to be multiplied.
        """
        return _powers(self.exponents - _TOP).float()


def split(matrix: Tensor, exponents: Tensor | None = None) -> Halves:
    """Split the entries of a matrix into two halves each.

    Parameters
    ----------
    matrix : torch.Tensor of float64, shape (m, D)
        Finite rows.
    exponents : torch.Tensor of int32, shape (m,), optional
        So that no entry of a row exceeds 2^exponent; by default the least such numbers from -80
        on.

    Returns
    -------
    Halves
        The halves; an entry is off by 2^-23 of itself, or by 2^-40 of 2^exponent.

    Examples
    --------
    >>> torch = pytorch()
    >>> halves = split(torch.tensor([[1.0, 1.0 / 3.0, 1e-9]], dtype=torch.float64))
    >>> (halves.wide() - torch.tensor([[1.0, 1.0 / 3.0, 1e-9]])).abs().max().item() < 2**-24
    True
    """
    torch = pytorch()
    if exponents is None:
        exponents = torch.frexp(matrix.abs().amax(dim=1)).exponent.clamp(min=_LEAST)
    scaled = matrix * _powers(_TOP - exponents)[:, None]
    high = scaled.to(torch.float16)
    low = (scaled - high.double()).to(torch.float16)
    return Halves(high, low, exponents)


def _powers(exponents: Tensor) -> Tensor:
    """Give 2^exponent in float64: by its bits, for torch's own powers are rounded."""
    torch = pytorch()
    return ((exponents.to(torch.int64) + 1023) << 52).view(torch.float64)
