"""Families of activations that reach a range of exponents."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["FAMILIES", "Family"]


@dataclass(frozen=True)
class Family:
    r"""A family of activations.

    Parameters
    ----------
    name : str
        As `design` takes it.
    lowest, highest : float
        Range of exponents, those of an odd activation if the family has only such; NaN if it
        depends on the base.
    lowest_odd : float or None
        Where the range of the odd activations begins; None if there are none, NaN if it depends
        on the base.
    open : bool
        Whether the lowest exponent itself is out of reach.
    options : tuple of str
        The arguments of `design` that apply.
    dual : str
        The dual maps, as a formula.
    about : str
        What is special, in a sentence.

    Examples
    --------
    >>> from deeplimit.designs import families
    >>> print(families()[0])
    three-term: exponents from 2 to 1200; a ξ + (1 - 2a) ξ² + a ξ³, a = 2^(-α/2), B' = 2; ...
    """

    name: str
    lowest: float
    highest: float
    lowest_odd: float | None
    open: bool
    options: tuple[str, ...]
    dual: str
    about: str

    def reaches(self, exponent: float, *, odd: bool = False) -> bool:
        """Tell whether an exponent is within the range, for some choice of the options.

        Parameters
        ----------
        exponent : float
            The wanted exponent.
        odd : bool, default=False
            Whether the activation must be odd.

        Returns
        -------
        bool
            False for a family whose range depends on its base.

        Examples
        --------
        >>> from deeplimit.designs import families
        >>> [f.name for f in families() if f.reaches(1.0)]
        ['two-degrees', 'two-term', 'theta']
        """
        low = self.lowest_odd if odd else self.lowest
        if low is None or math.isnan(low):
            return False
        is_open = self.open or (odd and low != self.lowest)
        return (exponent > low if is_open else exponent >= low) and exponent <= self.highest

    def range_text(self, *, odd: bool = False) -> str:
        """Say the range in words.

        Parameters
        ----------
        odd : bool, default=False
            Whether the activation must be odd.

        Returns
        -------
        str

        Examples
        --------
        >>> from deeplimit.designs import families
        >>> families()[3].range_text()
        'exponents above 1 up to 115'
        """
        low = self.lowest_odd if odd else self.lowest
        if low is None:
            return "no odd activation"
        if math.isnan(low):
            return "exponents that depend on the base"
        if low == self.highest:
            return f"exponent {low:g} only"
        is_open = self.open or (odd and low != self.lowest)
        start = f"above {low:g} up" if is_open else f"from {low:g}"
        return f"exponents {start} to {self.highest:g}"

    def __str__(self) -> str:
        return f"{self.name}: {self.range_text()}; {self.dual}; {self.about}"


#: Where the square of A' comes near the smallest double, for slopes up to 3 and for growing ones.
_END, _SOONER_END = 1200.0, 115.0

FAMILIES: tuple[Family, ...] = (
    Family(
        "three-term",
        2.0,
        _END,
        1.0,
        False,
        (),
        "a ξ + (1 - 2a) ξ² + a ξ³, a = 2^(-α/2), B' = 2",
        "the simplest; odd: a ξ + (1 - a) ξ³",
    ),
    Family(
        "two-degrees",
        0.01,
        _END,
        0.01,
        False,
        ("slope",),
        "b^(-α/2) ξ and two neighbouring degrees such that B' = b",
        "any exponent, and any slope b from 1 on for exponents up to 2",
    ),
    Family(
        "two-term",
        0.01,
        _END,
        0.01,
        False,
        ("degree",),
        "p ξ + (1 - p) ξ^m",
        "degree m reaches exponents above 2/(m - 1)",
    ),
    Family(
        "sine",
        1.0,
        _SOONER_END,
        1.0,
        True,
        (),
        "sinh(a ξ)/sinh a, of sin(√a x)",
        "bounded and odd; the kernel oscillates for a large exponent",
    ),
    Family(
        "exponential",
        2.0,
        _SOONER_END,
        None,
        True,
        (),
        "(e^(a ξ) - 1)/(e^a - 1), of e^(b x) less its mean, a = b²",
        "not odd",
    ),
    Family(
        "mobius",
        2.0,
        2.0,
        None,
        False,
        ("slope",),
        "p ξ/(1 - (1 - p) ξ), p = 1/b",
        "the limit kernel is ξ/(1 - ξ) exactly; the activation is an infinite Hermite series",
    ),
    Family(
        "theta",
        0.01,
        2.0,
        None,
        False,
        ("slope",),
        "1 - [1 + p((1 - ξ)^(-θ) - 1)]^(-1/θ), θ = α/2, p = b^(-θ)",
        "the limit kernel ((1 - ξ)^(-θ) - 1)/θ does not oscillate; an infinite Hermite series",
    ),
    Family(
        "centered",
        math.nan,
        math.nan,
        math.nan,
        False,
        ("base",),
        "(f - a_0)/(1 - a_0) of a common activation less its mean",
        "without a wanted exponent the base as it is, otherwise with its argument scaled",
    ),
    Family(
        "residual",
        math.nan,
        math.nan,
        math.nan,
        False,
        ("base", "degree"),
        "(ξ + τ f)/(1 + τ), a skip around a layer",
        "turns a nearest-neighbour activation singular; a layer, not one function",
    ),
)
