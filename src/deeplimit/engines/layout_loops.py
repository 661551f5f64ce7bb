"""The compiled loop that lays images out in blocks, coordinates first."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimit.engines.instructions import compiled


@compiled
def lay_out(rows: Any, order: Any, centre: Any, factor: float, x: Any, norms: Any) -> None:
    """Write (rows[order] - centre)·factor into panels (b, B/P, D, P), and the norms of these."""
    block, panel = norms.shape[1], x.shape[3]
    for i in range(order.size):
        b, j, row = i // block, i % block, order[i]
        p, lane = j // panel, j % panel
        total = 0.0
        for k in range(rows.shape[1]):
            value = (rows[row, k] - centre[k]) * factor
            x[b, p, k, lane] = value
            total += value * value
        norms[b, j] = np.sqrt(total)
