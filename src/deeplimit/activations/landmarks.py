"""Places of a formula near which something narrow may hide."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from deeplimit.activations.nodes import Comparison, Evaluable, Node
from deeplimit.activations.tree import Call, Expression, Variable
from deeplimit.duals.base import Array

#: More parts, or more places, than this are not looked at: samples must do.
_MOST_PARTS, _MOST_PLACES = 200, 400
_HALVINGS = 60


def landmarks(expression: Expression) -> Array:
    """Give the zeros of the parts of a formula, and of the differences of arguments.

    A narrow feature lies where an inner expression is small, as 1.5 in
    ``exp(-1e12*(x - 1.5)^2)``: few samples would hit it by chance.

    Parameters
    ----------
    expression : Expression
        The formula.

    Returns
    -------
    ndarray of shape (m,)
        Ascending places in ±12 other than 0, to the last digits; none if there are too many.

    Examples
    --------
    >>> from deeplimit.activations.expressions import parse
    >>> landmarks(parse("exp(-1e12*(x - 1.5)^2)"))
    array([1.5])
    """
    # Shifted, so that a zero at a round number lies between two points and not on one.
    grid = np.linspace(-12.0, 12.0, 4801) + 1e-3 / np.e
    watched = itertools.islice(_watched(expression, set()), _MOST_PARTS)
    found = [_zeros(terms, grid) for terms in watched]
    places = np.unique(np.concatenate([np.zeros(0), *found]))
    # Zero is looked at in any case, and rounding may give the same place twice.
    places = places[np.abs(places) > 1e-15]
    apart = np.append(True, np.diff(places) > 1e-12 * np.abs(places[1:]))
    places = places[apart[: places.size]]
    return places if places.size <= _MOST_PLACES else np.zeros(0)


def _watched(node: Node, seen: set[Node]) -> Iterator[tuple[Evaluable, ...]]:
    """Parts that depend on the variable, and pairs of what is compared, each once."""
    if node in seen or node.constant is not None:
        return
    seen.add(node)
    if isinstance(node, Evaluable) and not isinstance(node, Variable):
        yield (node,)
    if isinstance(node, Call | Comparison):
        operands = [part for part in node.operands if isinstance(part, Evaluable)]
        for pair in itertools.combinations(operands, 2):
            if any(part.constant is None for part in pair):
                yield pair
    for part in node.operands:
        yield from _watched(part, seen)


def _zeros(terms: tuple[Evaluable, ...], grid: Array) -> Array:
    """Sign changes of an expression, or of the difference of two, by bisection."""

    def value(z: Array) -> Array:
        values = [np.broadcast_to(term(z), z.shape) for term in terms]
        with np.errstate(all="ignore"):
            return np.sign(values[0] if len(values) == 1 else values[0] - values[1])

    signs = value(grid)
    at = np.flatnonzero(signs[:-1] * signs[1:] < 0.0)
    if at.size > _MOST_PLACES:
        return np.zeros(0)
    low, high, sign = grid[at], grid[at + 1], signs[at]
    for _ in range(_HALVINGS):
        middle = low + (high - low) / 2.0
        left = value(middle) == sign
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return np.asarray(high)
