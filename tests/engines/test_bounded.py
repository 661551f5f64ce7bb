from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deeplimit.engines.bounded import bound_proportions, decide, plan
from deeplimit.engines.clusters import ClusterIndex
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import class_sums, fit_lift

EXPONENTS = [0.5, 1.0, 3.3, 10.0, 64.0, 65.0, 800.0]


def mixture(seed, n, d, n_classes=3, m=40, apart=2.0):
    """Draw examples, classes and queries from a mixture of Gaussians, several to a class."""
    rng = np.random.default_rng(seed)
    centres = apart * rng.standard_normal((3 * n_classes, d))

    def draw(count):
        part = rng.integers(len(centres), size=count)
        return centres[part] + rng.standard_normal((count, d)), part % n_classes

    return (*draw(n), draw(m)[0])


def indexed(X, y, weight, n_classes, kind="euclidean", size=8):
    lift = fit_lift(X, kind)
    rounding = 0.0 if lift.exact else 2.0**-48
    index = ClusterIndex.build(
        lift.transform(X), y, weight, n_classes, size=size, rounding=rounding
    )
    return lift, index


def assert_same(X, y, weight, Q, n_classes, exponent, kind="euclidean", size=8):
    """What is certain is untied and the same by the full sums; intervals hold the proportions."""
    lift, index = indexed(X, y, weight, n_classes, kind, size)
    sums = class_sums(PowerKernel(exponent), lift, X, y, weight, Q, n_classes)
    full, shares = sums.decide(), sums.proportions()
    images = lift.transform(Q)
    found = decide(index, exponent, images)
    certain = found.certain
    assert not full.tied[certain].any()
    assert found.winner[certain].tolist() == full.winner[certain].tolist()
    for budget, shared in ((None, False), (0.2, False), (0.2, True)):
        bounded = bound_proportions(
            index, exponent, images, tolerance=1e-3, budget=budget, shared=shared
        )
        assert np.all(bounded.lower <= shares * (1 + 1e-15)), exponent
        assert np.all(shares <= bounded.upper * (1 + 1e-15)), exponent
        assert np.all(bounded.lower <= bounded.estimate * (1 + 1e-15))
        assert np.all(bounded.estimate <= bounded.upper * (1 + 1e-15))
        width = (bounded.upper - bounded.lower).max(axis=1)
        assert np.all(width[bounded.reached] <= 1.001e-3 + 1e-8)
    return found, full


@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize(("kind", "d"), [("euclidean", 3), ("hemisphere", 3), ("euclidean", 20)])
def test_certain_decisions_are_those_of_the_full_sums(kind, d, exponent):
    X, y, Q = mixture(d, 600, d)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, len(X))
    found, full = assert_same(X, y, weight, Q, 3, exponent, kind)
    assert found.certain.all()
    assert len(set(full.winner)) > 1


def test_rows_of_unit_norm_are_taken_as_they_lie():
    X, y, Q = mixture(2, 500, 4)
    X, Q = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (X, Q))
    found, _ = assert_same(X, y, None, Q, 3, 3.0, "none")
    assert found.certain.all()


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 40),
    d=st.integers(1, 3),
    n_classes=st.integers(1, 4),
    exponent=st.sampled_from([*EXPONENTS, 2.0, 4.0]),
    size=st.integers(1, 5),
    kind=st.sampled_from(["euclidean", "hemisphere"]),
)
# Hits of two classes, where a lower bound overflows beside them.
@example(seed=905689, n=38, d=1, n_classes=2, exponent=800.0, size=1, kind="euclidean")
def test_grids_with_ties_duplicates_and_hits(seed, n, d, n_classes, exponent, size, kind):
    rng = np.random.default_rng(seed)
    X, Q = (rng.integers(-2, 3, (k, d)).astype(float) for k in (n, 12))
    y, weight = rng.integers(n_classes, size=n), rng.integers(0, 4, n).astype(float)
    assert_same(X, y, weight, Q, n_classes, exponent, kind, size)


