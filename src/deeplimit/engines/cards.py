"""What a graphics card can do, and what computes on it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

from deeplimit._extras import available, require
from deeplimit.engines import eager
from deeplimit.engines.eager import Terms, pytorch

__all__ = [
    "backend_of",
    "device_of",
    "fast_double",
    "full_products",
    "shared_memory",
    "step_error",
]

# Compute capabilities at which tensor cores were measured, and that do float64 at half the rate of
# float32, with tensor cores for it.
_MEASURED = ((9, 0),)
_DOUBLE = ((8, 0), (9, 0), (10, 0))
# Shared memory of a block of threads, in bytes: of a card that does not say, and of the largest.
_LITTLE, _LARGE = 49152, 232448
# The first Triton that multiplies in float64.
_TRITON = (3, 5)


def device_of(name: str | None) -> Any:
    """Give the device asked for, or the processor in its place.

    Parameters
    ----------
    name : str or None
        "cuda", "cpu" or such as "cuda:1"; None means a card if there is one.

    Returns
    -------
    torch.device
        The device; where a card was named and none is there, a warning says so.

    Raises
    ------
    ValueError
        If the name is none of these.

    Examples
    --------
    >>> device_of("cpu")
    device(type='cpu')
    """
    torch = pytorch()
    there = torch.cuda.is_available()
    if name is None:
        return torch.device("cuda" if there else "cpu")
    if name.partition(":")[0] not in ("cuda", "cpu"):
        raise ValueError(f'device must be "cuda" or "cpu", {name!r} was got')
    if name.startswith("cuda") and not there:
        warnings.warn(
            "no GPU can be used by torch here: the sums are computed on the processor",
            UserWarning,
            stacklevel=3,
        )
        return torch.device("cpu")
    return torch.device(name)


def backend_of(device: Any) -> Callable[..., Terms]:
    """Give the fused kernel on a card, and in Triton's interpreter; else operations of torch.

    Parameters
    ----------
    device : torch.device
        The device.

    Returns
    -------
    callable
        One of the functions named `chunk_terms`.
    """
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    if device.type != "cuda" and not interpreted:
        return eager.chunk_terms
    found = _triton()
    if found is None or found < _TRITON:
        state = "not installed" if found is None else "older than 3.5"
        warnings.warn(
            f"triton is {state}: the GPU computes the sums by operations of torch, some ten times "
            "slower",
            UserWarning,
            stacklevel=3,
        )
        return eager.chunk_terms
    from deeplimit.engines import fused  # which cannot be imported without Triton

    return fused.chunk_terms


def step_error(device: Any) -> float:
    """Give what a step of tensor cores may lose: 4 units as measured, twice that elsewhere.

    Parameters
    ----------
    device : torch.device
        The device.

    Returns
    -------
    float
        Units in the last place of |q|² + |x|².
    """
    if device.type != "cuda":
        return 4.0
    return 4.0 if pytorch().cuda.get_device_capability(device) in _MEASURED else 8.0


def full_products() -> bool:
    """Say whether torch multiplies matrices of float32 in float32, and not in less.

    Returns
    -------
    bool
        Whether nobody has set it otherwise.
    """
    torch = pytorch()
    if not hasattr(torch.backends, "fp32_precision"):  # before torch 2.9
        return bool(torch.get_float32_matmul_precision() == "highest")
    switches = (torch.backends, torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)
    return all(switch.fp32_precision in ("none", "ieee") for switch in switches)


def fast_double(device: Any) -> bool:
    """Say whether a card multiplies in float64 sooner than it subtracts in float32.

    Parameters
    ----------
    device : torch.device
        The device.

    Returns
    -------
    bool
        True for the cards of data centres, false for all others and for the processor.
    """
    return device.type == "cuda" and pytorch().cuda.get_device_capability(device) in _DOUBLE


def shared_memory(device: Any) -> int:
    """Give the shared memory that a block of threads may have.

    Parameters
    ----------
    device : torch.device
        The device.

    Returns
    -------
    int
        Bytes; as on a large card where an interpreter stands for it.
    """
    if device.type != "cuda":
        return _LARGE
    properties = pytorch().cuda.get_device_properties(device)
    return int(getattr(properties, "shared_memory_per_block_optin", _LITTLE))


def _triton() -> tuple[int, ...] | None:
    """Give the version of Triton, or None where there is none."""
    if not available("triton"):
        return None
    version = require("triton", extra="graphics", purpose="the graphics engine").__version__
    return tuple(int(part) for part in version.split(".")[:2])
