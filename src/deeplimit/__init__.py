"""What a neural network becomes when it is infinitely wide and infinitely deep, as a classifier.

The names below are loaded when they are first used, so that ``import deeplimit`` itself is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Where each public name lives.
_HOMES = {
    "Activation": "activations",
    "LimitKernel": "kernels",
    "NetworkKernel": "kernels",
    "PowerKernel": "kernels",
    "taxonomy": "regimes",
    "Taxonomy": "regimes",
    "depth_sweep": "evidence",
    "design": "designs",
    "families": "designs",
    "DeepLimitClassifier": "estimators",
    "DeepLimitRegressor": "estimators",
    "NetworkKernelClassifier": "estimators",
    "OneNearestNeighborClassifier": "estimators",
    "MajorityVoteClassifier": "estimators",
    "HilbertClassifier": "estimators",
    "StoreClassifier": "estimators",
    "ExampleStore": "store",
    "FiniteNetworkClassifier": "networks",
    "TableEncoder": "tables",
    "read_table": "tables",
    "save": "persist",
    "load": "persist",
}

__all__ = list(_HOMES)

if TYPE_CHECKING:
    from deeplimit.activations import Activation as Activation
    from deeplimit.designs import design as design
    from deeplimit.designs import families as families
    from deeplimit.estimators import DeepLimitClassifier as DeepLimitClassifier
    from deeplimit.estimators import DeepLimitRegressor as DeepLimitRegressor
    from deeplimit.estimators import HilbertClassifier as HilbertClassifier
    from deeplimit.estimators import MajorityVoteClassifier as MajorityVoteClassifier
    from deeplimit.estimators import NetworkKernelClassifier as NetworkKernelClassifier
    from deeplimit.estimators import OneNearestNeighborClassifier as OneNearestNeighborClassifier
    from deeplimit.estimators import StoreClassifier as StoreClassifier
    from deeplimit.evidence import depth_sweep as depth_sweep
    from deeplimit.kernels import LimitKernel as LimitKernel
    from deeplimit.kernels import NetworkKernel as NetworkKernel
    from deeplimit.kernels import PowerKernel as PowerKernel
    from deeplimit.networks import FiniteNetworkClassifier as FiniteNetworkClassifier
    from deeplimit.persist import load as load
    from deeplimit.persist import save as save
    from deeplimit.regimes import Taxonomy as Taxonomy
    from deeplimit.regimes import taxonomy as taxonomy
    from deeplimit.store import ExampleStore as ExampleStore
    from deeplimit.tables import TableEncoder as TableEncoder
    from deeplimit.tables import read_table as read_table


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'deeplimit' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"deeplimit.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
