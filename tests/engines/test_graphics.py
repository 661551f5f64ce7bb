from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.engines import cards, eager, graphics
from deeplimit.engines.choice import make_engine
from deeplimit.engines.graphics import GraphicsEngine
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import PartialSums, class_sums, fit_lift
from engines import adversary
from engines.adversary import DEVICE, CosineKernel, OddKernel, case, error, leave_one_out, reference


@pytest.fixture(autouse=True)
def whole_operations(monkeypatch):
    """Keep the fused kernel out, whatever the environment says: it has tests of its own."""
    monkeypatch.setitem(os.environ, "TRITON_INTERPRET", "0")


@dataclasses.dataclass
class SteepKernel:
    """A kernel that falls by more than any float32 table holds: exp(-10^4 s)."""

    positive: bool = True

    def log_at_gap(self, s):
        return -1e4 * np.asarray(s)


def bits(sums):
    return [getattr(sums, field.name).tobytes() for field in dataclasses.fields(sums)]


def arithmetic_of(engine, *call):
    """Give the arithmetic of each attempt, with the number of pairs it left."""
    used, real = [], engine._chunk_terms

    def spy(chunks, *rest):
        terms = real(chunks, *rest)
        used.append((chunks.arithmetic.dtype, chunks.arithmetic.differences, terms.count))
        return terms

    engine._chunk_terms = spy
    sums = engine.class_sums(*call)
    engine._chunk_terms = real
    return sums, used


def test_the_tolerance_holds_in_hard_cases_and_decisions_are_equal():
    found = adversary.errors()
    assert {name: e for name, (e, _) in found.items() if not e <= 1e-5} == {}
    assert [name for name, (_, agree) in found.items() if not agree] == []


@pytest.mark.parametrize(
    ("d", "exponent", "expected"),
    [
        (3, 3.0, ("float32", True)),
        (32, 3.0, ("float32", False)),
        (32, 10.0, ("float32", True)),
        (32, 64.0, ("float64", False)),
        (3, 64.0, ("float64", True)),
    ],
)
def test_the_arithmetic_follows_the_exponent_and_the_columns(d, exponent, expected):
    lift, X, y, w, Q = case(d)
    engine = GraphicsEngine(lift, X, y, w, 3, device=DEVICE)
    _, used = arithmetic_of(engine, PowerKernel(exponent), Q)
    if cards.fast_double(engine.device) and d > 16 and expected == ("float32", True):
        expected = ("float64", False)
    assert [step[:2] for step in used] == [expected]
    # The near pairs of the case at least are refined.
    assert used[0][2] >= 3


@pytest.mark.parametrize("tolerance", [1e-9, 1e-7, 1e-5, 1e-3])
@pytest.mark.parametrize("d", [3, 32])
def test_any_tolerance_holds(d, tolerance):
    lift, X, y, w, Q = case(d, offset=10.0)
    engine = GraphicsEngine(lift, X, y, w, 3, device=DEVICE, tolerance=tolerance)
    exact = class_sums(PowerKernel(3.0), lift, X, y, w, Q, 3)
    assert error(engine.class_sums(PowerKernel(3.0), Q), exact) <= tolerance


@pytest.mark.parametrize("kernel", [OddKernel(), CosineKernel()])
@pytest.mark.parametrize("kind", ["stereographic", "normalize"])
def test_kernels_with_a_table(kernel, kind):
    lift, X, y, w, Q = case(4, kind=kind, weights="some")
    X[30] = 2.0 * lift.transform(X).mean() - X[31]
    engine = GraphicsEngine(lift, X, y, w, 3, device=DEVICE)
    exclude = leave_one_out(40, 150)
    exact = reference(kernel, lift, X, y, w, Q, 3, exclude)
    assert error(engine.class_sums(kernel, Q, exclude), exact) <= 1e-5
    # Kernels take turns: nothing of one is left for the other.
    engine.class_sums(PowerKernel(2.0), Q)
    assert error(engine.class_sums(kernel, Q, exclude), exact) <= 1e-5