def test_a_tie_is_never_certain():
    X = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 5.0], [0.0, -5.0]])
    _, index = indexed(X, [0, 1, 2, 2], None, 3)
    Q = [[0.0, 0.0], [0.0, 0.5], [1e-14, 0.0], [1e-3, 0.0]]
    for exponent in EXPONENTS:
        assert decide(index, exponent, Q).certain.tolist() == [False, False, False, True]


def test_the_smallest_difference_that_is_certain_is_near_the_tie():
    _, index = indexed(np.array([[-1.0], [1.0]]), [0, 1], None, 2)
    steps = 2.0 ** -np.arange(20.0, 50.0)
    certain = decide(index, 1.0, steps[:, None]).certain
    # The sums differ by a relative 2·step, and tie below 2^-40.
    assert certain[steps > 2.0**-36].all() and not certain[steps < 2.0**-41].any()


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_coincident_examples_decide_by_their_weights(exponent):
    X = np.array([[0.0, 0.0]] * 3 + [[1.0, 1.0]] * 2 + [[3.0, 0.0], [0.1, 0.0], [4.0, 4.0]])
    y, weight = [0, 1, 1, 0, 1, 1, 0, 2], [3.0, 1.0, 1.0, 2.0, 2.0, 1.0, 9.0, 1.0]
    _, index = indexed(X, y, weight, 3, size=2)
    found = decide(index, exponent, X[[0, 3, 5]])
    assert found.winner[[0, 2]].tolist() == [0, 1]
    assert found.certain.tolist() == [True, False, True]
    shares = bound_proportions(index, exponent, X[[0, 3, 5]], tolerance=0.0)
    assert shares.estimate == pytest.approx(np.array([[0.6, 0.4, 0], [0.5, 0.5, 0], [0, 1, 0]]))
    assert shares.reached.all() and np.allclose(shares.upper - shares.lower, 0.0, atol=1e-7)
    assert_same(X, y, weight, X, 3, exponent, size=2)


def test_examples_that_are_too_near_to_tell_are_left_to_the_full_sums():
    X = np.array([[0.0, 1.0], [1e-170, 1.0], [2.0, 1.0]])
    _, index = indexed(X, [0, 1, 1], None, 2)
    assert not decide(index, 3.0, [[0.0, 1.0]]).certain[0]
    bounded = bound_proportions(index, 3.0, [[0.0, 1.0]])
    assert bounded.lower.tolist() == [[0.0, 0.0]] and bounded.upper.tolist() == [[1.0, 1.0]]
    assert not bounded.reached[0]
    # Images of a lift that rounds may be equal though the rows differ.
    X = np.array([[0.0], [1e-17], [1.0]])
    _, index = indexed(X, [0, 1, 1], None, 2, "hemisphere")
    lift = fit_lift(X, "hemisphere")
    assert not decide(index, 1.0, lift.transform([[0.0]])).certain[0]


@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize("scale", [1e300, 1e150, 1e-100, 1e-300])
def test_large_and_small_data(scale, exponent):
    X, y, Q = mixture(5, 300, 2)
    found, _ = assert_same(X * scale / 10, y, None, Q * scale / 10, 3, exponent)
    assert found.certain.all()


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_distances_over_many_decades_and_offsets(exponent):
    rng = np.random.default_rng(6)
    X = np.exp(rng.uniform(-200, 200, (300, 2))) * rng.choice([-1, 1], (300, 2))
    y = rng.integers(3, size=300)
    assert_same(X, y, None, np.concatenate([X[:20] * 1.001, np.zeros((1, 2))]), 3, exponent)
    X, y, Q = mixture(7, 300, 3)
    found, _ = assert_same(X + 1e6, y, None, Q + 1e6, 3, exponent)
    assert found.certain.all()
    near = X[:20] + 1e-9
    found, _ = assert_same(X, y, None, near, 3, exponent)
    assert found.certain.all()


