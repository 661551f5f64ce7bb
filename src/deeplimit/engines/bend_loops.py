"""The compiled loop of broken lines, one for each of some columns."""

from __future__ import annotations

from typing import Any

from deeplimit.engines.instructions import compiling

# As NumPy would interpolate: no digit is traded for speed.
exactly = compiling(fastmath=False)


@exactly
def bend(
    X: Any, sources: Any, features: Any, starts: Any, knots: Any, values: Any, out: Any
) -> None:
    """Write what columns become under broken lines.

    Parameters
    ----------
    X : (m, p)
        Rows.
    sources, features : (b,)
        Column that each line is of, and where in `out` its values go.
    starts : (b + 1,)
        Where each line's knots begin among all, and where the last one's end.
    knots, values : (starts[-1],)
        Ascending knots of the lines, one after the other, and what they become.
    out : (m, q)
        Written to; beyond its knots a line stays what it is at the end.
    """
    for i in range(X.shape[0]):
        for b in range(sources.size):
            x, start, stop = X[i, sources[b]], starts[b], starts[b + 1]
            if not x > knots[start]:
                value = values[start]
            elif x >= knots[stop - 1]:
                value = values[stop - 1]
            else:
                low, size = start, stop - start
                # The last knot that is not beyond x; which half it is in cannot be foretold.
                while size > 1:
                    half = size >> 1
                    low = low + half if knots[low + half] <= x else low
                    size -= half
                part = (x - knots[low]) / (knots[low + 1] - knots[low])
                value = values[low] + part * (values[low + 1] - values[low])
            out[i, features[b]] = value