@pytest.mark.parametrize("most", [2, 30, 10**6])
def test_crowded_pairs_change_the_arithmetic_and_not_the_result(monkeypatch, most):
    monkeypatch.setattr(graphics, "_FEWEST", 1)
    monkeypatch.setattr(graphics, "_REFINED", 0.0)
    monkeypatch.setattr(graphics, "_ON_CARD", 0.0)
    monkeypatch.setattr(graphics, "_MOST", most)
    lift, X, y, w, Q = case(32)
    X[50:90] = X[0]
    Q[20:] = X[0]
    engine = GraphicsEngine(lift, X, y, w, 3, device=DEVICE)
    sums, used = arithmetic_of(engine, PowerKernel(3.0), Q)
    ladder = [("float32", False), ("float32", True), ("float64", False)]
    if cards.fast_double(engine.device):
        del ladder[1]
    assert [step[:2] for step in used[: len(ladder)]] == ladder
    assert error(sums, class_sums(PowerKernel(3.0), lift, X, y, w, Q, 3)) <= 1e-5


def test_blocks_of_queries_are_put_together(monkeypatch):
    lift, X, y, w, Q = case(3)
    engine = GraphicsEngine(lift, X, y, w, 3, device=DEVICE)
    whole = engine.class_sums(PowerKernel(3.0), Q, leave_one_out(40, 150))
    monkeypatch.setattr(graphics, "_NUMBERS", 60)
    parts = engine.class_sums(PowerKernel(3.0), Q, leave_one_out(40, 150))
    assert error(parts, whole) <= 1e-12


@given(seed=st.integers(0, 10**6), gone=st.lists(st.integers(0, 149), max_size=200))
def test_what_is_forgotten_was_never_there(seed, gone):
    lift, X, y, w, Q = case(3, seed=seed, weights="some")
    engine = GraphicsEngine(lift, X, y, w, 3, device=DEVICE)
    kernel = PowerKernel(3.0)
    before = engine.class_sums(kernel, Q)
    engine.forget(gone)
    engine.forget(gone[:1])
    rest = np.setdiff1d(np.arange(150), gone)
    ours = engine.class_sums(kernel, Q)
    assert error(ours, class_sums(kernel, lift, X[rest], y[rest], w[rest], Q, 3)) <= 1e-5
    if not gone:
        assert bits(ours) == bits(before)
    # An arithmetic that was not used before does not bring them back.
    fresh = engine.class_sums(PowerKernel(100.0), Q)
    exact = class_sums(PowerKernel(100.0), lift, X[rest], y[rest], w[rest], Q, 3)
    assert error(fresh, exact) <= 1e-5


@given(seed=st.integers(0, 10**6))
def test_order_and_splitting_do_not_matter(seed):
    lift, X, y, w, Q = case(20, seed=seed, weights="wild")
    kernel = PowerKernel(2.5)
    rng = np.random.default_rng(seed)
    order, cut = rng.permutation(150), int(rng.integers(0, 151))
    whole = GraphicsEngine(lift, X, y, w, 3, device=DEVICE).class_sums(kernel, Q)
    moved = GraphicsEngine(lift, X[order], y[order], w[order], 3, device=DEVICE)
    assert error(moved.class_sums(kernel, Q), whole) <= 1e-5
    parts = PartialSums.empty(len(Q), 3)
    for part in (slice(0, cut), slice(cut, 150)):
        engine = GraphicsEngine(lift, X[part], y[part], w[part], 3, device=DEVICE)
        parts = parts.merge(engine.class_sums(kernel, Q))
    assert error(parts, whole) <= 1e-5


def test_the_same_call_gives_the_same_bits():
    lift, X, y, w, Q = case(32)
    engine = GraphicsEngine(lift, X, y, w, 3, device=DEVICE)
    once = engine.class_sums(PowerKernel(3.0), Q)
    engine.class_sums(PowerKernel(100.0), Q)
    assert bits(engine.class_sums(PowerKernel(3.0), Q)) == bits(once)
    again = GraphicsEngine(lift, X, y, w, 3, device=DEVICE)
    assert bits(again.class_sums(PowerKernel(3.0), Q)) == bits(once)


@pytest.mark.parametrize("weight", [np.zeros(150), None])
def test_nothing_is_nothing(weight):
    lift, X, y, _, Q = case(3)
    rows = X if weight is not None else X[:0]
    engine = GraphicsEngine(lift, rows, y[: len(rows)], weight, 3, device=DEVICE)
    assert bits(engine.class_sums(PowerKernel(3.0), Q)) == bits(PartialSums.empty(40, 3))
    full = GraphicsEngine(lift, X, y, None, 3, device=DEVICE)
    assert full.class_sums(PowerKernel(3.0), Q[:0]).shape == (0, 3)
    full.forget([])
    full.forget(np.arange(150))
    assert bits(full.class_sums(PowerKernel(3.0), Q)) == bits(PartialSums.empty(40, 3))


