"""The classes a model file may name: loading builds these and no others."""

from __future__ import annotations

import importlib
from typing import Any, TypeVar

__all__ = ["class_named", "name_of", "register"]

C = TypeVar("C", bound=type)

# Name in the file -> where the class lives. Imported when a file asks for it, never before.
BUILT_IN = {
    "Pipeline": "sklearn.pipeline:Pipeline",
    "TableCoder": "deeplimit.tables:TableCoder",
    "TableEncoder": "deeplimit.tables:TableEncoder",
    "Activation": "deeplimit.activations.activation:Activation",
    "LimitKernel": "deeplimit.kernels.limit:LimitKernel",
    "NetworkKernel": "deeplimit.kernels.network:NetworkKernel",
    "PowerKernel": "deeplimit.kernels.power:PowerKernel",
    "HemisphereLift": "deeplimit.sums.projective:HemisphereLift",
    "StereographicLift": "deeplimit.sums.projective:StereographicLift",
    "NormalizeLift": "deeplimit.sums.projective:NormalizeLift",
    "UnitLift": "deeplimit.sums.sphere:UnitLift",
    "EuclideanLift": "deeplimit.sums.sphere:EuclideanLift",
    "TableModel": "deeplimit.estimators.table_model:TableModel",
    "ExampleSet": "deeplimit.examples.example_set:ExampleSet",
    "DeepLimitClassifier": "deeplimit.estimators.deep_limit:DeepLimitClassifier",
    "OneNearestNeighborClassifier": "deeplimit.estimators.named:OneNearestNeighborClassifier",
    "MajorityVoteClassifier": "deeplimit.estimators.named:MajorityVoteClassifier",
    "HilbertClassifier": "deeplimit.estimators.named:HilbertClassifier",
    "NetworkKernelClassifier": "deeplimit.estimators.network_kernel:NetworkKernelClassifier",
    "DeepLimitRegressor": "deeplimit.estimators.regressor:DeepLimitRegressor",
}

_registered: dict[str, type] = {}


def register(cls: C) -> C:
    """Allow a class in model files, under its own name.

    The class must be scikit-learn-like: built by ``cls(**params)`` from what
    ``get_params(deep=False)`` returns, with everything fitted in its attributes. A class that is
    not may define ``_to_state(self) -> State`` and ``_from_state(cls, state)`` instead; names of
    attributes that need not be saved go in ``_transient``, a frozenset.

    Parameters
    ----------
    cls : type
        The class.

    Returns
    -------
    type
        `cls` itself, so that the function serves as a decorator.

    Raises
    ------
    TypeError
        If `cls` is not a class.
    ValueError
        If another class already has this name.

    See Also
    --------
    save : Write an estimator of a registered class to a file.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from deeplimit.persist import register
    >>> @register
    ... class Doubler(BaseEstimator):
    ...     def transform(self, X):
    ...         return 2 * X
    """
    if not isinstance(cls, type):
        raise TypeError(f"register takes a class, got {cls!r}.")
    name = cls.__name__
    taken = _registered.get(name)
    same = taken is not None and (taken.__module__, taken.__qualname__) == (
        cls.__module__,
        cls.__qualname__,
    )
    if name in BUILT_IN or (taken is not None and not same):
        raise ValueError(
            f"Another class is already registered as {name!r}; give {cls.__module__}.{name} a "
            "name of its own."
        )
    _registered[name] = cls
    return cls


def class_named(name: Any) -> type:
    """Return the registered class of this name, importing its module when it is a built-in one."""
    if isinstance(name, str):
        if name in _registered:
            return _registered[name]
        if name in BUILT_IN:
            module, _, attribute = BUILT_IN[name].partition(":")
            found: type = getattr(importlib.import_module(module), attribute)
            return found
    raise ValueError(
        f"{name!r} is not a class model files may hold; registered are "
        f"{', '.join(sorted({*BUILT_IN, *_registered}))}."
    )


def name_of(cls: type) -> str | None:
    """Return the name `cls` is registered under, None when it is not.

    A subclass is not, unless ``_saved_as`` names the class it may be saved as.
    """
    name: str = getattr(cls, "_saved_as", cls.__name__)
    if _registered.get(name) is cls:
        return name
    if name != cls.__name__ and issubclass(cls, class_named(name)):
        return name
    # Comparing the address first keeps an unrelated class from importing anything.
    module, _, attribute = BUILT_IN.get(name, "").partition(":")
    if module and attribute == name and cls.__module__.startswith(module):
        return name if class_named(name) is cls else None
    return None
