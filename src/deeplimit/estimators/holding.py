"""From the examples a classifier keeps to what its rule decides by, with an engine that follows."""

from __future__ import annotations

from typing import Any

from deeplimit.engines.choice import WORTH_COMPILING, check_engine
from deeplimit.engines.live import LiveEngine
from deeplimit.estimators.examples import Examples
from deeplimit.sums.engine import RadialKernel


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

    def followed(kernel: RadialKernel) -> LiveEngine | None:
        return _followed(model, kernel) if live else None

    return Examples(
        lambda: model._X, model._index, model._weight, model.lift_, model._n_present,
        model.n_jobs, engine=engine, held=followed,
    )  # fmt: skip


def _followed(model: Any, kernel: RadialKernel) -> LiveEngine | None:
    """Give the engine of a classifier's kernel, the changes since it was made followed."""
    if kernel is not getattr(model, "kernel_", None):
        return None
    examples = model._examples
    weighting = model._once("weighting", model._make_weighting)
    factors = weighting.factors(examples.codes, examples.weights)
    # In place: what a prediction prepares is no change of the model.
    kept: dict[str, LiveEngine] = model.__dict__.setdefault("_live", {})
    live = kept.get("engine")
    if live is None or live.kernel is not kernel or not live.follow(model.lift_, factors):
        live = LiveEngine(
            check_engine(model.engine), kernel, model.lift_, examples, factors,
            n_jobs=model.n_jobs,
        )  # fmt: skip
        kept["engine"] = live
    return live
