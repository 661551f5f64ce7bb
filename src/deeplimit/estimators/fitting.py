"""What every fit keeps to: all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from deeplimit.activations import Activation
from deeplimit.kernels.limit import LimitKernel

__all__ = ["limit_kernel", "untouched_on_failure"]


@contextmanager
def untouched_on_failure(model: Any) -> Iterator[None]:
    """Put an estimator's attributes back as they were if the body raises.

    Parameters
    ----------
    model : estimator
        What is being fitted.

    Examples
    --------
    >>> class Model: ...
    >>> model = Model()
    >>> try:
    ...     with untouched_on_failure(model):
    ...         model.coef_ = 1.0
    ...         raise ValueError
    ... except ValueError:
    ...     print(vars(model))
    {}
    """
    before = dict(model.__dict__)
    try:
        yield
    except BaseException:
        model.__dict__.clear()
        model.__dict__.update(before)
        raise


@lru_cache(maxsize=32)
def _named(name: str) -> LimitKernel:
    return LimitKernel(name)


def limit_kernel(activation: Any) -> LimitKernel:
    """Give the limit kernel of an estimator's activation; those of names are made once.

    Parameters
    ----------
    activation : Activation, str or callable
        Anything `Activation` accepts.

    Returns
    -------
    LimitKernel
        Its tables are shared by all fits with the same name or formula.

    Examples
    --------
    >>> limit_kernel("3d_opt") is limit_kernel("3d_opt")
    True
    """
    return _named(activation) if type(activation) is str else LimitKernel(Activation(activation))
