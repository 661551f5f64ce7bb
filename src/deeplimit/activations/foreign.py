"""Activations given as functions of other libraries, called as functions of NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import require

Array = NDArray[np.float64]

#: Rounding of an activation that computes in single precision.
SINGLE = 6e-8
DOUBLE = float(np.finfo(np.float64).eps)


def adapt(function: Callable[..., Any]) -> tuple[Callable[[Array], Array], float]:
    """Make a pointwise function of any array library a function of NumPy arrays.

    Parameters
    ----------
    function : callable
        Of one argument: NumPy, PyTorch (functions and modules), JAX, or of one Python float.

    Returns
    -------
    phi : callable
        From float64 arrays to float64 arrays of the same shape.
    precision : float
        Relative rounding of its values: 2.2e-16, or 6e-8 for one that computes in float32.

    Raises
    ------
    TypeError
        If no library's arrays are accepted.
    ValueError
        If the function is random, changes the shape or mixes the entries of its argument.

    Examples
    --------
    >>> import math
    >>> phi, precision = adapt(math.tanh)
    >>> phi(np.array([0.0, 1.0]))
    array([0.        , 0.76159416])
    """
    probe = np.linspace(-2.3, 2.7, 12)
    problems: list[str] = []
    for call in _ways(function):
        try:
            with np.errstate(all="ignore"):
                result = call(probe)
        except ImportError:
            raise
        except Exception as error:  # whatever a foreign function raises for a foreign array
            problems.append(f"{type(error).__name__}: {error}")
            continue
        single = np.asarray(result).dtype in (np.float32, np.float16)
        phi = _checked(call)
        _check_pointwise(phi, probe, SINGLE if single else DOUBLE)
        return phi, (SINGLE if single else DOUBLE)
    first = problems[0].splitlines()[0][:200]
    raise TypeError(f"the activation cannot be called with an array of numbers ({first}).")


def _ways(function: Callable[..., Any]) -> list[Callable[[Array], Any]]:
    module = str(getattr(type(function), "__module__", "")) + str(
        getattr(function, "__module__", "")
    )
    scalar = np.vectorize(function, otypes=[np.float64])
    if "torch" in module or _is_torch_module(function):
        return [_torch_call(function)]
    if "jax" in module or "flax" in module:
        return [_jax_call(function)]
    return [function, scalar, _torch_call_if_there(function), _jax_call_if_there(function)]


def _is_torch_module(function: object) -> bool:
    return any(t.__module__.startswith("torch.") for t in type(function).__mro__)


def _torch_call(function: Callable[..., Any]) -> Callable[[Array], Any]:
    torch = require("torch", extra="torch", purpose="an activation written in PyTorch")

    def call(z: Array) -> Any:
        with torch.no_grad():
            return function(torch.from_numpy(np.array(z, dtype=np.float64))).numpy()

    return call


def _jax_call(function: Callable[..., Any]) -> Callable[[Array], Any]:
    jax = require("jax", extra="jax", purpose="an activation written in JAX")

    def call(z: Array) -> Any:
        # Without this JAX would silently compute in single precision.
        with jax.enable_x64(True):
            return np.asarray(function(jax.numpy.asarray(z)))

    return call


def _torch_call_if_there(function: Callable[..., Any]) -> Callable[[Array], Any]:
    def call(z: Array) -> Any:
        return _torch_call(function)(z)

    return call


def _jax_call_if_there(function: Callable[..., Any]) -> Callable[[Array], Any]:
    def call(z: Array) -> Any:
        return _jax_call(function)(z)

    return call


def _checked(call: Callable[[Array], Any]) -> Callable[[Array], Array]:
    def phi(z: Array) -> Array:
        with np.errstate(all="ignore"):
            values = np.asarray(call(z))
        if values.shape != np.shape(z):
            raise ValueError(
                f"an activation acts on each entry: given shape {np.shape(z)} it returned "
                f"{values.shape}."
            )
        if np.iscomplexobj(values):
            raise ValueError("an activation must be real, this one returned complex numbers.")
        return values.astype(np.float64)

    return phi


def _check_pointwise(phi: Callable[[Array], Array], probe: Array, precision: float) -> None:
    whole = phi(probe)
    if not np.array_equal(whole, phi(probe), equal_nan=True):
        raise ValueError("the activation is random: called twice it gave different values.")
    single = np.array([phi(probe[i : i + 1])[0] for i in range(0, probe.size, 3)])
    slack = 64 * precision * (np.abs(single) + 1.0)
    with np.errstate(invalid="ignore"):
        apart = np.abs(single - whole[::3]) > slack
    if np.any(apart):
        raise ValueError(
            "the activation is not pointwise: an entry's value depends on the others (softmax and "
            "normalisations are layers, not activations)."
        )
