"""Classifiers and a regressor in scikit-learn's manner."""

from deeplimit.estimators.card import ModelCard
from deeplimit.estimators.columns import Columns
from deeplimit.estimators.contributions import Contributions
from deeplimit.estimators.deep_limit import DeepLimitClassifier
from deeplimit.estimators.findings import Findings
from deeplimit.estimators.flips import Flip
from deeplimit.estimators.left_out import LeftOut
from deeplimit.estimators.named import (
    HilbertClassifier,
    MajorityVoteClassifier,
    OneNearestNeighborClassifier,
)
from deeplimit.estimators.network_kernel import NetworkKernelClassifier
from deeplimit.estimators.regressor import DeepLimitRegressor
from deeplimit.estimators.stored import StoreClassifier
from deeplimit.estimators.support import Support

__all__ = [
    "DeepLimitClassifier",
    "DeepLimitRegressor",
    "NetworkKernelClassifier",
    "OneNearestNeighborClassifier",
    "MajorityVoteClassifier",
    "HilbertClassifier",
    "StoreClassifier",
    "Contributions",
    "Flip",
    "LeftOut",
    "Columns",
    "Support",
    "Findings",
    "ModelCard",
]
