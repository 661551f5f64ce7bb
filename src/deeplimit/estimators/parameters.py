"""Parameters of questions, checked in one place: what is wrong is told in one line."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

__all__ = ["check_bounds", "check_count", "check_orders", "check_progress"]


def check_count(name: str, value: Any) -> None:
    """Check that a parameter, if given, is a number of examples.

    Parameters
    ----------
    name : str
        Its name.
    value : object
        Its value.

    Raises
    ------
    ValueError
        If it is neither None nor an integer of at least 1.

    Examples
    --------
    >>> check_count("top", 3)
    >>> check_count("top", 1.5)
    Traceback (most recent call last):
        ...
    ValueError: top is a number of examples, at least 1; got 1.5.
    """
    if value is not None and not (_is_whole(value) and value >= 1):
        raise ValueError(f"{name} is a number of examples, at least 1; got {value!r}.")


def check_orders(value: Any) -> None:
    """Check a number of orders of columns.

    Parameters
    ----------
    value : object
        Its value.

    Raises
    ------
    ValueError
        If it is no even number from 4.

    Examples
    --------
    >>> check_orders(8)
    >>> check_orders("many")
    Traceback (most recent call last):
        ...
    ValueError: n_orders is an even number, at least 4; got 'many'.
    """
    if not (_is_number(value) and value >= 4 and value % 2 == 0):
        raise ValueError(f"n_orders is an even number, at least 4; got {value!r}.")


def check_bounds(tolerance: Any, budget: Any) -> None:
    """Check what ends a search for bounds of probabilities.

    Parameters
    ----------
    tolerance : object
        Width of the intervals to stop at.
    budget : object
        Most examples to visit, as a part of all, or None.

    Raises
    ------
    ValueError
        If the tolerance is no finite number of at least 0, or the budget neither None nor a number
        above 0 and up to 1.

    Examples
    --------
    >>> check_bounds(0.01, None)
    >>> check_bounds(0.01, 2)
    Traceback (most recent call last):
        ...
    ValueError: budget must be a part of all examples, above 0 and up to 1, or None; got 2.
    """
    if not (_is_number(tolerance) and tolerance >= 0):
        raise ValueError(f"tolerance must be a finite number, at least 0; got {tolerance!r}.")
    if budget is not None and not (_is_number(budget) and 0 < budget <= 1):
        raise ValueError(
            f"budget must be a part of all examples, above 0 and up to 1, or None; got {budget!r}."
        )


def check_progress(value: Any) -> None:
    """Check who is told of progress.

    Parameters
    ----------
    value : object
        Its value.

    Raises
    ------
    TypeError
        If it is neither None nor a callable.

    Examples
    --------
    >>> check_progress(print)
    >>> check_progress(True)
    Traceback (most recent call last):
        ...
    TypeError: progress is a callable that takes two numbers, done and total, or None; got True.
    """
    if value is not None and not callable(value):
        raise TypeError(
            "progress is a callable that takes two numbers, done and total, or None; "
            f"got {value!r}."
        )


def _is_whole(value: Any) -> bool:
    # numpy's integers are of this kind, and so is a boolean, which counts nothing.
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