def test_a_gpu_that_is_not_there_is_said_in_one_warning(monkeypatch):
    torch = eager.pytorch()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    lift, X, y, w, Q = case(2)
    with pytest.warns(UserWarning, match="no GPU can be used by torch here") as caught:
        engine = GraphicsEngine(lift, X, y, w, 3, device="cuda")
    assert len(caught) == 1
    assert engine.device.type == "cpu"
    assert GraphicsEngine(lift, X, y, w, 3).device.type == "cpu"
    exact = class_sums(PowerKernel(3.0), lift, X, y, w, Q, 3)
    assert error(engine.class_sums(PowerKernel(3.0), Q), exact) <= 1e-5
    # So it is where the engine is chosen by its name.
    rows, kinds = np.zeros((2048, 2)), np.zeros(2048, np.int64)
    with pytest.warns(UserWarning, match="no GPU can be used by torch here"):
        make_engine("graphics", PowerKernel(3.0), fit_lift(rows, "euclidean"), rows, kinds, None, 1)
    with pytest.raises(ValueError, match="engine must be one of"):
        make_engine("fast", PowerKernel(3.0), fit_lift(rows, "euclidean"), rows, kinds, None, 1)


def test_products_of_less_than_float32_are_not_used():
    torch = eager.pytorch()
    lift, X, y, w, Q = case(32)
    engine = GraphicsEngine(lift, X, y, w, 3, device="cpu")
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        sums, used = arithmetic_of(engine, PowerKernel(3.0), Q)
    finally:
        torch.set_float32_matmul_precision(before)
    assert [step[:2] for step in used] == [("float32", True)]
    assert error(sums, class_sums(PowerKernel(3.0), lift, X, y, w, Q, 3)) <= 1e-5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"index": np.zeros(149, dtype=int)}, "a matrix of 149 examples and 3 columns is expected"),
        ({"index": np.zeros(150)}, "vector of integers"),
        ({"index": np.full(150, 3)}, r"0\.\.2"),
        ({"weight": -np.ones(150)}, "nonnegative"),
        ({"device": "tpu"}, "'tpu' was got"),
        ({"tolerance": 0.0}, "tolerance must lie between"),
        ({"tolerance": np.nan}, "tolerance must lie between"),
        ({"X": np.full((150, 3), np.nan)}, "examples must be finite"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    lift, X, y, _, _ = case(3)
    call = {"X": X, "index": y, "weight": None, "device": DEVICE, "tolerance": 1e-5} | change
    with pytest.raises(ValueError, match=message):
        GraphicsEngine(lift, n_classes=3, **call)


@pytest.mark.parametrize(
    ("kernel", "Q", "exclude", "message"),
    [
        (PowerKernel(3.0), np.zeros((2, 4)), None, "a matrix of 3 columns"),
        (PowerKernel(3.0), np.full((2, 3), np.inf), None, "queries must be finite"),
        (PowerKernel(3.0), np.zeros((2, 3)), [0], "2 positions"),
        (PowerKernel(3.0), np.zeros((2, 3)), [0.0, 1.0], "2 positions"),
        (PowerKernel(3.0), np.zeros((2, 3)), [0, 150], r"-1\.\.149"),
        (PowerKernel(1e12), np.zeros((2, 3)), None, 'use a larger tolerance or the engine "ref'),
        (SteepKernel(), np.zeros((2, 3)), None, 'the engine "reference"'),
    ],
)
def test_queries_that_do_not_fit_are_refused(kernel, Q, exclude, message):
    _, X, y, _, _ = case(3)
    engine = GraphicsEngine(fit_lift(X), X, y, None, 3, device=DEVICE)
    with pytest.raises(ValueError, match=message):
        engine.class_sums(kernel, Q, exclude)


@pytest.mark.parametrize("positions", [[150], [-1], [0.5]])
def test_only_examples_can_be_forgotten(positions):
    lift, X, y, w, _ = case(3)
    engine = GraphicsEngine(lift, X, y, w, 3, device=DEVICE)
    with pytest.raises(ValueError, match="positions"):
        engine.forget(positions)


def test_near_ties_are_decided_as_the_reference_does():
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
    assert not class_sums(kernel, lift, X, y, None, Q, 2).decide().tied.any()
    engine = GraphicsEngine(lift, X, y, None, 2, device=DEVICE)
    assert engine.class_sums(kernel, Q).decide().winner.tolist() == [0] * 20
