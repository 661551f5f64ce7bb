"""Which engine sums: by name, or by what there is to sum."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import available
from deeplimit.engines.compiled import CompiledEngine
from deeplimit.engines.graphics import GraphicsEngine
from deeplimit.engines.profiles import has_profile
from deeplimit.engines.reference import ReferenceEngine
from deeplimit.sums.engine import Engine, RadialKernel
from deeplimit.sums.lift import Lift

__all__ = ["EngineName", "check_engine", "choose_engine", "make_engine"]

EngineName = Literal["auto", "reference", "compiled", "single", "graphics"]

#: From this many examples on the compiled loops are worth their loading, about half a second.
WORTH_COMPILING = 2048


def check_engine(name: object) -> EngineName:
    """Check the name of an engine.

    Parameters
    ----------
    name : object
        What was given.

    Returns
    -------
    str
        The name.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> check_engine("compiled")
    'compiled'
    """
    for known in get_args(EngineName):
        if isinstance(name, str) and name == known:
            return known  # type: ignore[no-any-return]
    raise ValueError(f"engine must be one of {', '.join(get_args(EngineName))}; got {name!r}.")


def choose_engine(name: EngineName, kernel: RadialKernel, lift: Lift, n: int) -> EngineName:
    """Tell which engine serves.

    Parameters
    ----------
    name : {"auto", "reference", "compiled", "single", "graphics"}
        What is asked for.
    kernel : RadialKernel
        Kernel to sum.
    lift : Lift
        Fitted lift.
    n : int
        Number of examples.

    Returns
    -------
    str
        Any of them but "auto".

    Examples
    --------
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift
    >>> choose_engine("auto", PowerKernel(1.0), fit_lift([[0.0], [1.0]]), 10)
    'reference'
    """
    if name not in ("reference", "compiled") and n < WORTH_COMPILING:
        return "reference"
    if name == "auto":
        return "compiled" if available("numba") and has_profile(kernel, lift) else "reference"
    return name


def make_engine(
    name: EngineName,
    kernel: RadialKernel,
    lift: Lift,
    X: NDArray[np.float64],
    index: NDArray[np.int64],
    weight: NDArray[np.float64] | None,
    n_classes: int,
    *,
    n_jobs: int | None = 1,
) -> Engine:
    """Make examples ready for sums of a kernel.

    Parameters
    ----------
    name : {"auto", "reference", "compiled", "single", "graphics"}
        "compiled" is `CompiledEngine` in double precision, "single" the same in single, "graphics"
        the graphics card, "reference" NumPy. "auto" is "compiled" where numba is installed and its
        loops know the kernel, and "reference" otherwise: these two give the same sums to 1e-12, or
        to 1e-10 for kernels whose table is no better.
        Below 2,048 examples all but "compiled" are "reference": nothing is gained by less.
    kernel : RadialKernel
        Kernel to sum.
    lift : Lift
        Fitted lift.
    X : ndarray of shape (n, d)
        Examples.
    index : ndarray of int64, shape (n,)
        Class of each.
    weight : ndarray of shape (n,) or None
        Weights.
    n_classes : int
        Number of classes.
    n_jobs : int or None, default=1
        Threads.

    Returns
    -------
    Engine
        Ready for sums.

    Raises
    ------
    ValueError
        If the name is none, or the examples do not fit.
    ImportError
        If what the named engine needs is not installed.

    Warns
    -----
    UserWarning
        If "graphics" is asked for and no card can be used: the processor serves.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift
    >>> X, y = np.zeros((3, 1)), np.zeros(3, dtype=np.int64)
    >>> make_engine("auto", PowerKernel(1.0), fit_lift(X, "euclidean"), X, y, None, 1).name
    'reference'
    """
    name = choose_engine(check_engine(name), kernel, lift, len(X))
    if name == "reference":
        return ReferenceEngine(lift, X, index, weight, n_classes, n_jobs=n_jobs)
    if name == "graphics":
        # By its name, so that a warning tells where there is none.
        return GraphicsEngine(lift, X, index, weight, n_classes, device="cuda", n_jobs=n_jobs)
    return CompiledEngine(
        lift, X, index, weight, n_classes, n_jobs=n_jobs,
        precision="single" if name == "single" else "double",
    )  # fmt: skip