@pytest.mark.parametrize("exponent", [0.5, 10.0, 800.0])
def test_weights_over_many_decades(exponent):
    X, y, Q = mixture(8, 300, 2)
    weight = 2.0 ** np.random.default_rng(8).uniform(-290, 290, 300)
    found, _ = assert_same(X, y, weight, Q, 3, exponent)
    assert found.certain.mean() > 0.9


def test_a_heavy_example_outweighs_one_that_is_nearer_beyond_the_range_of_floats():
    # The ratio of the squares is 2^-1556, of the kernel values 2^-389, of the weights 2^590.
    X, weight = np.array([[2.0**-480], [2.0**298]]), [2.0**-590, 1.0]
    lift, index = indexed(X, [0, 1], weight, 2)
    full = class_sums(PowerKernel(0.5), lift, X, [0, 1], weight, [[0.0]], 2).decide()
    assert full.winner.tolist() == [1]
    found = decide(index, 0.5, lift.transform([[0.0]]))
    assert found.winner[0] == 1 or not found.certain[0]


@pytest.mark.parametrize(("d", "most"), [(3, 0.12), (10, 0.12)])
def test_few_pairs_are_visited_where_classes_lie_apart(d, most):
    X, y, Q = mixture(9, 8000, d, apart=4.0)
    _, index = indexed(X, y, None, 3, size=48)
    found = decide(index, float(d), Q)
    assert found.certain.all()
    assert found.visited.mean() <= most * len(X)


def test_fewer_than_half_of_the_pairs_are_visited_where_classes_overlap():
    # Cut along principal axes, and opened by members three deviations nearer, it takes two thirds.
    X, y, Q = mixture(9, 8000, 10, apart=1.0)
    _, index = indexed(X, y, None, 3, size=48)
    found = decide(index, 10.0, Q)
    assert found.certain.all()
    assert found.visited.mean() <= 0.45 * len(X)


def test_a_budget_is_kept_and_more_of_it_tells_more():
    X, y, Q = mixture(10, 4000, 6)
    _, index = indexed(X, y, None, 3, size=16)
    sums = class_sums(PowerKernel(2.0), fit_lift(X, "euclidean"), X, y, None, Q, 3)
    widths, errors = [], []
    for budget in (0.01, 0.05, 0.3, None):
        found = bound_proportions(index, 2.0, Q, tolerance=0.0, budget=budget)
        if budget is not None:
            assert found.visited.max() <= budget * len(X) + 16
        widths.append((found.upper - found.lower).mean())
        errors.append(np.abs(found.estimate - sums.proportions()).max())
    assert widths[0] > widths[1] > widths[2] > widths[3]
    assert widths[3] < 1e-8 and errors[3] < 1e-10
    assert errors[1] < 0.02


def test_estimates_are_closer_for_knowing_in_which_directions_clusters_extend():
    X, y, Q = mixture(15, 10_000, 10, m=200, apart=0.6)
    _, index = indexed(X, y, None, 3, size=16)
    shares = class_sums(PowerKernel(3.0), fit_lift(X, "euclidean"), X, y, None, Q, 3).proportions()

    def error():
        found = bound_proportions(index, 3.0, Q, tolerance=0.0, budget=0.1)
        return np.sqrt(np.mean((found.estimate - shares) ** 2)), found

    close, known = error()
    index.nodes = index.nodes._replace(form=index.nodes.form[:, :0])
    coarse, round_ = error()
    assert 0.0 < close < 0.7 * coarse
    # And the proof has nothing to do with it.
    assert np.array_equal(known.lower, round_.lower) and np.array_equal(known.upper, round_.upper)


