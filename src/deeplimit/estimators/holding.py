"""From the examples a classifier keeps to what its rule decides by, with an engine that follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from deeplimit.engines.choice import WORTH_COMPILING, check_engine
from deeplimit.engines.live import Follower, LiveEngine
from deeplimit.estimators.examples import Examples
from deeplimit.sums.engine import RadialKernel

Floats = NDArray[np.float64]
F = TypeVar("F", bound=Follower)


def held(model: Any) -> Examples:
    """Give what the rule of a classifier decides by.

    Parameters
    ----------
    model : ExampleClassifier
        The classifier. Where its engine takes time to be made ready it keeps one, in `_live`, from
        change to change.

    Returns
    -------
    object
        An `Examples`, which asks for the engine when a sum is wanted.
    """
    engine = check_engine(model.engine)
    large = model._examples.n_slots >= WORTH_COMPILING
    live = engine == "compiled" or (engine != "reference" and large)

    def holds(kernel: RadialKernel) -> LiveEngine | None:
        if not live or kernel is not getattr(model, "kernel_", None):
            return None
        return followed(
            model, "engine", kernel,
            lambda factors: LiveEngine(
                engine, kernel, model.lift_, model._examples, factors, n_jobs=model.n_jobs
            ),
        )  # fmt: skip

    return Examples(
        lambda: model._X, model._index, model._weight, model.lift_, model._n_present,
        model.n_jobs, engine=engine, held=holds,
    )  # fmt: skip


def followed(model: Any, name: str, kernel: RadialKernel, make: Callable[[Floats], F]) -> F:
    """Give what a classifier keeps in `_live`, the changes since it was made followed.

    Parameters
    ----------
    model : ExampleClassifier
        The classifier.
    name : str
        What it is kept as.
    kernel : RadialKernel
        What it is made for.
    make : callable
        Makes it anew of the factors of the classes, where it cannot follow.

    Returns
    -------
    Follower
    """
    weighting = model._once("weighting", model._make_weighting)
    factors = weighting.factors(model._examples.codes, model._examples.weights)
    # In place: what a prediction prepares is no change of the model.
    kept: dict[str, F] = model.__dict__.setdefault("_live", {})
    found = kept.get(name)
    if found is None or found.kernel is not kernel or not found.follow(model.lift_, factors):
        found = kept[name] = make(factors)
    return found
