"""Networks of finite width, trained by gradient descent, whose limits the kernels are."""

from __future__ import annotations

from deeplimit.networks.classifier import FiniteNetworkClassifier
from deeplimit.networks.finite import FiniteNetwork, empirical_nngp, empirical_ntk
from deeplimit.networks.sweep import WidthSweep, width_sweep
from deeplimit.networks.training import Descent, gradient_descent

__all__ = [
    "Descent",
    "FiniteNetwork",
    "FiniteNetworkClassifier",
    "WidthSweep",
    "empirical_nngp",
    "empirical_ntk",
    "gradient_descent",
    "width_sweep",
]