def test_intervals_are_narrowed_where_bounds_are_apart_and_estimates_where_much_may_be_added():
    X, y, Q = mixture(16, 20_000, 10, m=200, apart=1.0)
    _, index = indexed(X, y, None, 3)
    shares = class_sums(PowerKernel(10.0), fit_lift(X, "euclidean"), X, y, None, Q, 3).proportions()
    widths, errors = [], []
    for tolerance in (1e-9, 0.0):
        found = bound_proportions(index, 10.0, Q, tolerance=tolerance, budget=0.1)
        widths.append(float((found.upper - found.lower).max(axis=1).mean()))
        errors.append(float(np.sqrt(np.mean((found.estimate - shares) ** 2))))
    assert widths[0] < 0.96 * widths[1]
    assert errors[1] < 0.9 * errors[0]


def test_nodes_without_an_upper_bound_are_opened_however_little_they_are_likely_to_add():
    # Beside an example all others are likely to add nothing at such an exponent.
    X, y, _ = mixture(20, 5000, 4)
    _, index = indexed(X, y, None, 3)
    near = X[:50] + 1e-7 * np.random.default_rng(0).standard_normal((50, 4))
    found = bound_proportions(index, 60.0, near, tolerance=0.0, budget=0.05)
    assert np.max(found.upper - found.lower) < 1e-6


def test_a_search_that_ends_beside_a_hit_estimates_by_the_hits_it_has():
    # Two classes hold the query. Three roots and a leaf are looked at, or another leaf, too.
    index = ClusterIndex.build([[0.0], [0.0], [5.0]], [0, 1, 2], [3.0, 1.0, 1.0], 3)
    for limit, expected in ((4, [1.0, 0.0, 0.0]), (5, [0.75, 0.25, 0.0])):
        found = bound_proportions(index, 1.0, [[0.0]], tolerance=0.0, budget=limit / 3)
        assert found.visited[0] == limit and found.reached[0] == (limit == 5)
        assert found.estimate[0].tolist() == expected
        assert np.all(found.lower[0] <= [0.75, 0.25, 0.0])
        assert np.all(found.upper[0] >= [0.75, 0.25, 0.0])


