"""Evidence for a regime: the kernel itself, followed layer by layer."""

from deeplimit.evidence.sweep import DepthSweep, depth_sweep

__all__ = ["DepthSweep", "depth_sweep"]
