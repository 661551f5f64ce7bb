"""What the sums are held against: the definitions, written out in many digits."""

from __future__ import annotations

import mpmath as mp
import numpy as np

from deeplimit.sums import Lift

DIGITS = 80


def exact_gap(lift: Lift, x: np.ndarray, z: np.ndarray) -> mp.mpf:
    """Give 1 - cos of the images of two rows as the formula of the lift says."""
    with mp.workdps(DIGITS + 700):
        x, z = [mp.mpf(float(v)) for v in x], [mp.mpf(float(v)) for v in z]
        if lift.kind in ("none", "euclidean"):
            unit = mp.mpf(2) ** getattr(lift, "exponent", 0)
            return mp.fsum(((v - w) / unit) ** 2 for v, w in zip(x, z, strict=True)) / 2
        flat = lift.kind == "normalize"
        centre = [mp.mpf(0) if flat else mp.mpf(float(v)) for v in lift.centre]
        r = mp.mpf(0) if flat else mp.mpf(lift.scale)
        a = [v - c for v, c in zip(x, centre, strict=True)]
        b = [v - c for v, c in zip(z, centre, strict=True)]
        aa, bb = mp.fsum(v * v for v in a) + r * r, mp.fsum(v * v for v in b) + r * r
        if lift.kind == "stereographic":
            return 2 * r * r * mp.fsum((v - w) ** 2 for v, w in zip(a, b, strict=True)) / (aa * bb)
        ab = mp.fsum(v * w for v, w in zip(a, b, strict=True)) + r * r
        return 1 - ab / mp.sqrt(aa * bb)


def relative_error(value: float, exact: mp.mpf) -> float:
    if exact == 0:
        return 0.0 if value == 0 else float("inf")
    return float(abs((mp.mpf(float(value)) - exact) / exact))


def exact_sums(logs, signs, index, weights, n_classes):
    """Give for one query the sums of either sign of each class, and those of its hits."""
    plus, minus = [mp.mpf(0)] * n_classes, [mp.mpf(0)] * n_classes
    hit_plus, hit_minus = [mp.mpf(0)] * n_classes, [mp.mpf(0)] * n_classes
    with mp.workdps(DIGITS):
        for log, sign, c, w in zip(logs, signs, index, weights, strict=True):
            target = (plus, minus) if np.isfinite(log) else (hit_plus, hit_minus)
            term = mp.mpf(float(w))
            if np.isfinite(log):
                term *= mp.exp(mp.mpf(float(log)))
            if sign == 0 or log == -np.inf:
                continue
            target[0 if sign > 0 else 1][c] += term
    return plus, minus, hit_plus, hit_minus
