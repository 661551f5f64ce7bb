"""The compiled engine: the laws of every engine, and what only it has."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.engines.compiled import CompiledEngine
from deeplimit.engines.packed import pack
from deeplimit.engines.profiles import profile_of
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import class_sums, fit_lift, top_contributors
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
    assert np.all(packed.runs[:, 2] <= 256)
    assert np.array_equal(np.repeat(packed.runs[:, 0], np.diff(packed.runs[:, 1:])[:, 0]),
                          y[packed.order])  # fmt: skip


def sums_of(kernel, lift, X, y, w, Q, n_classes, precision):
    return CompiledEngine(lift, X, y, w, n_classes, precision=precision).class_sums(kernel, Q)


@pytest.mark.parametrize("kind", ["hemisphere", "stereographic", "normalize"])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_images_are_rounded_however_near_to_their_middle(kind, precision):
    # An outlier sets the scale: all others are within 1e-9 of each other on the sphere.
    X, y, w, Q = data(n=300)
    X[0] *= 1e9
    if kind == "normalize":
        X[1:] = X[1] + 1e-9 * X[1:]
        Q = X[1] + 1e-9 * Q
    lift = fit_lift(X, kind)
    for exponent in (1.0, 7.3, 16.0):
        kernel = PowerKernel(exponent)
        expected = class_sums(kernel, lift, X, y, w, Q, 3)
        found = sums_of(kernel, lift, X, y, w, Q, 3, precision)
        assert_sums_agree(found, expected, 1e-5 if precision == "single" else 1e-11)


@pytest.mark.parametrize("precision", ["double", "single"])
def test_rows_of_one_direction_coincide(precision):
    X = np.array([[0.3, 0.7, 0.1]])
    lift = fit_lift(X, "normalize")
    found = sums_of(PowerKernel(2.0), lift, X, [0], None, X * [[1.0], [1.7], [1e3]], 1, precision)
    assert found.hit_positive.tolist() == [[1.0]] * 3


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("size", [1e-310, 1e-320, 3e307])
def test_rows_at_the_ends_of_the_range(size, precision):
    X, y, w, Q = data()
    X, Q = X * size, np.concatenate([Q, X[:5]]) * size
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
    expected = class_sums(kernel, lift, X, y, w, Q, 3)
    found = sums_of(kernel, lift, X, y, w, Q, 3, precision)
    assert_sums_agree(found, expected, 1e-5 if precision == "single" else 2e-12)


@pytest.mark.parametrize("kind", ["euclidean", "hemisphere"])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_rows_that_are_no_numbers_are_refused(kind, precision):
    X, y, _, Q = data()
    lift = fit_lift(X, kind)
    X[7, 1] = np.nan
    engine = CompiledEngine(lift, X, y, None, 3, precision=precision)
    with pytest.raises(ValueError, match="examples must be finite"):
        engine.class_sums(PowerKernel(2.0), Q)
    with pytest.raises(ValueError, match="NaN"):
        sums_of(PowerKernel(2.0), lift, Q, y[: len(Q)], None, X[7:8], 3, precision)


@pytest.mark.parametrize("exponent", [0.5, 20.0, 100.5])
@pytest.mark.parametrize("decades", [20, 250])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_weights_of_all_sizes(precision, decades, exponent):
    X, y, _, Q = data(n=300)
    w = 10.0 ** np.random.default_rng(3).uniform(-decades, decades, 300)
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(exponent)
    expected = class_sums(kernel, lift, X, y, w, Q, 3)
    found = sums_of(kernel, lift, X, y, w, Q, 3, precision)
    assert_sums_agree(found, expected, 1e-5 if precision == "single" else 1e-11)


@pytest.mark.parametrize(
    ("precision", "far", "exponent", "decades", "tolerance"),
    [("single", 1e3, 20.25, 19, 1e-5), ("double", 1e4, 100.25, 150, 1e-12)],
)
def test_what_weighs_much_far_away(precision, far, exponent, decades, tolerance):
    # The power of the far one is below all numbers, in units of that of the near ones.
    X = np.concatenate([normalised(data(d=2)[0][:20]), [[0.0, far]]])
    y, w = np.zeros(21, dtype=int), 10.0 ** np.repeat([-decades, decades], [20, 1])
    lift, kernel, query = fit_lift(X, "euclidean"), PowerKernel(exponent), np.zeros((1, 2))
    expected = class_sums(kernel, lift, X, y, w, query, 1)
    found = sums_of(kernel, lift, X, y, w, query, 1, precision)
    assert_sums_agree(found, expected, tolerance)


@pytest.mark.parametrize("weight", [1e-290, 1e290])
def test_the_heaviest_whatever_single_precision_can_hold(weight):
    X, y, _, Q = data()
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(2.0)
    engine = CompiledEngine(lift, X, y, np.full(500, weight), 3, precision="single")
    expected = top_contributors(kernel, lift, X, np.full(500, weight), Q, 4)
    assert np.array_equal(engine.top_contributors(kernel, Q, 4).indices, expected.indices)


@pytest.mark.parametrize("precision", ["double", "single"])
def test_rows_at_right_angles_weigh_nothing(precision):
    X = np.eye(8)[np.arange(40) % 7]
    y = np.arange(40) % 3
    lift, kernel = fit_lift(X, "none"), dl.LimitKernel("9d_opt")
    found = sums_of(kernel, lift, X, y, None, np.eye(8)[7:], 3, precision)
    assert not np.any(found.positive + found.negative)
    assert found.decide(prior=[1.0, 5.0, 2.0]).winner.tolist() == [1]


@pytest.mark.parametrize("precision", ["double", "single"])
def test_an_odd_kernel_of_queries_far_out(precision):
    # Their images are nearly at right angles to all others, where the kernel changes its sign.
    X, y, w, Q = data(n=300)
    lift = fit_lift(X, "hemisphere")
    for name in ("3d_opt", "tanh"):
        kernel = dl.LimitKernel(name)
        expected = class_sums(kernel, lift, X, y, w, Q * 1e4, 3)
        found = sums_of(kernel, lift, X, y, w, Q * 1e4, 3, precision)
        assert_sums_agree(found, expected, 1e-9)


@pytest.mark.parametrize("activation", ["erf", "3d_opt"])
@pytest.mark.parametrize("d", [5, 20])
def test_engines_round_what_is_next_to_an_antipode_alike(activation, d):
    # Of the distance to an antipode a gap next to 2 keeps few digits: engines must keep the same.
    rng = np.random.default_rng(d)
    X = normalised(rng.standard_normal((3000, d)))
    X[1000:2000] = X[:1000] + 10.0 ** rng.uniform(-7.0, -3.0, (1000, 1)) * X[1000:2000]
    X, y = normalised(X), (np.arange(3000) % 3).astype(np.int64)
    Q = normalised(-X[:300] + 1e-6 * rng.standard_normal((300, d)))
    lift, kernel = fit_lift(X), dl.LimitKernel(activation)
    expected = class_sums(kernel, lift, X, y, None, Q, 3)
    for precision in ("double", "single"):
        engine = CompiledEngine(lift, X, y, None, 3, precision=precision)
        found = engine.class_sums(kernel, Q, settle=False)
        assert_sums_agree(found, expected, 1e-11 if precision == "double" else 1e-5)


@pytest.mark.parametrize("precision", ["double", "single"])
def test_antipodes_whose_norms_are_not_quite_one(precision):
    X = normalised(data(n=60)[0]) * (1.0 + 4e-7)
    lift, kernel = fit_lift(X, "none"), PowerKernel(30.0)
    expected = class_sums(kernel, lift, X[:1], [0], None, -X[:1], 1)
    found = sums_of(kernel, lift, X[:1], [0], None, -X[:1], 1, precision)
    assert_sums_agree(found, expected, 1e-12)


@dataclasses.dataclass
class Steep:
    """Finite at a gap of 0, and a power of exponent 4 soon beyond."""

    positive: bool = True

    def log_at_gap(self, s):
        return -2.0 * np.log(1e-6 + np.asarray(s))


@dataclasses.dataclass
class Slow:
    """A logarithm: singular at a gap of 0, and no power."""

    positive: bool = True

    def log_at_gap(self, s):
        with np.errstate(divide="ignore"):
            return np.log(1.0 - np.log(np.asarray(s) / 2.0))


@dataclasses.dataclass
class Vanishing:
    """Zero at antipodes: (2 - s)^(3/2)."""

    positive: bool = True

    def log_at_gap(self, s):
        with np.errstate(divide="ignore"):
            return 1.5 * np.log(np.maximum(2.0 - np.asarray(s), 0.0))


@pytest.mark.parametrize("kernel", [Steep(), Slow(), Vanishing()], ids=["steep", "slow", "zero"])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_kernels_of_any_shape(kernel, precision):
    X, _, _, Q = data(n=400, d=4)
    X, Q = normalised(X), normalised(Q)
    near = [normalised(X[:300] + e * np.tile(Q, (10, 1))) for e in (1e-3, 0.02, 0.1)]
    Q = np.concatenate([Q, *near, normalised(-X[:30] + 0.02 * Q), normalised(-X[:30] + 0.1 * Q)])
    lift = fit_lift(X)
    # A class for each example: none hides behind others.
    y = np.arange(400)
    expected = class_sums(kernel, lift, X, y, None, Q, 400)
    found = sums_of(kernel, lift, X, y, None, Q, 400, precision)
    assert_sums_agree(found, expected, 1e-5 if precision == "single" else 1e-10)


@pytest.mark.parametrize("precision", ["double", "single"])
def test_rows_nearer_than_a_table_begins(precision):
    rng = np.random.default_rng(2)
    point = normalised(rng.standard_normal((1, 4)))
    X, Q = (normalised(point + 1e-9 * rng.standard_normal((n, 4))) for n in (200, 20))
    lift, kernel = fit_lift(X), Slow()
    expected = class_sums(kernel, lift, X, np.arange(200), None, Q, 200)
    found = sums_of(kernel, lift, X, np.arange(200), None, Q, 200, precision)
    assert_sums_agree(found, expected, 1e-5 if precision == "single" else 1e-11)


def test_single_precision_holds_its_tolerance_with_many_columns():
    X, _, _, Q = data(n=200, d=500)
    lift, kernel, y = fit_lift(X, "euclidean"), PowerKernel(32.0), np.arange(200)
    expected = class_sums(kernel, lift, X, y, None, Q, 200)
    assert_sums_agree(sums_of(kernel, lift, X, y, None, Q, 200, "single"), expected, 1e-5)


@dataclasses.dataclass
class Jumps:
    positive: bool = True

    def log_at_gap(self, s):
        return np.where(np.asarray(s) < 0.37, 1.0, 0.0)


@pytest.mark.parametrize("precision", ["double", "single"])
def test_a_kernel_that_no_table_holds_is_refused(precision):
    X, y, w, Q = data()
    lift = fit_lift(X, "hemisphere")
    with pytest.raises(ValueError, match=r"the table of Jumps.* is wrong by .*reference"):
        sums_of(Jumps(), lift, X, y, w, Q, 3, precision)


@pytest.mark.parametrize("d", [8, 30])
@pytest.mark.parametrize("kind", ["table", "weights"])
def test_products_are_not_taken_of_pairs_too_near_for_them(kind, d):
    # So near that products would be wrong by some 1e-10, and not so near that the reference is
    # asked; each of the queries, which are many enough for products, has such an example.
    rng = np.random.default_rng(d)
    X = normalised(rng.standard_normal((2000, d)))
    Q = normalised(X[:96] + 2e-3 * normalised(rng.standard_normal((96, d))))
    y = rng.integers(0, 3, 2000)
    if kind == "table":
        kernel, w, lift = dl.LimitKernel("3d_opt"), None, fit_lift(X, "normalize")
    else:
        kernel, w, lift = PowerKernel(3.0), rng.uniform(0.5, 2.0, 2000), fit_lift(X, "euclidean")
    found = CompiledEngine(lift, X, y, w, 3).class_sums(kernel, Q)
    expected = class_sums(kernel, lift, X, y, w, Q, 3)
    own = np.arange(96), y[:96]
    logs = [np.log(s.positive[own]) + s.max_log[own] for s in (found, expected)]
    np.testing.assert_allclose(logs[0], logs[1], rtol=0, atol=1e-11)


def test_single_precision_leaves_to_double_what_is_too_large_for_it():
    X = normalised(np.random.default_rng(0).standard_normal((300, 4)))
    y, lift = np.arange(300) % 3, fit_lift(X, "normalize")
    for size, weight in ((40.0, None), (25.0, np.full(300, 1e15))):
        kernel = Large(size)
        found, expected = (
            CompiledEngine(lift, X, y, weight, 3, precision=precision).class_sums(kernel, -X[:20])
            for precision in ("single", "double")
        )
        assert np.isfinite(found.positive).all()
        np.testing.assert_allclose(found.proportions(), expected.proportions(), rtol=1e-12)


@dataclasses.dataclass
class Large:
    """A smooth kernel of values about 10 to some power."""

    size: float
    positive: bool = True

    def log_at_gap(self, s):
        return self.size * np.log(10.0) - np.asarray(s)


@pytest.mark.parametrize("precision", ["double", "single"])
def test_an_engine_can_be_copied_and_its_kernels_are_not_mixed_up(precision):
    X, y, w, Q = data()
    lift = fit_lift(X, "euclidean")
    engine = CompiledEngine(lift, X, y, w, 3, precision=precision)
    expected = engine.class_sums(PowerKernel(2.0), Q)
    copy = pickle.loads(pickle.dumps(engine))
    # In another process the number of a new kernel may be that of an old one here.
    kernel = PowerKernel(2.0)
    copy._profiles[id(kernel)] = (
        copy._profiles.popitem()[1][0],
        profile_of(PowerKernel(5.0), lift, degree=3, bits=3),
    )
    found = copy.class_sums(kernel, Q)
    assert found.positive.tobytes() == expected.positive.tobytes()
    for exponent in range(1, 40):
        copy.class_sums(PowerKernel(float(exponent)), Q[:1])
    assert len(copy._profiles) < 20


@pytest.mark.parametrize("kind", ["euclidean", "hemisphere", "none", "normalize"])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_examples_that_all_weigh_nothing(kind, precision):
    X = normalised(data(d=4)[0][:9])
    lift = fit_lift(X, kind)
    engine = CompiledEngine(lift, X, np.arange(9), np.zeros(9), 9, precision=precision)
    sums = engine.class_sums(PowerKernel(2.0), X)
    assert np.isneginf(sums.max_log).all()
    assert not np.any(sums.hit_positive)
    assert np.all(engine.top_contributors(PowerKernel(2.0), X, 2).indices == -1)


def test_forgetting_all_and_twice_leaves_nothing():
    X, y, w, Q = data()
    engine = CompiledEngine(fit_lift(X, "euclidean"), X, y, w, 3)
    engine.class_sums(PowerKernel(2.0), Q)
    engine.forget(np.arange(500))
    engine.forget([3, 3])
    sums = engine.class_sums(PowerKernel(2.0), Q)
    assert np.isneginf(sums.max_log).all()
    assert not np.any(sums.hit_positive + sums.positive)
    assert np.all(engine.top_contributors(PowerKernel(2.0), Q, 3).indices == -1)
