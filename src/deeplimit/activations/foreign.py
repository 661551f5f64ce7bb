"""Activations given as functions of other libraries, called as functions of NumPy arrays."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import require

Array = NDArray[np.float64]
Way = Literal["numpy", "scalar", "torch", "jax"]

#: Rounding of double precision, and of functions that compute in less.
DOUBLE = float(np.finfo(np.float64).eps)
_PRECISIONS = {"float64": DOUBLE, "float32": 6e-8, "float16": 5e-4, "bfloat16": 4e-3}


class _RefusedError(ValueError):
    """The function can be called, but it is no activation."""


class ForeignFunction:
    """A pointwise function of any library, from float64 arrays to float64 arrays.

    Parameters
    ----------
    function : callable
        The function as it was given.
    way : {"numpy", "scalar", "torch", "jax"}
        What it is called with: arrays of a library, or one float at a time.

    Attributes
    ----------
    precision : float
        Relative rounding of its values, from the type of those given last.
    original : callable
        The function as it was given; what is called is a copy in double precision if it is a
        PyTorch module.

    Examples
    --------
    >>> import math
    >>> ForeignFunction(math.tanh, "scalar")(np.array([0.0, 1.0]))
    array([0.        , 0.76159416])
    """

    def __init__(self, function: Callable[..., Any], way: Way) -> None:
        self.original, self.way = function, way
        self._function = _in_double(function)
        self.precision = DOUBLE

    def __call__(self, z: Array) -> Array:
        """Evaluate; one row, and a copy of the argument, is all that the function gets to see."""
        row = np.array(z, dtype=np.float64).ravel()
        with np.errstate(all="ignore"):
            values, kind = getattr(self, f"_call_{self.way}")(row)
        if values.dtype.kind == "O" and values.shape == row.shape:
            values = np.array([_real(value) for value in values])
        if values.dtype.kind not in "biufc":
            raise TypeError("it does not return numbers")
        if values.shape != row.shape:
            raise _RefusedError(
                f"an activation acts on each entry: given shape {row.shape} it returned "
                f"{values.shape}."
            )
        if np.iscomplexobj(values):
            raise _RefusedError("an activation must be real, this one returned complex numbers.")
        self.precision = _PRECISIONS.get(kind, DOUBLE)
        return np.asarray(values, dtype=np.float64).reshape(np.shape(z))

    def _call_numpy(self, z: Array) -> tuple[NDArray[Any], str]:
        result = self._function(z)
        if type(result).__module__.split(".")[0] in ("jax", "jaxlib"):
            # JAX takes NumPy's arrays too, but computes in single precision unless told.
            self.way = "jax"
            return self._call_jax(z)
        values = np.asarray(result)
        return values, values.dtype.name

    def _call_scalar(self, z: Array) -> tuple[NDArray[Any], str]:
        return np.array([_real(self._function(float(x))) for x in z], dtype=np.float64), "float64"

    def _call_torch(self, z: Array) -> tuple[NDArray[Any], str]:
        torch = require("torch", extra="torch", purpose="an activation written in PyTorch")
        with torch.no_grad():
            result = self._function(torch.from_numpy(z))
        kind = str(result.dtype).removeprefix("torch.")
        values = result if result.is_complex() else result.double()
        return values.detach().cpu().numpy(), kind

    def _call_jax(self, z: Array) -> tuple[NDArray[Any], str]:
        jax = require("jax", extra="jax", purpose="an activation written in JAX")
        enable = getattr(jax, "enable_x64", None)
        if enable is None:
            enable = require(
                "jax.experimental", extra="jax", purpose="an activation written in JAX"
            ).enable_x64
        with enable(True):
            result = self._function(jax.numpy.asarray(z))
            kind = str(result.dtype)
            values = np.asarray(result if kind != "bfloat16" else result.astype("float32"))
        return values, kind


def adapt(function: Callable[..., Any]) -> ForeignFunction:
    """Make a pointwise function of any array library a function of NumPy arrays.

    Parameters
    ----------
    function : callable
        Of one argument: NumPy, PyTorch (functions and modules), JAX, or of one Python float.

    Returns
    -------
    ForeignFunction
        With the relative rounding of its values as ``precision``.

    Raises
    ------
    TypeError
        If no library's arrays are accepted.
    ValueError
        If the function is random, changes the shape, mixes the entries of its argument or gives
        complex numbers.

    Examples
    --------
    >>> import math
    >>> phi = adapt(math.tanh)
    >>> phi.way, phi(np.array([0.0, 1.0]))
    ('scalar', array([0.        , 0.76159416]))
    """
    probe = np.linspace(-2.3, 2.7, 12)
    problems: list[str] = []
    ways = _ways(function)
    for way in ways:
        phi = ForeignFunction(function, way)
        try:
            phi(probe)
        except _RefusedError:
            raise
        except ImportError:
            if len(ways) == 1:
                raise
            continue
        except Exception as error:  # whatever a foreign function raises for a foreign array
            problems.append(f"{type(error).__name__}: {error}")
            continue
        _check_pointwise(phi, probe)
        return phi
    first = problems[0].splitlines()[0][:200]
    raise TypeError(f"the activation cannot be called with an array of numbers ({first}).")


def _real(value: Any) -> float:
    if isinstance(value, complex):
        raise _RefusedError("an activation must be real, this one returned complex numbers.")
    return float(value)


def _is_torch_module(function: object) -> bool:
    return any(t.__module__.startswith("torch.") for t in type(function).__mro__)


def _in_double(function: Callable[..., Any]) -> Callable[..., Any]:
    """Copy a PyTorch module with its parameters in double precision; leave all else."""
    if _is_torch_module(function) and hasattr(function, "double"):
        module: Callable[..., Any] = copy.deepcopy(function).double()
        return module
    return function


def _ways(function: Callable[..., Any]) -> tuple[Way, ...]:
    owners = (getattr(owner, "__module__", None) for owner in (type(function), function))
    packages = {str(owner).partition(".")[0] for owner in owners}
    if "torch" in packages or _is_torch_module(function):
        return ("torch",)
    if packages & {"jax", "jaxlib", "flax"}:
        return ("jax",)
    return ("numpy", "scalar", "torch", "jax")


def _check_pointwise(phi: ForeignFunction, probe: Array) -> None:
    whole = phi(probe)
    if not np.array_equal(whole, phi(probe), equal_nan=True):
        raise ValueError("the activation is random: called twice it gave different values.")
    single = np.array([phi(probe[i : i + 1])[0] for i in range(0, probe.size, 3)])
    slack = 64 * phi.precision * (np.abs(single) + 1.0)
    with np.errstate(invalid="ignore"):
        apart = np.abs(single - whole[::3]) > slack
    if np.any(apart):
        raise ValueError(
            "the activation is not pointwise: an entry's value depends on the others (softmax and "
            "normalisations are layers, not activations)."
        )
