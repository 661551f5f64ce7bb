"""The generated sums of powers, for every exponent, form and width of register."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from deeplimit.engines import distances
from deeplimit.engines.alike import half_norms
from deeplimit.engines.digits import _WORST, LIMITS, lost
from deeplimit.engines.powers import WHOLE, power_sums, power_sums_by_products
from deeplimit.engines.powers import _series as series

# Panels of 256 bytes, 8 to a block.
LANES = {np.float32: 64, np.float64: 32}
TOLERANCE = {np.float32: 4e-6, np.float64: 2e-14}


def made():
    """Compile the two forms anew, for the registers there seem to be."""

    @numba.njit(fastmath=True, error_model="numpy")
    def by_differences(x, q, whole, half, inverse, far, sums, ends):
        power_sums(x, q, whole, half, inverse, far, sums, ends)

    @numba.njit(fastmath=True, error_model="numpy")
    def by_products(x, q, whole, half, inverse, far, sums, ends, mine, theirs, losses, halved):
        power_sums_by_products(
            x, q, mine, theirs, whole, half, inverse, far, sums, ends, losses, halved
        )

    return by_differences, by_products


@pytest.fixture(scope="module")
def forms():
    return made()


def case(kind, d, seed=0):
    """Draw a block of examples and a tile of queries, none near to each other."""
    rng = np.random.default_rng([seed, d])
    lanes = LANES[kind]
    x = rng.uniform(-1.0, 1.0, (8, d, lanes)).astype(kind)
    q = rng.uniform(2.0, 4.0, (d, 8)).astype(kind)
    rows = x.transpose(0, 2, 1).reshape(-1, d).astype(np.longdouble)
    u = ((rows[None] - q.T.astype(np.longdouble)[:, None]) ** 2).sum(axis=2)
    return x, q, u


def norms(rows):
    rows, pairs = rows.astype(np.float64), distances.paired(rows.shape[1])
    both = rows[:, : 3 * pairs : 3] * rows[:, 1 : 3 * pairs : 3]
    return (rows**2).sum(axis=1) / 2.0 - both.sum(axis=1)


def run(form, x, q, exponent, *, whole=True, unit=None, losses=None):
    kind = x.dtype.type
    sums, ends = np.empty(8, kind), np.empty((2, 8), kind)
    scale = np.full(8, np.nan, kind)
    if unit is not None:
        scale = (unit if whole else 1.0 / unit).astype(kind)
    extra = ()
    if losses is not None:
        rows = x.transpose(0, 2, 1).reshape(-1, len(q))
        extra = (norms(rows).astype(kind), norms(q.T).astype(kind), losses.astype(kind), kind(3))
    number = np.int32(exponent if whole else 0)
    form(x, q, number, kind(exponent / 2.0), scale, True, sums, ends, *extra)
    return sums, ends


def check(forms, kind, d, exponent, *, whole):
    x, q, squares = case(kind, d)
    raw = whole and exponent <= WHOLE
    # Products give half the squares.
    for form, u, losses in zip(
        forms, (squares, squares / 2), (None, np.zeros(squares.shape[1])), strict=True
    ):
        unit = None if raw else u.min(axis=1)
        scale = 1.0 if raw else unit[:, None]
        expected = ((u / scale) ** (-np.longdouble(exponent) / 2)).sum(axis=1)
        sums, ends = run(form, x, q, exponent, whole=whole, unit=unit, losses=losses)
        expected = expected.astype(float) * (1.0 if losses is None else 3.0)
        np.testing.assert_allclose(sums, expected, rtol=TOLERANCE[kind])
        least, most = squares.min(axis=1).astype(float), squares.max(axis=1).astype(float)
        np.testing.assert_allclose(ends[0], least, rtol=TOLERANCE[kind])
        np.testing.assert_allclose(ends[1], most, rtol=TOLERANCE[kind])


@pytest.mark.parametrize("kind", LANES)
@pytest.mark.parametrize("exponent", range(1, WHOLE + 1))
def test_powers_of_whole_exponents(forms, kind, exponent):
    check(forms, kind, 7, exponent, whole=True)


@pytest.mark.parametrize(
    ("kind", "exponent"),
    [(kind, exponent) for kind in LANES for exponent in (11, 12, 20, 31)] + [(np.float64, 64)],
)
def test_powers_of_large_whole_exponents_in_units_of_the_nearest(forms, kind, exponent):
    check(forms, kind, 7, exponent, whole=True)


@pytest.mark.parametrize("kind", LANES)
@pytest.mark.parametrize("exponent", [0.3, 2.0, 3.7, 25.0])
def test_powers_of_any_exponent_in_units_of_the_nearest(forms, kind, exponent):
    check(forms, kind, 7, exponent, whole=False)


@pytest.mark.parametrize("kind", LANES)
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 6, 50])
def test_any_number_of_columns(forms, kind, d):
    check(forms, kind, d, 3, whole=True)


@pytest.mark.parametrize(
    "shape",
    [(32, (1, 8), (4, 2), False), (16, (1, 16), (8, 2), False), (64, (4, 4), (8, 2), False)],
    ids=["256 bits", "128 bits", "no spreading"],
)
@pytest.mark.parametrize("kind", LANES)
def test_other_registers_give_the_same(monkeypatch, shape, kind):
    monkeypatch.setattr(distances, "_shape", lambda: distances._Shape(*shape))
    # Without spreading no columns are paired.
    assert distances.paired(8) == 0
    check(made(), kind, 8, 3, whole=True)


@pytest.mark.parametrize("kind", LANES)
def test_other_processors_take_products_one_by_one(monkeypatch, kind):
    monkeypatch.setattr(distances, "paired", lambda columns: 0)
    check(made(), kind, 8, 3, whole=True)


@pytest.mark.parametrize("kind", LANES)
def test_half_norms(kind):
    x, _, _ = case(kind, 8)
    rows = x.transpose(0, 2, 1).reshape(-1, 8)
    found = np.empty(len(rows), kind)
    half_norms(x, np.empty(len(rows)), found)
    np.testing.assert_allclose(found, norms(rows), rtol=16 * np.finfo(kind).eps)


def test_products_compare_each_square_with_what_it_must_be(forms):
    x, q, u = case(np.float64, 12)
    losses = np.random.default_rng(1).uniform(0.0, 200.0, u.shape[1])
    _, ends = run(forms[1], x, q, 3, losses=losses)
    over = (u - 2 * losses).min(axis=1).astype(float)
    # Negative numbers are less than positive ones, whatever their order among themselves.
    assert np.array_equal(ends[0] < 0, over < 0)
    np.testing.assert_allclose(ends[0][over > 0], over[over > 0], rtol=1e-12)


DATA = {
    "of one sign": lambda rng, d: rng.uniform(0.5, 1.5, (64, d)),
    "normal": lambda rng, d: rng.standard_normal((64, d)),
    "heavy tails": lambda rng, d: rng.standard_t(2, (64, d)),
    "one large column": lambda rng, d: rng.standard_normal((64, d)) * np.r_[10.0, np.ones(d - 1)],
    # Half an ulp of the norms is more than each of the other products, all of one sign.
    "small beside the last": lambda rng, d: np.c_[
        1.5e-4 * rng.uniform(0.98, 1.02, (64, d - 1)), rng.uniform(0.9, 1.1, 64)
    ],
}


@pytest.mark.parametrize("d", [8, 10, 30, 31, 100, 400])
@pytest.mark.parametrize("draw", DATA.values(), ids=list(DATA))
def test_products_lose_no_more_digits_than_is_said(forms, draw, d):
    rng = np.random.default_rng(d)
    # What is lost at this steepness is the loss itself, of u beside the norms.
    bound = lost(2.0, "single", d) * _WORST * LIMITS["single"].tolerance
    for _ in range(100 if d < 400 else 20):
        rows = draw(rng, d).astype(np.float32)
        # Each query is near one of the examples.
        q = rows[:8] + 0.01 * np.linalg.norm(rows[:8], axis=1).min() * rng.standard_normal((8, d))
        q = q.astype(np.float32)
        x = np.ascontiguousarray(rows.T[None])
        _, ends = run(forms[1], x, np.ascontiguousarray(q.T), 3, losses=np.zeros(64))
        u = ((q[:, None].astype(np.longdouble) - rows) ** 2).sum(axis=2)
        sizes = (q.astype(float) ** 2).sum(axis=1) + (rows[u.argmin(axis=1)] ** 2).sum(axis=1)
        assert np.all(np.abs(ends[0] - u.min(axis=1)) <= bound * sizes)


@pytest.mark.parametrize(("k", "eps"), [(1, 2.0**-24), (3, 2.0**-53), (10, 2.0**-53)])
def test_the_series_is_long_enough(k, eps):
    coefficients = series(k, 2.0**-13, eps)
    for e in (-(2.0**-13), 2.0**-13):
        exact = np.expm1(-k / 2.0 * np.log1p(np.longdouble(-e))) / (k / 2.0)
        found = sum(c * np.longdouble(e) ** (j + 1) for j, c in enumerate(coefficients))
        assert abs(found - exact) * k / 2.0 < 5.0 * eps
