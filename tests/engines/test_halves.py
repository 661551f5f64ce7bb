from __future__ import annotations

import numpy as np
import pytest

from deeplimit.engines.eager import pytorch
from deeplimit.engines.halves import split


def matrix(scale=0, columns=20):
    rng = np.random.default_rng(columns)
    return rng.standard_normal((50, columns)) * 2.0**scale


@pytest.mark.parametrize("scale", [-60, -20, 0, 15])
def test_two_halves_have_twenty_two_bits(scale):
    exact = matrix(scale)
    found = split(pytorch().from_numpy(exact)).wide().numpy()
    largest = np.abs(exact).max(axis=1, keepdims=True)
    assert np.all(np.abs(found - exact) <= np.maximum(2.0**-23 * np.abs(exact), 2.0**-39 * largest))
    # Less than 22 bits would not do, and there are no more.
    assert np.max(np.abs(found / exact - 1.0)) > 2.0**-24


def test_small_columns_beside_large_ones_keep_what_is_said():
    exact = matrix() * np.logspace(-12, 0, 20)
    halves = split(pytorch().from_numpy(exact))
    largest = np.abs(exact).max(axis=1, keepdims=True)
    bound = np.maximum(2.0**-23 * np.abs(exact), 2.0**-39 * largest)
    assert np.all(np.abs(halves.wide().numpy() - exact) <= bound)
    assert halves.high.abs().max() <= 2**15


def test_exponents_may_be_given():
    torch = pytorch()
    exact = torch.from_numpy(matrix())
    exponents = torch.full((50,), 5, dtype=torch.int32)
    halves = split(exact, exponents)
    assert halves.exponents is exponents
    assert halves.units().tolist() == [2.0**-10] * 50
    assert (halves.wide() - exact).abs().max() <= 2.0**-22 * exact.abs().max()


@pytest.mark.parametrize("tiny", [0.0, 1e-300])
def test_rows_of_nothing_are_nothing(tiny):
    halves = split(pytorch().full((3, 4), tiny, dtype=pytorch().float64))
    assert not halves.wide().any()
    assert halves.units().isfinite().all()


def test_the_product_left_out_is_small():
    q, x = (split(pytorch().from_numpy(matrix(columns=c))) for c in (40, 40))
    exact = q.wide() @ x.wide().T
    units = (q.units()[:, None] * x.units()[None, :]).double()
    high, low = (a.high.double() for a in (q, x)), (a.low.double() for a in (q, x))
    (qh, xh), (ql, xl) = high, low
    three = (qh @ xh.T + qh @ xl.T + ql @ xh.T) * units
    size = q.wide().norm(dim=1)[:, None] * x.wide().norm(dim=1)[None, :]
    assert ((three - exact).abs() / size).max() <= 2.0**-22
