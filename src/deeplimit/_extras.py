"""Optional dependencies: imported when they are needed, with an error that says how to get them."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import Literal

__all__ = ["Extra", "available", "require"]

Extra = Literal["torch", "jax", "tables", "plot", "fast", "graphics", "cluster"]


def available(module: str) -> bool:
    """Say whether a module can be found, without importing it.

    Parameters
    ----------
    module : str
        Name of a module, possibly dotted.

    Returns
    -------
    bool
        True if the top-level package of `module` is installed.

    Examples
    --------
    >>> available("numpy"), available("a_module_nobody_wrote")
    (True, False)
    """
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def require(module: str, *, extra: Extra, purpose: str) -> ModuleType:
    """Import an optional module, or say in one sentence how to install it.

    Parameters
    ----------
    module : str
        Name of the module to import, possibly dotted.
    extra : {"torch", "jax", "tables", "plot", "fast", "graphics", "cluster"}
        Extra of this package that installs `module`.
    purpose : str
        What the module is wanted for, as the subject of a sentence: ``"reading a Parquet file"``.

    Returns
    -------
    types.ModuleType
        The imported module.

    Raises
    ------
    ImportError
        If the module is absent, or present but unable to load; the message tells which.

    Examples
    --------
    >>> require("math", extra="fast", purpose="an example").sqrt(4.0)
    2.0
    >>> require("a_module_nobody_wrote", extra="plot", purpose="drawing an activation")
    Traceback (most recent call last):
        ...
    ImportError: drawing an activation needs a_module_nobody_wrote, ...
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        absent = isinstance(error, ModuleNotFoundError) and error.name == package
        state = "is not installed" if absent else f"is installed but fails to load ({error})"
        raise ImportError(
            f'{purpose} needs {package}, which {state}: pip install "deeplimit[{extra}]"',
            name=package,
        ) from error
