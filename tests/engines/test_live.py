from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplimit.engines import choice
from deeplimit.engines.live import LiveEngine
from deeplimit.examples import ExampleSet
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import class_sums, fit_lift, top_contributors
from engines.laws import assert_sums_agree

LIFT, KERNEL = fit_lift([[0.0]], "euclidean"), PowerKernel(2.0)
QUERIES = np.array([[0.0], [0.5], [1.0], [2.25], [7.0]])


def begun(n=6):
    kept = ExampleSet(1)
    kept.add(np.arange(n, dtype=float)[:, None], list("abcabc")[:n], np.ones(n))
    return kept


def check(live, kept):
    """Compare with sums over what the set holds now."""
    snapshot = kept.snapshot()
    expected = class_sums(
        KERNEL, LIFT, snapshot.rows, snapshot.codes, snapshot.weights, QUERIES, len(kept.classes)
    )
    assert_sums_agree(live.class_sums(KERNEL, QUERIES), expected, 1e-14)
    top = top_contributors(KERNEL, LIFT, snapshot.rows, snapshot.weights, QUERIES, 3)
    found = live.top_contributors(KERNEL, QUERIES, 3)
    assert np.array_equal(found.indices, top.indices)
    own = np.arange(min(len(QUERIES), len(kept)))
    rows = snapshot.rows[own]
    expected = class_sums(
        KERNEL, LIFT, snapshot.rows, snapshot.codes, snapshot.weights, rows, len(kept.classes),
        exclude=own,
    )  # fmt: skip
    assert_sums_agree(live.class_sums(KERNEL, rows, own), expected, 1e-14)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("afr"), st.integers(0, 30)), max_size=12))
def test_it_follows_any_history(changes):
    kept = begun()
    live = LiveEngine("reference", KERNEL, LIFT, kept, np.ones(3))
    for kind, number in changes:
        ids = kept.snapshot().ids
        if kind == "a":
            kept.add(np.array([[number / 4.0], [number / 2.0]]), ["a", "b"], np.array([1.0, 2.0]))
        elif kind == "f" and len(kept) > 1:
            kept.forget([ids[number % len(ids)]])
        else:
            kept.relabel([ids[number % len(ids)]], ["abc"[number % 3]])
        if not live.follow(LIFT, np.ones(len(kept.classes))):
            live = LiveEngine("reference", KERNEL, LIFT, kept, np.ones(len(kept.classes)))
        check(live, kept)


def test_it_follows_with_compiled_loops(monkeypatch):
    monkeypatch.setattr(choice, "WORTH_COMPILING", 1)
    kept = begun()
    live = LiveEngine("auto", KERNEL, LIFT, kept, np.ones(3))
    assert live.name == "compiled"
    check(live, kept)
    kept.forget([2, 3])
    kept.add(np.array([[9.0], [2.0]]), ["a", "c"], np.array([1.0, 2.0]))
    kept.relabel([0], ["b"])
    assert live.follow(LIFT, np.ones(3))
    check(live, kept)


def test_it_says_when_it_cannot_follow():
    kept = begun()
    live = LiveEngine("reference", KERNEL, LIFT, kept, np.ones(3))
    assert live.follow(LIFT, np.ones(3))
    assert not live.follow(LIFT, np.array([1.0, 2.0, 1.0]))
    assert not live.follow(fit_lift([[0.0], [1.0]], "hemisphere"), np.ones(3))
    kept.add(np.zeros((3000, 1)), ["a"] * 3000, np.ones(3000))
    assert not live.follow(LIFT, np.ones(3))


def test_a_forgotten_row_is_in_no_engine():
    kept = begun()
    kept.add(np.array([[123.5]]), ["a"], np.ones(1))
    live = LiveEngine("compiled", KERNEL, LIFT, kept, np.ones(3))
    live.class_sums(KERNEL, QUERIES)
    kept.add(np.zeros((50, 1)), ["a"] * 50, np.ones(50))  # the rows move to a larger place
    kept.forget([6])
    assert live.follow(LIFT, np.ones(3))
    main = live._main
    assert not np.any(main.X == 123.5)
    framed = main.packed.frame(np.array([[123.5]]))[0, 0]
    assert not np.any(main.packed.x == framed)


@pytest.mark.parametrize("seed", range(6))
def test_single_precision_decides_by_the_whole(seed):
    # The engine that holds most examples is sure of its class, the one that holds the added example
    # of another; together they are nearer to a tie than float32 can tell.
    rng = np.random.default_rng(seed)
    X, query = rng.standard_normal((3000, 3)), rng.standard_normal((1, 3))
    y = np.where(rng.random(3000) < 0.7, "a", "b")
    kept = ExampleSet(3)
    kept.add(X, y, np.ones(3000))
    lift = fit_lift(X, "euclidean")
    live = LiveEngine("single", KERNEL, lift, kept, np.ones(2))
    sums = class_sums(KERNEL, lift, X, kept.codes, None, query, 2)
    a, b = (sums.positive * np.exp(sums.max_log))[0]
    # What makes up for the difference, and a little more.
    weight = (a - b + 1e-9 * (a + b)) / float(np.exp(KERNEL.log_at_gap(0.5)))
    kept.add(query + np.eye(1, 3), ["b"], np.array([weight]))
    assert live.follow(lift, np.ones(2))
    assert live.class_sums(KERNEL, query).decide().winner.tolist() == [1]


def test_coincident_examples_are_ordered_by_all_of_their_weight():
    kept = begun()
    factors = np.array([1.0, 10.0, 1.0])
    live = LiveEngine("reference", KERNEL, LIFT, kept, factors)
    kept.add(np.array([[1.0]]), ["a"], np.array([2.0]))
    assert live.follow(LIFT, factors)
    # Example 1, of class b, weighs 10; the one added 2.
    found = live.top_contributors(KERNEL, [[1.0]], 2)
    assert found.indices.tolist() == [[1, 6]]


@pytest.mark.parametrize("exclude", [[6], [-2]])
def test_what_no_query_can_leave_out_is_refused(exclude):
    kept = begun()
    live = LiveEngine("reference", KERNEL, LIFT, kept, np.ones(3))
    with pytest.raises(ValueError, match="exclude needs an example"):
        live.class_sums(KERNEL, [[1.0]], exclude)
