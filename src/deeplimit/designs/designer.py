"""The way back: from a wanted exponent, or a dimension, to an explicit activation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deeplimit.activations.activation import Activation
from deeplimit.activations.export import Code
from deeplimit.activations.recipes import with_dual
from deeplimit.designs.blueprints import MAKERS, Blueprint, OutOfRangeError, Request
from deeplimit.designs.family import FAMILIES, Family
from deeplimit.regimes.classification import Taxonomy, taxonomy

__all__ = ["Design", "DesignedActivation", "design", "families"]

#: How far the exponent of a designed activation may be from the wanted one.
TOLERANCE = 1e-9
_BY_NAME = {family.name: family for family in FAMILIES}


@dataclass(frozen=True, eq=False)
class Design:
    """How an activation was designed, and the proof that it is what was asked for.

    Attributes
    ----------
    family : Family
        Where it is from.
    exponent : float or None
        The wanted exponent; None if whatever the family gives was taken.
    parameters : mapping of str to float
        What was solved for or chosen.
    taxonomy : Taxonomy
        The finished activation, classified again from its own dual.
    code : Code or None
        Text, TeX, Python, PyTorch and JAX of the normalised activation; None for a layer that is
        not one function.
    note : str
        What else to know; often nothing.

    Examples
    --------
    >>> from deeplimit.designs import design
    >>> proof = design(dimension=4).design
    >>> proof.parameters, proof.taxonomy.dimension, proof.error
    ({'a': 0.25}, 4, 0.0)
    >>> proof.code.text
    '0.5*h(1, x) + 0.7071067811865476*h(2, x) + 0.5*h(3, x)'
    """

    family: Family
    exponent: float | None
    parameters: Mapping[str, float]
    taxonomy: Taxonomy = field(repr=False)
    code: Code | None = field(repr=False)
    note: str = ""

    @property
    def error(self) -> float:
        """Distance of the exponent from the wanted one; 0 if none was wanted."""
        found = self.taxonomy.exponent
        if self.exponent is None or found is None:
            return 0.0
        return abs(found - self.exponent)


class DesignedActivation(Activation):
    """An activation that knows how it was designed.

    Changes of it (``scaled``, ``residual`` …) are plain activations.

    Parameters
    ----------
    blueprint : Blueprint
        What to build.
    name : str
        What to call it.

    Attributes
    ----------
    design : Design
        Family, parameters and proof.

    Examples
    --------
    >>> from deeplimit.designs import design
    >>> phi = design(dimension=3, family="sine")
    >>> phi.design.family.name, round(phi.design.parameters["a"], 9)
    ('sine', 4.394826568)
    """

    # Outside the instance's dictionary, which copies of an activation share.
    __slots__ = ("design",)
    design: Design

    def __init__(self, blueprint: Blueprint, name: str) -> None:
        super().__init__(blueprint.spec, name=name)
        if blueprint.dual is not None:
            self._closed, self._signed = blueprint.dual, blueprint.signed
            self._recipe = with_dual(
                self.formula, blueprint.dual, blueprint.signed, blueprint.norm2
            )
        if blueprint.norm2 is not None:
            self.__dict__["norm2"] = float(blueprint.norm2)


def families() -> tuple[Family, ...]:
    """List the families of designs with their ranges.

    Returns
    -------
    tuple of Family
        Simplest first.

    Examples
    --------
    >>> from deeplimit.designs import families
    >>> [family.name for family in families()][:4]
    ['three-term', 'two-degrees', 'two-term', 'sine']
    """
    return FAMILIES


def design(
    dimension: float | None = None,
    *,
    exponent: float | None = None,
    family: str | None = None,
    odd: bool = False,
    slope: float | None = None,
    degree: int | None = None,
    base: Any = None,
) -> DesignedActivation:
    r"""Design an activation whose infinitely deep network is optimal in a given dimension.

    The network of an activation with A = 0 and 0 < abs(A') < 1 becomes a singular kernel smoother
    of exponent :math:`\alpha = -4\ln|A'|/\ln B'`, which is consistent for data on a sphere or
    manifold of intrinsic dimension :math:`d = \alpha`. The families solve this equation for their
    parameters; the finished activation is classified again as proof.

    Parameters
    ----------
    dimension : float, optional
        Intrinsic dimension of the data: the number of columns for data lifted onto the
        hemisphere, one less for rows of norm 1. The exponent is this number.
    exponent : float, optional
        The same, for a reader of formulas; give one of the two.
    family : str, optional
        See `families`. By default "three-term", or "two-degrees" where that does not reach.
    odd : bool, default=False
        Whether the activation must be odd; consistent only on data without antipodes.
    slope : float, optional
        B', above 1, for the families that leave it free; 2 by default (3 where 2 cannot be).
    degree : int, optional
        Degree of the second term of "two-term", of the Hermite polynomial inside "residual"; by
        default the lowest that does.
    base : str, callable or Activation, optional
        For "centered" ("gelu" by default) and "residual" (a Hermite polynomial by default).

    Returns
    -------
    DesignedActivation
        An `Activation` with an exact dual, and ``design`` with parameters, code and proof.

    Raises
    ------
    ValueError
        If nothing or too much is asked for, an option does not belong to the family, or the
        family does not reach the exponent; the message names those that do.
    ArithmeticError
        If the finished activation has another exponent, by more than 1e-9: never seen.

    References
    ----------
    .. [1] A. Radhakrishnan, M. Belkin, C. Uhler, "Wide and deep neural networks achieve optimality
       for classification", arXiv 2204.14126.

    Examples
    --------
    >>> from deeplimit.designs import design
    >>> phi = design(dimension=4)
    >>> phi.design.taxonomy.regime, phi.design.taxonomy.dimension
    ('singular-kernel', 4)
    >>> design(exponent=2.5, family="two-term").design.parameters["degree"]
    2
    """
    wanted = _wanted(dimension, exponent, family)
    if family is None:
        simplest = _BY_NAME["three-term"]
        family = "three-term" if simplest.reaches(wanted, odd=odd) else "two-degrees"
    if family not in _BY_NAME:
        raise ValueError(f"no family {family!r}; there are {', '.join(_BY_NAME)}.")
    chosen = _BY_NAME[family]
    options = {"slope": slope, "degree": degree, "base": base}
    for key, value in options.items():
        if value is not None and key not in chosen.options:
            takers = ", ".join(f.name for f in FAMILIES if key in f.options)
            raise ValueError(f"{family} takes no {key}; {takers} do.")
    if not math.isnan(chosen.lowest) and not chosen.reaches(wanted, odd=odd):
        if odd and chosen.lowest_odd is None:
            problem = f"{family} has no odd activations"
        else:
            reach = chosen.range_text(odd=odd)
            problem = f"{family} reaches {reach}, got {wanted:g}"
        raise ValueError(f"{problem}; {_alternatives(wanted, odd)}")
    try:
        blueprint = MAKERS[family](Request(wanted, odd, slope, degree, base))
    except OutOfRangeError as error:
        hint = f" Otherwise {_alternatives(wanted, odd)}" if error.others else ""
        raise ValueError(f"{error.text}{hint}") from None
    phi = _built(chosen, None if math.isnan(wanted) else wanted, blueprint)
    if odd and not phi.is_odd:
        raise ValueError(f"this base does not give an odd activation; {_alternatives(wanted, odd)}")
    return phi


def _wanted(dimension: float | None, exponent: float | None, family: str | None) -> float:
    """Give the exponent asked for; NaN if none is needed."""
    if dimension is not None and exponent is not None:
        raise ValueError("give the dimension or the exponent, not both: they are one number.")
    wanted = dimension if dimension is not None else exponent
    if wanted is None:
        if family == "centered":
            return math.nan
        raise ValueError("give the dimension of the data, or the exponent.")
    wanted = float(wanted)
    if not (math.isfinite(wanted) and wanted > 0.0):
        raise ValueError(f"the dimension, or the exponent, is a positive number, got {wanted:g}.")
    return wanted


def _alternatives(wanted: float, odd: bool) -> str:
    names = [family.name for family in FAMILIES if family.reaches(wanted, odd=odd)]
    kind = "odd activations of " if odd else ""
    if not names:
        return f"no family reaches exponent {wanted:g}."
    return f"{kind}{', '.join(names)} reach exponent {wanted:g}."


def _built(family: Family, wanted: float | None, blueprint: Blueprint) -> DesignedActivation:
    """Build the activation, classify it and attach the proof."""
    suffix = "" if wanted is None else f" for exponent {wanted:g}"
    phi = DesignedActivation(blueprint, f"{family.name} design{suffix}")
    found = taxonomy(phi)
    proof = Design(
        family=family,
        exponent=wanted,
        parameters=dict(blueprint.parameters),
        taxonomy=found,
        code=phi.code() if phi.pointwise and phi.expression is not None else None,
        note=blueprint.note,
    )
    if wanted is not None and (found.exponent is None or proof.error > TOLERANCE):
        raise ArithmeticError(
            f"the {family.name} design for exponent {wanted:g} came out as {found.regime}, "
            f"exponent {found.exponent}: {found.reason}"
        )
    phi.design = proof
    return phi