class TestSharedBudget:
    def test_fewer_decisions_change_at_the_same_total(self):
        X, y, Q = mixture(15, 10_000, 10, m=400, apart=0.3)
        _, index = indexed(X, y, None, 3, size=16)
        sums = class_sums(PowerKernel(4.0), fit_lift(X, "euclidean"), X, y, None, Q, 3)
        exact, shares = sums.decide().winner, sums.proportions()
        flips = []
        for shared in (False, True):
            found = bound_proportions(index, 4.0, Q, tolerance=0.0, budget=0.15, shared=shared)
            flips.append(int((found.estimate.argmax(axis=1) != exact).sum()))
            assert 0.14 <= found.visited.mean() / len(X) <= 0.15 + 16 / len(X)
        assert flips[0] >= 10
        assert flips[1] <= flips[0] // 3
        # The last one shared the budget: the closest were searched to the end.
        margin = np.diff(np.sort(shares, axis=1)[:, -2:], axis=1)[:, 0]
        ended = found.visited > len(X)
        assert ended[np.argsort(margin)[:20]].mean() > 3.0 * ended.mean() > 0.0
        assert not ended[margin > np.median(margin)].any()
        assert np.abs(found.estimate - shares)[ended].max() < 1e-10
        assert found.visited.sum() <= 0.15 * len(X) * len(Q)

    @pytest.mark.parametrize("budget", [0.02, 0.1, 0.5, 3.0, 1e308])
    @pytest.mark.parametrize("m", [2, 3, 40])
    def test_the_total_is_kept(self, m, budget):
        X, y, Q = mixture(16, 2000, 4, m=m, apart=0.5)
        _, index = indexed(X, y, None, 3, size=16)
        found = bound_proportions(index, 2.0, Q, tolerance=0.0, budget=budget, shared=True)
        assert found.visited.sum() <= m * (budget * len(X) + 16)
        most = bound_proportions(index, 2.0, Q, tolerance=0.0)
        if budget > 2.0:
            two = np.sort(most.estimate, axis=1)
            assert np.array_equal(found.estimate.argmax(axis=1), most.estimate.argmax(axis=1))
            assert (two[:, -1] > two[:, -2]).all()

    def test_a_query_alone_has_the_plain_budget(self):
        X, y, Q = mixture(17, 2000, 4, apart=0.5)
        _, index = indexed(X, y, None, 3, size=16)
        for rows in (Q[:1], Q[:0]):
            found, plain = (
                bound_proportions(index, 2.0, rows, budget=0.1, shared=shared)
                for shared in (True, False)
            )
            for first, second in zip(found, plain, strict=True):
                assert np.array_equal(first, second)

    def test_what_is_settled_or_narrow_enough_takes_no_more(self):
        X, y, Q = mixture(18, 4000, 3, m=100, apart=3.0)
        _, index = indexed(X, y, None, 3, size=16)
        for tolerance in (0.0, 0.2):
            found = bound_proportions(index, 3.0, Q, tolerance=tolerance, budget=0.5, shared=True)
            # The first round is an eighth of the budget.
            first = bound_proportions(index, 3.0, Q, tolerance=tolerance, budget=0.0625)
            best = first.estimate.argmax(axis=1)[:, None]
            lowest = np.take_along_axis(first.lower, best, axis=1)[:, 0]
            others = first.upper.copy()
            np.put_along_axis(others, best, 0.0, axis=1)
            over = first.reached | (others.max(axis=1) < lowest)
            assert 0.3 < over.mean() < 0.9
            assert np.array_equal(found.visited[over], first.visited[over])
            assert np.all(found.visited[~over] > first.visited[~over])

    def test_it_does_not_depend_on_threads_but_on_the_batch(self):
        X, y, Q = mixture(19, 3000, 6, m=150, apart=0.6)
        _, index = indexed(X, y, None, 3, size=16)

        def ask(rows, n_jobs=1):
            return bound_proportions(
                index, 2.0, rows, tolerance=0.0, budget=0.1, shared=True, n_jobs=n_jobs
            )

        one = ask(Q)
        for first, second in zip(one, ask(Q, n_jobs=3), strict=True):
            assert np.array_equal(first, second)
        assert not np.array_equal(one.visited[:20], ask(Q[:20]).visited)

    def test_one_class_and_no_examples(self):
        single = ClusterIndex.build([[0.0], [1.0]], [0, 0], None, 1)
        found = bound_proportions(single, 1.0, [[2.0], [3.0]], budget=1.0, shared=True)
        assert found.estimate.tolist() == [[1.0], [1.0]]
        empty = ClusterIndex.build(np.zeros((0, 2)), [], None, 3)
        found = bound_proportions(empty, 1.0, np.zeros((4, 2)), budget=0.5, shared=True)
        assert found.upper.tolist() == [[1.0] * 3] * 4 and not found.reached.any()


def test_the_result_does_not_depend_on_the_number_of_threads():
    X, y, Q = mixture(11, 500, 3, m=300)
    _, index = indexed(X, y, None, 3)
    one, two = (bound_proportions(index, 3.0, Q, n_jobs=jobs) for jobs in (1, 2))
    for first, second in zip(one, two, strict=True):
        assert np.array_equal(first, second)
    for first, second in zip(decide(index, 3.0, Q), decide(index, 3.0, Q, n_jobs=2), strict=True):
        assert np.array_equal(first, second)


@pytest.mark.parametrize("exponent", [2.0, 65.0])
def test_forgotten_examples_do_not_count(exponent):
    X, y, Q = mixture(12, 300, 3)
    Q = np.concatenate([Q, X[:20]])
    lift, index = indexed(X, y, None, 3)
    gone = np.random.default_rng(12).permutation(300)[:200]
    for position in gone:
        index.forget(int(position))
    kept = np.setdiff1d(np.arange(300), gone)
    full = class_sums(PowerKernel(exponent), lift, X[kept], y[kept], None, Q, 3).decide()
    found = decide(index, exponent, Q)
    assert found.certain.all() and found.winner.tolist() == full.winner.tolist()


