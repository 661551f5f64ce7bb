"""The compiled loop that lays images out in blocks, coordinates first."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimit.engines.instructions import compiling


@compiling(fastmath=True, counts=True)
def lay_out(rows: Any, order: Any, centre: Any, factor: float, x: Any, norms: Any) -> None:
    """Write (rows[order] - centre)·factor into panels (b, B/P, D, P), and the norms of these.

    A panel is written row by row beside, and then turned: both loops read or write what lies
    together, and what lies apart is in the first cache.
    """
    block, columns, panel = norms.shape[1], x.shape[2], x.shape[3]
    beside = np.empty((panel, columns), x.dtype)
    for first in range(0, order.size, panel):
        b, p = first // block, first % block // panel
        count = min(panel, order.size - first)
        for lane in range(count):
            row, line, total = rows[order[first + lane]], beside[lane], 0.0
            for k in range(columns):
                value = (row[k] - centre[k]) * factor
                line[k] = value
                total += value * value
            norms[b, p * panel + lane] = np.sqrt(total)
        turned = x[b, p]
        for k in range(columns):
            line = turned[k]
            for lane in range(count):
                line[lane] = beside[lane, k]
