from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.engines.refinement import refine_pairs
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import PartialSums, class_sums, fit_lift


@dataclasses.dataclass
class OddKernel:
    """A kernel of both signs, singular at both ends: ξ/(1 - ξ²)."""

    positive: bool = False

    def log_at_gap(self, s):
        with np.errstate(divide="ignore"):
            return np.log(np.abs(1 - s)) - np.log(s) - np.log(2 - s)

    def sign_at_gap(self, s):
        return np.sign(1 - s)


@dataclasses.dataclass
class NanKernel:
    positive: bool = True

    def log_at_gap(self, s):
        return np.full(s.shape, np.nan)


def data(seed=0, n=40, m=9, d=3, n_classes=4):
    rng = np.random.default_rng(seed)
    X, Q = rng.standard_normal((n, d)), rng.standard_normal((m, d))
    X[5], X[6] = X[4], X[4]
    Q[0], Q[1] = X[4], X[7] + 1e-9
    return X, Q, rng.integers(0, n_classes, n), rng.choice([0.0, 0.5, 1.0, 3.0], n)


def bits(sums):
    return [getattr(sums, field.name).tobytes() for field in dataclasses.fields(sums)]


def close(ours, theirs, rtol):
    np.testing.assert_array_equal(np.isneginf(ours.max_log), np.isneginf(theirs.max_log))
    here = ~np.isneginf(theirs.max_log)
    for name in ("positive", "negative"):
        with np.errstate(divide="ignore"):
            a, b = (np.log(getattr(s, name)[here]) + s.max_log[here] for s in (ours, theirs))
        np.testing.assert_array_equal(np.isneginf(a), np.isneginf(b))
        np.testing.assert_allclose(a[np.isfinite(b)], b[np.isfinite(b)], rtol=1e-15, atol=rtol)
    np.testing.assert_allclose(ours.hit_positive, theirs.hit_positive, rtol=1e-14)
    np.testing.assert_allclose(ours.hit_negative, theirs.hit_negative, rtol=1e-14)


@pytest.mark.parametrize("kind", ["hemisphere", "stereographic", "normalize", "euclidean"])
@pytest.mark.parametrize("kernel", [PowerKernel(0.5), PowerKernel(800.0), OddKernel()])
@pytest.mark.parametrize("weighted", [False, True])
def test_all_pairs_are_the_reference(kind, kernel, weighted):
    X, Q, y, w = data()
    if isinstance(kernel, OddKernel) and kind == "euclidean":
        X, Q = X / 100, Q / 100
    lift, w = fit_lift(X, kind), w if weighted else None
    rows, cols = (a.ravel() for a in np.indices((len(Q), len(X))))
    ours = refine_pairs(kernel, lift, X, Q, rows, cols, y, w, 4)
    close(ours, class_sums(kernel, lift, X, y, w, Q, 4), 1e-10)
    assert ours.hit_positive[0].sum() > 0


@given(seed=st.integers(0, 10**6), share=st.floats(0, 1), block=st.sampled_from([1, 700, 10**6]))
def test_any_part_adds_up_in_any_order(seed, share, block):
    X, Q, y, w = data(seed, n=20, m=5)
    lift, kernel = fit_lift(X), PowerKernel(3.0)
    rng = np.random.default_rng(seed)
    rows, cols = (rng.permutation(100) for _ in range(2))
    rows, cols = rows // 20, rows % 20
    here = rng.uniform(size=100) < share

    def part(pick):
        return refine_pairs(kernel, lift, X, Q, rows[pick], cols[pick], y, w, 4, block_bytes=block)

    close(part(here).merge(part(~here)), class_sums(kernel, lift, X, y, w, Q, 4), 1e-11)
    some = np.flatnonzero(here)
    assert bits(part(some)) == bits(part(some[::-1]))


def test_antipodes_of_a_singular_kernel_are_hits_of_negative_sign():
    X = np.array([[0.6, 0.8], [-0.6, -0.8], [0.8, -0.6]])
    sums = refine_pairs(
        OddKernel(), fit_lift(X), X, X[:1], [0, 0, 0], [0, 1, 2], [0, 0, 1], [2.0, 3.0, 1.0], 2
    )
    assert sums.hit_positive.tolist() == [[2.0, 0.0]]
    assert sums.hit_negative.tolist() == [[3.0, 0.0]]


def test_gaps_beyond_the_range_of_squares():
    X = np.array([[1e-160, 0.0], [1e155, 0.0], [5.0, 0.0]])
    lift = fit_lift(np.eye(2), "euclidean")
    Q = np.zeros((1, 2))
    sums = refine_pairs(PowerKernel(2.0), lift, X, Q, [0, 0, 0], [0, 1, 2], [0, 1, 2], None, 3)
    reference = class_sums(PowerKernel(2.0), lift, X, [0, 1, 2], None, Q, 3)
    assert bits(sums) == bits(reference)
    assert np.isfinite(sums.max_log).all()


@pytest.mark.parametrize("weight", [None, np.zeros(40)])
def test_no_pairs_are_no_terms(weight):
    X, Q, y, _ = data()
    pairs = [] if weight is None else [0, 1]
    sums = refine_pairs(PowerKernel(1.0), fit_lift(X), X, Q, pairs, pairs, y, weight, 4)
    assert bits(sums) == bits(PartialSums.empty(len(Q), 4))


def test_what_does_not_fit_is_refused():
    X, Q, y, _ = data()
    lift = fit_lift(X)
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(1,\)"):
        refine_pairs(PowerKernel(1.0), lift, X, Q, [0, 1], [0], y, None, 4)
    with pytest.raises(ValueError, match="NaN"):
        refine_pairs(NanKernel(), lift, X, Q, [0], [0], y, None, 4)
