"""Kernels of infinitely wide networks: of finite depth, and their limit."""

from deeplimit.kernels.limit import LimitKernel
from deeplimit.kernels.network import NetworkKernel
from deeplimit.kernels.power import PowerKernel

__all__ = ["LimitKernel", "NetworkKernel", "PowerKernel"]
