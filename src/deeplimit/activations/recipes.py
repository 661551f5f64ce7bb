"""How an activation was made, as plain data: what a model file keeps of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimit.duals.algebra import CenteredDual
from deeplimit.duals.base import Dual
from deeplimit.duals.closed import ExponentialDual, HyperbolicDual, PowerLawDual
from deeplimit.duals.series import SeriesDual

if TYPE_CHECKING:
    from deeplimit.activations.activation import Activation
    from deeplimit.activations.changes import Changeable

Recipe = dict[str, Any]

#: Changes that keep an exact dual, which the changed formula alone would not tell.
CHANGES = ("scaled", "centered", "biased", "residual")


def change(base: Changeable, name: str, *arguments: float) -> Recipe | None:
    """Describe a change of another activation.

    Parameters
    ----------
    base : Activation
        What was changed.
    name : str
        One of `CHANGES`.
    *arguments : float
        Arguments of the method of that name.

    Returns
    -------
    dict or None
        None if `base` itself cannot be described.
    """
    inner = base._recipe
    if inner is None:
        return None
    return {"kind": "change", "name": name, "arguments": list(arguments), "base": inner}


def with_dual(formula: str, dual: Dual, signed: Any, norm2: float | None) -> Recipe | None:
    """Describe a formula whose exact dual is given beside it.

    Parameters
    ----------
    formula : str
        The formula.
    dual : Dual
        Of a design: a series, or one of the closed forms that designs use.
    signed : ndarray or None
        Signed Hermite coefficients.
    norm2 : float or None
        Second moment of the formula.

    Returns
    -------
    dict or None
        None for another dual.
    """
    facts = _facts(dual)
    if facts is None:
        return None
    coefficients = None if signed is None else np.asarray(signed, dtype=np.float64).tolist()
    return {
        "kind": "dual", "formula": formula, "dual": facts,
        "signed": coefficients, "norm2": norm2,
    }  # fmt: skip


def make(recipe: Recipe, name: str) -> Activation:
    """Make an activation again.

    Parameters
    ----------
    recipe : dict
        What describes it.
    name : str
        What it was called.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If the description is none of an activation.
    """
    from deeplimit.activations.activation import Activation

    try:
        kind = recipe["kind"]
        if kind == "spec":
            return Activation(str(recipe["spec"]), name=name)
        if kind == "hermite":
            return Activation.from_hermite(recipe["coefficients"], name)
        if kind == "change" and recipe["name"] in CHANGES:
            base = make(recipe["base"], name)
            changed: Activation = getattr(base, recipe["name"])(*recipe["arguments"])
            return Activation(changed, name=name)
        if kind == "dual":
            made = Activation(str(recipe["formula"]), name=name)
            made._closed = _dual(recipe["dual"])
            if recipe["signed"] is not None:
                made._signed = np.array(recipe["signed"], dtype=np.float64)
            if recipe["norm2"] is not None:
                made.__dict__["norm2"] = float(recipe["norm2"])
            made._recipe = recipe
            return made
    except (KeyError, TypeError) as error:
        raise ValueError(f"this does not describe an activation: {error}") from None
    raise ValueError(f"this does not describe an activation: {kind!r}")


def _facts(dual: Dual) -> Recipe | None:
    if isinstance(dual, PowerLawDual):
        return {"kind": "power-law", "p": dual.p, "theta": dual.theta}
    if isinstance(dual, HyperbolicDual):
        return {"kind": "hyperbolic", "a": dual.a, "odd": dual.parity == "odd"}
    if isinstance(dual, ExponentialDual):
        return {"kind": "exponential", "a": dual.slope_at_one}
    if isinstance(dual, CenteredDual):
        base = _facts(dual.base)
        return None if base is None else {"kind": "centered", "base": base}
    if isinstance(dual, SeriesDual):
        return {"kind": "series", "coefficients": dual.coefficients(dual.n_terms).tolist()}
    return None


def _dual(facts: Recipe) -> Dual:
    kind = facts["kind"]
    if kind == "power-law":
        return PowerLawDual(facts["p"], facts["theta"])
    if kind == "hyperbolic":
        return HyperbolicDual(facts["a"], odd=facts["odd"])
    if kind == "exponential":
        return ExponentialDual(facts["a"])
    if kind == "centered":
        return CenteredDual(_dual(facts["base"]))
    return SeriesDual(facts["coefficients"])
