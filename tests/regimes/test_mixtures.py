"""Random Hermite mixtures: the classification and the kernel itself must agree."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplimit.activations import Activation
from deeplimit.regimes import taxonomy

REGIMES = (
    "nearest-neighbour",
    "majority-vote",
    "singular-kernel",
    "conditionally-positive-definite",
)


#: Kinds of mixtures, with the regimes they can be in.
KINDS = {
    "general": REGIMES[1:2] + REGIMES[3:],
    "centred": REGIMES[2:3],
    "faint mean": REGIMES[1:2] + REGIMES[3:],
    "critical": REGIMES[1:2] + REGIMES[3:],
    "nearest": REGIMES[:1],
    "almost linear": REGIMES[2:3],
}
EXAMPLES = 37


@st.composite
def mixtures(draw, kind):
    """Hermite coefficients, some of them at the boundaries between regimes."""
    size = draw(st.integers(3, 8))
    parts = st.floats(1e-3, 1.0)
    a = np.array([draw(parts) ** draw(st.sampled_from([1, 3])) for _ in range(size)])
    if kind == "centred":
        a[0] = 0.0
    elif kind == "faint mean":
        a[0] = 0.0
        a *= 1.0 / a.sum()
        a[0] = 10.0 ** draw(st.floats(-12.0, -3.0))
    elif kind == "nearest":
        a[: draw(st.integers(2, size - 1))] = 0.0
    elif kind == "almost linear":
        a[0] = 0.0
        a[2:] *= 10.0 ** draw(st.floats(-7.0, -1.0))
        a[1] = 1.0
    elif kind == "critical":
        excess = draw(st.sampled_from([0.0, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2]))
        excess *= draw(st.sampled_from([-1.0, 1.0]))
        degree = size - 1
        top = draw(st.floats(0.02, 0.9)) / degree
        a = np.zeros(size)
        a[degree], a[1] = top, 1.0 + excess - degree * top
        a[0] = 1.0 - a[1] - top
        if degree == 1 or a.min() < 0.0:
            a = np.array([0.25 - excess / 2, 0.5, 0.25 + excess / 2])
    signs = np.array(draw(st.lists(st.sampled_from([-1.0, 1.0]), min_size=a.size, max_size=a.size)))
    return np.sqrt(a) * signs


@pytest.mark.parametrize("kind", KINDS)
def test_random_mixtures_are_classified_as_their_kernels_behave(kind):
    seen = Counter()

    @settings(max_examples=EXAMPLES)
    @given(mixtures(kind))
    def check(coefficients):
        t = taxonomy(Activation.from_hermite(coefficients))
        seen[t.regime] += 1
        if t.regime == "undecided":
            # Only where B' is 1 to its last digit, drawn so or by chance.
            assert abs(t.B1 - 1.0) <= 1e-15
            return
        assert t.regime in KINDS[kind]
        sweep = t.evidence
        if sweep.regime == "undecided":
            seen["unseen"] += 1
            return
        assert sweep.agrees_with(t), (t, sweep.comparison(t))

    check()
    assert sum(seen[regime] for regime in (*REGIMES, "undecided")) >= EXAMPLES
    assert seen["undecided"] <= (EXAMPLES // 2 if kind == "critical" else 2)
    assert seen["unseen"] <= 1


def test_there_are_two_hundred():
    assert len(KINDS) * EXAMPLES >= 200
