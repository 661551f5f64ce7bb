"""Run the fused kernel in Triton's interpreter, which is chosen when Triton is loaded: a program.

    TRITON_INTERPRET=1 python interpreted.py
    DEEPLIMIT_DEVICE=cuda python interpreted.py  # the same on a card

prints as JSON what `adversary.errors` finds, and what else needs the interpreter.
"""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import triton
from triton import language as tl

from deeplimit.engines import fused, graphics, tiles
from deeplimit.engines.eager import pytorch
from deeplimit.engines.graphics import GraphicsEngine
from deeplimit.engines.halves import split
from deeplimit.engines.precision import BLOCK
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
    graphics._FEWEST, graphics._REFINED, graphics._ON_CARD, graphics._MOST = 3, 0.0, 0.0, 40
    rng = np.random.default_rng(4)
    X = rng.standard_normal((60, 3))
    X[30:] = X[0]
    Q = X[27:31]
    lift, kernel, y = fit_lift(X, "euclidean"), PowerKernel(3.0), np.arange(60) % 3
    engine = GraphicsEngine(lift, X, y, None, 3, device=adversary.DEVICE)
    ours = engine.class_sums(kernel, Q)
    return adversary.error(ours, adversary.reference(kernel, lift, X, y, None, Q, 3))


product = tiles._product


@triton.jit
def blocks(queries, queries_low, examples, examples_low, out, D: tl.constexpr, BLOCK: tl.constexpr):
    """Multiply rows in halves, block by block, as the kernel does."""
    lanes, steps = tl.arange(0, 128), tl.arange(0, BLOCK)
    at_q, at_x = lanes[:, None] * D + steps[None, :], lanes[None, :] * D + steps[:, None]
    total = tl.zeros((128, 128), dtype=tl.float32)
    for k in range(0, D, BLOCK):
        q, q_low = tl.load(queries + k + at_q), tl.load(queries_low + k + at_q)
        x, x_low = tl.load(examples + k + at_x), tl.load(examples_low + k + at_x)
        total += product(q, q_low, x, x_low)
    tl.store(out + lanes[:, None] * 128 + lanes[None, :], total)


def lost():
    """Give the largest error of products of halves, in units of 2^-24 |q| |x|."""
    torch, worst = pytorch(), 0.0
    rng = np.random.default_rng(6)
    for columns in (BLOCK, 4 * BLOCK):
        flat = rng.standard_normal((2, 128, columns))
        falling = np.exp(-8.0 * np.arange(columns) / columns)
        # Sums that grow to the end; that are large from the start; of unlike signs.
        for q, x in (flat[[0, 0]], (np.abs(flat) + 0.5) * falling, flat):
            q, x = (split(torch.from_numpy(a).to(adversary.DEVICE)) for a in (q, x))
            out = torch.empty((128, 128), device=adversary.DEVICE)
            blocks[(1,)](q.high, q.low, x.high, x.low, out, D=columns, BLOCK=BLOCK, num_warps=8)
            ours = out.double() * (q.units()[:, None] * x.units()[None, :]).double()
            size = q.wide().norm(dim=1)[:, None] * x.wide().norm(dim=1)[None, :]
            error = (ours - q.wide() @ x.wide().T).abs() / size
            worst = max(worst, float(error.max()) * 2.0**24)
    return worst


if __name__ == "__main__":
    # The kernel takes powers before it knows whether it may, and a card does not mind.
    np.seterr(all="ignore")
    engine = GraphicsEngine(*adversary.case(2)[:3], None, 3, device=adversary.DEVICE)
    answer = {
        "fused": engine._chunk_terms is fused.chunk_terms,
        "errors": adversary.errors(),
        "chunks": several_chunks(),
        "crowded": crowded(),
        "lost": lost(),
    }
    print(json.dumps(answer))
