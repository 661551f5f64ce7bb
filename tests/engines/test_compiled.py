"""The compiled engine: the laws of every engine, and what only it has."""

from __future__ import annotations

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.engines.compiled import CompiledEngine
from deeplimit.engines.packed import pack
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import class_sums, fit_lift
from engines.laws import EngineLaws, assert_sums_agree, data, normalised


class TestDouble(EngineLaws):
    tolerance = 2e-12

    def make(self, lift, X, y, w, n_classes, **options):
        return CompiledEngine(lift, X, y, w, n_classes, **options)


class TestSingle(EngineLaws):
    tolerance = 1e-5

    def make(self, lift, X, y, w, n_classes, **options):
        return CompiledEngine(lift, X, y, w, n_classes, precision="single", **options)


@pytest.mark.parametrize("precision", ["double", "single"])
def test_a_crowd_of_near_pairs_is_left_to_the_next_engine(precision):
    rng = np.random.default_rng(0)
    # Three thousand examples on ten points, and a haze around one of them.
    X = rng.standard_normal((10, 4))[rng.integers(0, 10, 3000)]
    X[::2] += 1e-9 * rng.standard_normal((1500, 4))
    y = rng.integers(0, 3, 3000)
    Q = np.concatenate([X[:40], rng.standard_normal((9, 4))])
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
    engine = CompiledEngine(lift, X, y, None, 3, precision=precision)
    expected = class_sums(kernel, lift, X, y, None, Q, 3)
    found = engine.class_sums(kernel, Q)
    assert_sums_agree(found, expected, 1e-5 if precision == "single" else 2e-12)
    assert np.array_equal(found.decide().winner, expected.decide().winner)


def test_single_precision_decides_near_ties_in_double():
    # Two classes in mirror image, one moved by less than float32 can tell.
    rng = np.random.default_rng(1)
    half = rng.standard_normal((300, 3))
    half[:, 0] = np.abs(half[:, 0]) + 0.1
    mirrored = half * [-1.0, 1.0, 1.0]
    mirrored[:, 0] *= 1.0 + 1e-9
    X, y = np.concatenate([half, mirrored]), np.repeat([0, 1], 300)
    Q = np.zeros((20, 3))
    Q[:, 1:] = rng.standard_normal((20, 2))
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
    expected = class_sums(kernel, lift, X, y, None, Q, 2)
    assert not expected.decide().tied.any()
    found = CompiledEngine(lift, X, y, None, 2, precision="single").class_sums(kernel, Q)
    assert np.array_equal(found.decide().winner, expected.decide().winner)
    assert found.decide().winner.tolist() == [0] * 20


def test_float32_rows_are_kept_as_they_are():
    X, y, w, Q = data()
    X = X.astype(np.float32)
    engine = CompiledEngine(fit_lift(X, "euclidean"), X, y, w, 3)
    assert engine.X is X
    expected = class_sums(PowerKernel(2.0), engine.lift, X, y, w, Q, 3)
    assert_sums_agree(engine.class_sums(PowerKernel(2.0), Q), expected, 2e-12)


def test_an_outlier_far_out_costs_the_others_no_digits():
    X, y, w, Q = data(n=900)
    for far in (1e8, 1e30, 1e300):
        X[5] = far
        lift = fit_lift(X, "euclidean")
        expected = class_sums(PowerKernel(3.0), lift, X, y, w, Q, 3)
        for precision, tolerance in (("double", 2e-12), ("single", 1e-5)):
            engine = CompiledEngine(lift, X, y, w, 3, precision=precision)
            assert_sums_agree(engine.class_sums(PowerKernel(3.0), Q), expected, tolerance)


@pytest.mark.parametrize("name", ["2d_opt", "5d_opt", "erf", "sine_13.825845805282"])
def test_limit_kernels_on_the_whole_sphere(name):
    X, y, w, Q = data(n=700, d=4)
    X, Q = normalised(X), normalised(Q)
    # An odd kernel is singular at antipodes, too.
    Q[:6] = -X[:6]
    Q[6:12] = normalised(-X[6:12] + 1e-6)
    lift, kernel = fit_lift(X), dl.LimitKernel(name)
    expected = class_sums(kernel, lift, X, y, w, Q, 3)
    for precision, tolerance in (("double", 1e-10), ("single", 2e-5)):
        engine = CompiledEngine(lift, X, y, w, 3, precision=precision)
        assert_sums_agree(engine.class_sums(kernel, Q), expected, tolerance)


@pytest.mark.parametrize("kernel", [dl.NetworkKernel("relu", 3), dl.NetworkKernel("gelu", 2)])
def test_network_kernels(kernel):
    X, y, w, Q = data(n=700, d=4)
    X, Q = normalised(X), normalised(Q)
    Q[0] = X[0]
    lift = fit_lift(X)
    expected = class_sums(kernel, lift, X, y, w, Q, 3)
    for precision, tolerance in (("double", 1e-11), ("single", 1e-5)):
        engine = CompiledEngine(lift, X, y, w, 3, precision=precision)
        assert_sums_agree(engine.class_sums(kernel, Q), expected, tolerance)


def test_kernels_without_a_profile_are_refused():
    X, y, w, Q = data()
    engine = CompiledEngine(fit_lift(X, "euclidean"), X, y, w, 3)
    with pytest.raises(ValueError, match='use the engine "reference"'):
        engine.class_sums(dl.LimitKernel("erf"), Q)


def test_packing_leaves_out_what_weighs_nothing():
    X, y, w, _ = data(n=600)
    w[::3] = 0.0
    packed = pack(fit_lift(X, "euclidean"), X, y, w, "double")
    assert packed.order.size == 400
    assert np.all(packed.place[::3] == -1)
    assert np.array_equal(packed.place[packed.order], np.arange(400))
    # A run is of one class, in one block, and the runs cover all places.
    assert sum(stop - start for _, start, stop in packed.runs) == 400
    assert np.all(packed.runs[:, 2] <= 128)
    assert np.array_equal(np.repeat(packed.runs[:, 0], np.diff(packed.runs[:, 1:])[:, 0]),
                          y[packed.order])  # fmt: skip
