"""What the page asks of Python: the profile of an activation of one's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from deeplimit.activations import Activation
from deeplimit.playground.profiles import DEPTHS, make_profile

__all__ = ["own_profile"]

_LONGEST, _MOST = 200, 16
#: Deep enough to see where it goes, and tabulated while somebody waits.
_DEPTHS = tuple(depth for depth in DEPTHS if depth <= 64)


def own_profile(question: Mapping[str, Any]) -> dict[str, Any]:
    """Tabulate an activation that was typed or drawn.

    Parameters
    ----------
    question : mapping
        ``formula``, a name or a formula of x, or ``hermite``, a list of coefficients.

    Returns
    -------
    dict
        See `make_profile`.

    Raises
    ------
    ValueError
        If it is neither, or no activation.

    Examples
    --------
    >>> own_profile({"hermite": [0, 1, 0, 1]})["constants"]["dimension"]
    2
    """
    if "hermite" in question:
        c = _coefficients(question["hermite"])
        words = ", ".join(f"{v:g}" for v in c)
        return make_profile(
            Activation.from_hermite(c),
            key="c:" + ",".join(f"{v:g}" for v in c),
            title="your own",
            code=f"dl.Activation.from_hermite([{words}])",
            depths=_DEPTHS,
        )
    formula = question.get("formula")
    if not isinstance(formula, str) or not formula.strip():
        raise ValueError("type a name, such as gelu, or a formula of x, such as sin(2x) + 0.3*x.")
    formula = formula.strip()
    if len(formula) > _LONGEST:
        raise ValueError(f"a formula has at most {_LONGEST} letters here, not {len(formula)}.")
    activation = Activation(formula)
    code = '"' + formula.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return make_profile(activation, key=f"f:{formula}", title=formula, code=code, depths=_DEPTHS)


def _coefficients(given: Any) -> list[float]:
    if not isinstance(given, list) or not 1 <= len(given) <= _MOST:
        raise ValueError(f"Hermite coefficients are a list of 1 to {_MOST} numbers.")
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in given):
        raise ValueError("Hermite coefficients are numbers.")
    c = [float(v) for v in given]
    if not all(math.isfinite(v) and abs(v) <= 1e6 for v in c):
        raise ValueError("Hermite coefficients are at most a million in size.")
    return c
