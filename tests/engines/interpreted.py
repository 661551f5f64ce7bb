"""Run the fused kernel in Triton's interpreter, which is chosen when Triton is loaded: a program.

    TRITON_INTERPRET=1 python interpreted.py
    DEEPLIMIT_DEVICE=cuda python interpreted.py  # the same on a card

prints as JSON what `adversary.errors` finds, and what else needs the interpreter.
"""

from __future__ import annotations

import dataclasses
import json

import numpy as np

from deeplimit.engines import fused, graphics
from deeplimit.engines.graphics import GraphicsEngine
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import fit_lift
from engines import adversary


def several_chunks():
    """Give the error where a class fills several chunks, and whether a second call repeats it."""
    rng = np.random.default_rng(3)
    X, Q, y = rng.standard_normal((8500, 2)), rng.standard_normal((50, 2)), np.zeros(8500, int)
    lift, kernel = fit_lift(X), PowerKernel(2.0)
    engine = GraphicsEngine(lift, X, y, None, 1, device=adversary.DEVICE)
    once, again = (engine.class_sums(kernel, Q) for _ in range(2))
    same = all(
        getattr(once, field.name).tobytes() == getattr(again, field.name).tobytes()
        for field in dataclasses.fields(once)
    )
    return adversary.error(once, adversary.reference(kernel, lift, X, y, None, Q, 1)), same


def crowded():
    """Give the error where more pairs are near than a list holds."""
    graphics._FEWEST, graphics._REFINED, graphics._MOST = 3, 0.0, 40
    rng = np.random.default_rng(4)
    X = rng.standard_normal((60, 3))
    X[30:] = X[0]
    Q = X[27:31]
    lift, kernel, y = fit_lift(X, "euclidean"), PowerKernel(3.0), np.arange(60) % 3
    engine = GraphicsEngine(lift, X, y, None, 3, device=adversary.DEVICE)
    ours = engine.class_sums(kernel, Q)
    return adversary.error(ours, adversary.reference(kernel, lift, X, y, None, Q, 3))


if __name__ == "__main__":
    # The kernel takes powers before it knows whether it may, and a card does not mind.
    np.seterr(divide="ignore", invalid="ignore")
    engine = GraphicsEngine(*adversary.case(2)[:3], None, 3, device=adversary.DEVICE)
    answer = {
        "fused": engine._chunk_terms is fused.chunk_terms,
        "errors": adversary.errors(),
        "chunks": several_chunks(),
        "crowded": crowded(),
    }
    print(json.dumps(answer))
