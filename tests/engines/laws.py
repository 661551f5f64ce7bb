"""What holds for every engine: it is the reference within its tolerance; sums are an algebra."""

from __future__ import annotations

import numpy as np
import pytest

from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import class_sums, fit_lift, top_contributors

EXPONENTS = [0.5, 1.0, 2.0, 3.0, 7.5, 20.0, 33.0, 64.0, 200.0, 800.0]


def normalised(X):
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def data(n=500, m=30, d=3, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    X, Q = rng.standard_normal((n, d)), rng.standard_normal((m, d))
    return X, rng.integers(0, n_classes, n), rng.uniform(0.1, 3.0, n), Q


def adversarial(d, n=800, seed=0):
    """Examples with duplicates and weights of 0; queries on, near and far from them."""
    X, y, w, Q = data(n=n, d=d, seed=seed)
    rng = np.random.default_rng(seed + 1)
    X[7], X[8], w[5] = X[3], X[3], 0.0
    near = [X[20:30] + e * rng.standard_normal((10, d)) for e in (1e-3, 1e-6, 1e-13)]
    return X, y, w, np.concatenate([Q, X[:10], *near, X[:2] * 1e20])


def assert_sums_agree(found, expected, tolerance):
    """Compare the net sums, relative to the sums of absolute terms, and the hits to the bit."""
    top = np.where(np.isneginf(expected.max_log), 0.0, expected.max_log)
    scale = np.exp(np.where(np.isneginf(found.max_log), -np.inf, found.max_log - top))
    net = (found.positive - found.negative) * scale
    size = expected.positive + expected.negative
    error = np.abs(net - (expected.positive - expected.negative))
    assert np.all(np.isfinite(net))
    assert np.max(error / np.where(size > 0, size, 1.0), initial=0.0) <= tolerance
    np.testing.assert_allclose(found.hit_positive, expected.hit_positive, rtol=1e-15)
    np.testing.assert_allclose(found.hit_negative, expected.hit_negative, rtol=1e-15)


def whole(sums):
    return sums.decide().winner, sums.proportions()


class EngineLaws:
    """Inherit, set `tolerance`, and say how to `make` an engine."""

    tolerance: float

    def make(self, lift, X, y, w, n_classes, **options):
        raise NotImplementedError

    def sums(self, kernel, lift, X, y, w, Q, n_classes, exclude=None):
        return self.make(lift, X, y, w, n_classes).class_sums(kernel, Q, exclude)

    @pytest.mark.parametrize("kind", ["euclidean", "hemisphere", "stereographic"])
    @pytest.mark.parametrize("d", [1, 2, 10, 33])
    def test_it_is_the_reference(self, d, kind):
        X, y, w, Q = adversarial(d)
        lift = fit_lift(X, kind)
        engine = self.make(lift, X, y, w, 3)
        for exponent in EXPONENTS:
            kernel = PowerKernel(exponent)
            expected = class_sums(kernel, lift, X, y, w, Q, 3)
            found = engine.class_sums(kernel, Q)
            # The reference itself knows a gap to a few 1e-14.
            assert_sums_agree(found, expected, max(self.tolerance, 1e-13 * exponent))
            assert np.array_equal(found.decide().winner, expected.decide().winner)

    @pytest.mark.parametrize("exponent", [2.0, 7.5, 64.0])
    def test_an_offset_of_the_data_costs_little(self, exponent):
        X, y, w, Q = adversarial(5)
        X, Q = X + 1e4, Q[:-2] + 1e4
        lift, kernel = fit_lift(X, "euclidean"), PowerKernel(exponent)
        expected = class_sums(kernel, lift, X, y, w, Q, 3)
        found = self.sums(kernel, lift, X, y, w, Q, 3)
        assert_sums_agree(found, expected, self.tolerance)
        assert np.array_equal(found.decide().winner, expected.decide().winner)

    def test_leave_one_out_is_by_index(self):
        X, y, w, _ = adversarial(4)
        lift, kernel = fit_lift(X, "euclidean"), PowerKernel(4.0)
        own = np.arange(60)
        expected = class_sums(kernel, lift, X, y, w, X[:60], 3, exclude=own)
        assert_sums_agree(
            self.sums(kernel, lift, X, y, w, X[:60], 3, own), expected, self.tolerance
        )
        # The duplicates of a row are seen.
        assert expected.hit_positive[3].sum() == pytest.approx(w[7] + w[8])

    def test_split_anywhere_and_merge_in_any_order(self):
        X, y, w, Q = adversarial(3)
        lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
        expected = self.sums(kernel, lift, X, y, w, Q, 3)
        for cuts in ([1], [255, 256, 300], [10, 799]):
            parts = np.split(np.arange(len(X)), cuts)
            sums = [self.sums(kernel, lift, X[p], y[p], w[p], Q, 3) for p in parts]
            for order in (range(len(sums)), reversed(range(len(sums)))):
                merged = None
                for i in order:
                    merged = sums[i] if merged is None else merged.merge(sums[i])
                assert_sums_agree(merged, expected, 3 * self.tolerance)

    def test_the_order_of_the_examples_does_not_matter(self):
        X, y, w, Q = adversarial(3)
        lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
        order = np.random.default_rng(2).permutation(len(X))
        assert_sums_agree(
            self.sums(kernel, lift, X[order], y[order], w[order], Q, 3),
            self.sums(kernel, lift, X, y, w, Q, 3),
            2 * self.tolerance,
        )

    def test_scaling_space_or_weights_changes_no_share(self):
        X, y, w, Q = adversarial(3)
        X, Q = X[:400], Q[:-2]
        y, w = y[:400], w[:400]
        kernel = PowerKernel(3.0)
        expected = self.sums(kernel, fit_lift(X, "euclidean"), X, y, w, Q, 3).proportions()
        for size, heavy in ((2.0**40, 1.0), (1e-9, 7.0), (1.0, 2.0**-30)):
            lift = fit_lift(X * size, "euclidean")
            found = self.sums(kernel, lift, X * size, y, w * heavy, Q * size, 3).proportions()
            np.testing.assert_allclose(found, expected, rtol=0, atol=4 * self.tolerance)

    def test_add_then_forget_is_nothing(self):
        X, y, w, Q = adversarial(3)
        lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
        engine = self.make(lift, X, y, w, 3)
        before = engine.class_sums(kernel, Q)
        gone = np.r_[0:40, 255, 256, 700:800]
        engine.forget(gone)
        rest = np.delete(np.arange(len(X)), gone)
        expected = class_sums(kernel, lift, X[rest], y[rest], w[rest], Q, 3)
        assert_sums_agree(engine.class_sums(kernel, Q), expected, self.tolerance)
        again = engine.class_sums(kernel, Q).merge(
            self.sums(kernel, lift, X[gone], y[gone], w[gone], Q, 3)
        )
        assert_sums_agree(again, before, 3 * self.tolerance)

    def test_the_number_of_threads_changes_no_bit(self):
        X, y, w, _ = data(n=700)
        lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
        one = self.make(lift, X, y, w, 3, n_jobs=1).class_sums(kernel, X)
        two = self.make(lift, X, y, w, 3, n_jobs=2).class_sums(kernel, X)
        for a, b in zip(whole(one), whole(two), strict=True):
            assert a.tobytes() == b.tobytes()

    def test_few_examples_many_classes_and_none(self):
        X, _, w, Q = data(n=150)
        y = np.arange(150) * 2
        lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
        expected = class_sums(kernel, lift, X, y, w, Q, 301)
        assert_sums_agree(self.sums(kernel, lift, X, y, w, Q, 301), expected, self.tolerance)
        none = self.sums(kernel, lift, X[:0], y[:0], None, Q, 2)
        assert np.isneginf(none.max_log).all()
        assert self.sums(kernel, lift, X, y, w, Q[:0], 301).shape == (0, 301)
        one = self.sums(kernel, lift, X[:1], [1], None, Q, 2)
        assert one.decide().winner.tolist() == [1] * len(Q)

    @pytest.mark.parametrize("k", [1, 5, 40, 2000])
    def test_the_heaviest_are_those_of_the_reference(self, k):
        X, y, w, Q = adversarial(3)
        lift, kernel = fit_lift(X, "euclidean"), PowerKernel(2.0)
        own = np.r_[np.full(30, -1), np.arange(10), np.full(len(Q) - 40, -1)]
        alike = np.where(w > 0, 2.0, 0.0)
        for weight in (None, alike, w):
            for exclude in (None, own):
                expected = top_contributors(kernel, lift, X, weight, Q, k, exclude=exclude)
                found = self.make(lift, X, y, weight, 3).top_contributors(kernel, Q, k, exclude)
                assert np.array_equal(found.indices, expected.indices)
                assert np.array_equal(found.signs, expected.signs)
                finite = np.isfinite(expected.log_weights)
                assert np.array_equal(np.isfinite(found.log_weights), finite)
                np.testing.assert_allclose(
                    found.log_weights[finite], expected.log_weights[finite], atol=1e-12
                )
