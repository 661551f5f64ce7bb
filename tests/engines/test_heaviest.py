"""Long lists of the heaviest examples."""

from __future__ import annotations

import numpy as np
import pytest

from deeplimit.engines import CompiledEngine, neighbours
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import fit_lift, top_contributors


@pytest.mark.parametrize("k", [512, 513, 3000])
def test_long_lists_are_those_of_the_reference(monkeypatch, k):
    # The loops insert, which takes the square of the length: only short lists are theirs.
    rng = np.random.default_rng(0)
    X, Q = rng.integers(0, 9, (3000, 4)).astype(float), rng.standard_normal((5, 4))
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
    asked, nearest = [], neighbours._nearest

    def listed(*arguments):
        asked.append(arguments[-1])
        return nearest(*arguments)

    monkeypatch.setattr(neighbours, "_nearest", listed)
    engine = CompiledEngine(lift, X, np.zeros(3000, np.int64), None, 1)
    found = engine.top_contributors(kernel, Q, k)
    expected = top_contributors(kernel, lift, X, None, Q, k)
    assert asked == ([512] if k == 512 else [])
    assert np.array_equal(found.indices, expected.indices)
    np.testing.assert_allclose(found.log_weights, expected.log_weights, rtol=1e-13, atol=1e-13)
