"""Dual maps: what one infinitely wide layer does to the correlation of two inputs."""

from deeplimit.duals.base import Dual

__all__ = ["Dual"]
