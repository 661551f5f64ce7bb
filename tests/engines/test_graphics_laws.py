"""The laws of all engines, for the graphics engine: on the processor, or as DEEPLIMIT_DEVICE says.

    DEEPLIMIT_DEVICE=cuda python -m pytest tests/engines -k graphics

runs these and the hard cases of `test_graphics` with the fused kernel on a card.
"""

from __future__ import annotations

from deeplimit.engines.graphics import GraphicsEngine
from engines.adversary import DEVICE
from engines.laws import EngineLaws


class TestGraphics(EngineLaws):
    tolerance = 1e-5

    def make(self, lift, X, y, w, n_classes, **options):
        return GraphicsEngine(lift, X, y, w, n_classes, device=DEVICE, **options)