def test_degenerate_numbers_of_examples_classes_and_queries():
    empty = ClusterIndex.build(np.zeros((0, 2)), [], None, 3)
    assert not decide(empty, 1.0, [[0.0, 0.0]]).certain[0]
    bounded = bound_proportions(empty, 1.0, [[0.0, 0.0]])
    assert bounded.upper.tolist() == [[1.0] * 3] and not bounded.reached[0]
    assert not plan(empty, 1.0, [[0.0, 0.0]]).worth_it
    alone = ClusterIndex.build([[0.0, 1.0]], [1], None, 3)
    found = decide(alone, 800.0, [[5.0, 1.0], [0.0, 1.0]])
    assert found.winner.tolist() == [1, 1] and found.certain.all()
    assert decide(alone, 1.0, np.zeros((0, 2))).winner.shape == (0,)
    assert bound_proportions(alone, 1.0, np.zeros((0, 2))).estimate.shape == (0, 3)
    assert not plan(alone, 1.0, np.zeros((0, 2))).worth_it
    single = ClusterIndex.build([[0.0], [1.0]], [0, 0], None, 1)
    assert decide(single, 1.0, [[0.0], [7.0]]).certain.all()


def test_a_plan_tells_where_searching_pays():
    X, y, Q = mixture(13, 8000, 3, m=200, apart=4.0)
    _, index = indexed(X, y, None, 3, size=48)
    good = plan(index, 3.0, Q)
    assert good.worth_it and good.expected == good.visited * good.cost + good.uncertain
    assert not plan(index, 3.0, Q, cost=1e4).worth_it
    rng = np.random.default_rng(13)
    noise = ClusterIndex.build(rng.standard_normal((2000, 30)), rng.integers(2, size=2000), None, 2)
    assert not plan(noise, 1.0, rng.standard_normal((70, 30))).worth_it
    # Ties go to the full sums, and count as such.
    index = ClusterIndex.build([[-1.0], [1.0]], [0, 1], None, 2)
    assert plan(index, 1.0, np.zeros((5, 1))).uncertain == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda index: decide(index, 0.0, [[0.0]]), "exponent must be a positive"),
        (lambda index: decide(index, np.nan, [[0.0]]), "exponent must be a positive"),
        (lambda index: decide(index, np.inf, [[0.0]]), "exponent must be a positive"),
        (lambda index: decide(index, 1.0, [0.0]), r"shape \(m, 1\)"),
        (lambda index: decide(index, 1.0, [[0.0, 1.0]]), r"shape \(m, 1\)"),
        (lambda index: decide(index, 1.0, [[np.nan]]), "not finite"),
        (lambda index: decide(index, 1.0, [[1e200]]), "beyond 2"),
        (lambda index: bound_proportions(index, 1.0, [[0.0]], tolerance=-1.0), "tolerance"),
        (lambda index: bound_proportions(index, 1.0, [[0.0]], tolerance=np.nan), "tolerance"),
        (lambda index: bound_proportions(index, 1.0, [[0.0]], budget=0.0), "budget"),
        (lambda index: bound_proportions(index, 1.0, [[0.0]], shared=True), "no budget to be"),
        (lambda index: plan(index, 1.0, [[0.0]], cost=0.0), "cost"),
    ],
)
def test_what_is_out_of_range_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(ClusterIndex.build([[0.0], [1.0]], [0, 1], None, 2))


def test_without_numba_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    for name in ("bounded_loops", "cluster_loops", "instructions"):
        monkeypatch.delitem(sys.modules, f"deeplimit.engines.{name}", raising=False)
    index = ClusterIndex.build([[0.0], [1.0]], [0, 1], None, 2)
    with pytest.raises(ImportError, match=r"deeplimit\[fast\]"):
        decide(index, 1.0, [[0.5]])
