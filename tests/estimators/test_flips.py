"""The smallest sets that flip a decision, against a search of all sets in exact arithmetic."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deeplimit as dl
from deeplimit.estimators import flips as flips_module
from deeplimit.estimators.flips import flips, winners_without
from deeplimit.estimators.limits import Examples, Smoother
from deeplimit.sums import fit_lift


@dataclass(frozen=True)
class Kernel:
    """A kernel of the squared distance, by a rational function; None is an infinite weight."""

    value: object
    positive: bool = False

    def at(self, square):
        if square == 0:
            return None, 1
        k = self.value(square)
        if k is None:
            return None, -1
        return abs(k), (k > 0) - (k < 0)

    def _table(self, s):
        squares = np.rint(2 * np.asarray(s)).astype(int)
        return [self.at(square) for square in squares.ravel().tolist()], squares.shape

    def log_at_gap(self, s):
        table, shape = self._table(s)
        with np.errstate(divide="ignore"):
            logs = [np.inf if k is None else np.log(float(k)) for k, _ in table]
        return np.reshape(logs, shape)

    def sign_at_gap(self, s):
        table, shape = self._table(s)
        return np.reshape([sign for _, sign in table], shape)


KERNELS = {
    "power": Kernel(lambda square: Fraction(1, square), positive=True),
    "steep": Kernel(lambda square: Fraction(1, square**6), positive=True),
    "vote": Kernel(lambda square: Fraction(1), positive=True),
    "compact": Kernel(lambda square: Fraction(max(0, 5 - square)), positive=True),
    "waves": Kernel(lambda square: Fraction((3, 2, -1, 0, -2, 1)[square % 6])),
    "odd": Kernel(lambda square: None if square == 9 else Fraction(4 - square)),
}


def decide(terms, n_classes):
    """Decide from (class, weight, size, sign) of each example, in exact arithmetic."""
    best = None
    for c in range(n_classes):
        own = [t for t in terms if t[0] == c]
        if own:
            hits = sum(weight * sign for _, weight, size, sign in own if size is None)
            score = sum(weight * size * sign for _, weight, size, sign in own if size is not None)
            key = (hits, score, sum(weight for _, weight, _, _ in own), -c)
            best = key if best is None or key > best else best
    return -best[3]


def smallest(terms, n_classes):
    """Give the decision and all the smallest sets that change it."""
    before = decide(terms, n_classes)
    for size in range(1, len(terms)):
        sets = [
            set(out)
            for out in combinations(range(len(terms)), size)
            if decide([t for i, t in enumerate(terms) if i not in out], n_classes) != before
        ]
        if sets:
            return before, sets
    return before, []


def problem(kernel, x, index, weight, n_classes=3):
    X = np.array(x, dtype=float)[:, None]
    lift = fit_lift(X, "euclidean")
    index = np.array(index, dtype=np.int64)
    return Smoother(Examples(X, index, np.array(weight, dtype=float), lift, n_classes), kernel)


def check(rule, queries, max_removed=None):
    e = rule.examples
    n_classes = e.n_classes
    X = np.array(queries, dtype=float)[:, None]
    labels = np.arange(n_classes)
    got = flips(rule, X, max_removed, labels, np.arange(len(e.X)))
    for i, q in enumerate(queries):
        terms = [
            (int(c), Fraction(w), *rule.kernel.at(int((q - x) ** 2)))
            for c, w, x in zip(e.index, e.weight, e.X[:, 0], strict=True)
        ]
        before, sets = smallest(terms, n_classes)
        assert got.before[i] == before
        size = len(sets[0]) if sets else 0
        within = size > 0 and (max_removed is None or size <= max_removed)
        assert got.possible[i] == (size > 0)
        assert got.found[i] == within
        assert got.count[i] == (size if within or not size else max_removed + 1)
        assert (set(got.removed[i].tolist()) in sets) if within else not got.removed[i].size
        rest = [t for k, t in enumerate(terms) if k not in got.removed[i]]
        assert got.after[i] == decide(rest, n_classes)
        if within:
            assert winners_without(rule, X[i : i + 1], got.removed[i]) == got.after[i]
    return got


@pytest.mark.parametrize("name", KERNELS)
@given(data=st.data())
def test_no_smaller_set_flips(name, data):
    n = data.draw(st.integers(1, 8))
    x = data.draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n))
    index = data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    weight = data.draw(st.lists(st.sampled_from([1.0, 1.0, 0.5, 3.0]), min_size=n, max_size=n))
    # Classes without examples are none, as in a fitted model.
    index = np.unique(index, return_inverse=True)[1]
    rule = problem(KERNELS[name], x, index, weight, int(index.max()) + 1)
    check(rule, [0, 1, 4], data.draw(st.sampled_from([None, 1, 2])))


@pytest.mark.parametrize("name", KERNELS)
def test_the_list_of_the_heaviest_grows(name, monkeypatch):
    # The list begins with one example and grows by one: every cut of it is met.
    monkeypatch.setattr(flips_module, "_FIRST", 1)
    monkeypatch.setattr(flips_module, "_GROWTH", 2)
    rng = np.random.default_rng(5)
    for _ in range(40):
        n = 9
        index = np.unique(rng.integers(3, size=n), return_inverse=True)[1]
        weight = rng.choice([1.0, 0.25, 2.0], n)
        rule = problem(KERNELS[name], rng.integers(-4, 5, n), index, weight, int(index.max()) + 1)
        check(rule, [0, 2])


def test_the_better_of_equal_examples_may_lie_beyond_the_list(monkeypatch):
    # Two near examples and a far one of weight 4 have equal terms; only without the far one the
    # masses tie as well. The list that begins with two has the near ones.
    monkeypatch.setattr(flips_module, "_FIRST", 2)
    rule = problem(KERNELS["power"], [1, 1, 2, 1, 1], [1, 1, 1, 0, 0], [1, 1, 4, 1, 1], 2)
    assert check(rule, [0]).removed[0].tolist() == [2]


def test_the_better_rival_may_lie_beyond_the_list(monkeypatch):
    # Without the two terms of -10 class 1 wins, without the one of -5 class 2.
    monkeypatch.setattr(flips_module, "_FIRST", 3)
    kernel = Kernel(lambda square: Fraction({1: -10, 4: 9, 9: 6, 16: -5, 25: 1}[square]))
    rule = problem(kernel, [1, -1, 2, 3, 4, 5, 5, 5, 5], [1, 1, 1, 2, 2, 0, 0, 0, 0], [1] * 9)
    assert check(rule, [0]).removed[0].tolist() == [4]


@pytest.mark.parametrize("first", [1, 3, 16])
@pytest.mark.parametrize("exponent", [0.5, 3.0, 40.0])
def test_many_examples_are_removed_one_by_one(exponent, first, monkeypatch):
    monkeypatch.setattr(flips_module, "_FIRST", first)
    rng = np.random.default_rng(3)
    X = rng.normal(size=(150, 2))
    y = (X[:, 0] + 0.6 * rng.normal(size=150) > 0).astype(int) + (X[:, 1] > 0.8)
    weight = rng.uniform(0.5, 2.0, 150)
    Q = np.vstack([rng.normal(size=(8, 2)), X[:2], X[:1] + 1e-9])
    model = dl.HilbertClassifier(exponent).fit(X, y, weight)
    flip = model.flip(Q)
    assert flip.possible.all() and flip.found.all() and flip.verify(model).all()
    for i, q in enumerate(Q):
        left = np.arange(150)
        with np.errstate(divide="ignore"):
            logs = np.log(weight) - exponent * np.log(np.linalg.norm(X - q, axis=1))
        own = left[y == flip.before[i]]
        own = own[np.argsort(-logs[own], kind="stable")]
        steps = 0
        while model.predict_without([q], own[:steps])[0] == flip.before[i]:
            steps += 1
        assert flip.count[i] == steps
        assert flip.removed[i].tolist() == own[:steps].tolist()
        assert flip.after[i] == model.predict_without([q], own[:steps])[0]


def test_odd_network_on_the_sphere():
    # Seen from an axis: hits, antipodes, examples at right angles, whose kernel is 0, and others.
    points = np.array(
        [(*p[:k], 0.0, *p[k:]) for p in ((1.0, 0.0), (0.6, 0.8), (0.8, -0.6)) for k in range(3)]
    )
    points = np.vstack([points, -points])
    model, kernel = dl.DeepLimitClassifier("erf", projection="none"), dl.LimitKernel("erf")
    sizes = {x: Fraction(float(kernel.at_correlation(x))) for x in (0.6, 0.8)}
    sizes |= {0.0: Fraction(0), 1.0: None}
    rng = np.random.default_rng(8)
    counts, axes = [], np.vstack([np.eye(3), -np.eye(3)])
    for _ in range(25):
        X = points[rng.integers(len(points), size=8)]
        y = np.append([0, 1, 2], rng.integers(3, size=5))
        flip = model.fit(X, y).flip(axes)
        assert flip.verify(model).all()
        for i, q in enumerate(axes):
            xi = np.round(X @ q, 9)
            terms = [
                (int(c), Fraction(1), sizes[abs(x)], int(np.sign(x)))
                for c, x in zip(y, xi.tolist(), strict=True)
            ]
            before, sets = smallest(terms, 3)
            assert flip.before[i] == before
            assert set(flip.removed[i].tolist()) in sets
            assert flip.count[i] == len(sets[0])
            counts.append(flip.count[i])
    assert {1, 2, 3} <= set(counts)


def test_one_class_never_flips():
    model = dl.HilbertClassifier(1.0).fit([[0.0], [1.0]], ["a", "a"])
    flip = model.flip([[0.5], [0.0]])
    assert not flip.possible.any() and not flip.found.any()
    assert flip.count.tolist() == [0, 0]
    assert flip.before.tolist() == flip.after.tolist() == ["a", "a"]
    assert str(flip).splitlines()[0] == "row 0: a, whatever is removed"
    assert flip.verify(model).all() and flip.margin.tolist() == [1.0, 1.0]


def test_no_rows():
    model = dl.HilbertClassifier(1.0).fit([[0.0], [1.0]], [0, 1])
    flip = flips(model._rule, np.zeros((0, 1)), None, model.classes_, np.arange(2))
    assert flip.removed == () and flip.count.shape == (0,) and str(flip) == ""


def test_the_exact_hits_go_first():
    X, y = [[0.0], [0.0], [0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 0, 1, 1]
    model = dl.HilbertClassifier(1.0).fit(X, y)
    flip = model.flip([[0.0]])
    # One hit of either class is left; the sums 1 and 1/2 + 1/3 stand for class 0.
    assert flip.removed[0].tolist() == [0, 1]
    heavy = dl.HilbertClassifier(1.0).fit(X, y, [1, 1, 1, 1, 3, 3])
    assert heavy.flip([[0.0]]).removed[0].tolist() == [0]


def test_a_tie_of_the_sums_is_broken_by_mass():
    # At 0 the sums tie; the larger mass decides, and the far example's weight is what it has more.
    model = dl.HilbertClassifier(1.0).fit([[-1.0], [1.0], [2.0]], [0, 1, 1], [3.0, 1.0, 4.0])
    assert model.predict([[0.0]]) == [1]
    assert model.flip([[0.0]]).removed[0].tolist() == [2]


@pytest.mark.parametrize("scale", [1e300, 1.0, 1e-310])
def test_any_scale(scale):
    X = np.array([[0.0], [1.0], [1.5], [4.0], [5.0]]) * scale
    model = dl.HilbertClassifier(3.0).fit(X, [0, 0, 1, 1, 1])
    flip = model.flip(np.array([[0.5], [1.4], [4.0]]) * scale)
    assert [ids.tolist() for ids in flip.removed] == [[0, 1], [2], [3, 4, 2]]
    assert flip.verify(model).all()


def test_weights_of_any_scale():
    X = np.arange(40.0)[:, None]
    y = np.arange(40) % 2
    for scale in (1e300, 1e-300):
        model = dl.HilbertClassifier(1.0).fit(X, y, np.full(40, scale))
        plain = dl.HilbertClassifier(1.0).fit(X, y)
        got, want = model.flip(X[:5] + 0.25), plain.flip(X[:5] + 0.25)
        assert [a.tolist() for a in got.removed] == [a.tolist() for a in want.removed]


def test_a_bound_is_told_as_one():
    X, y = np.arange(60.0)[:, None], np.repeat([0, 1], 30)
    model = dl.HilbertClassifier(1.0).fit(X, y)
    full, cut = model.flip([[3.2], [29.4]]), model.flip([[3.2], [29.4]], max_removed=4)
    assert full.count[0] > 4 >= full.count[1]
    assert cut.found.tolist() == [False, True] and cut.possible.all()
    assert cut.count.tolist() == [5, full.count[1]]
    assert cut.after[0] == cut.before[0] and cut.verify(model).all()
    assert "takes more than 4 examples" in str(cut)
    n = full.count[0]
    assert f"{n} examples" in str(full) and f"and {n - 10} more" in str(full).replace("\n ", "")
    with pytest.raises(ValueError, match="max_removed is a number of examples"):
        model.flip([[3.2]], max_removed=0)


@pytest.mark.parametrize("what", ["after", "before", "removed", "one too many"])
def test_verifying_sees_what_is_wrong(what):
    X, y = [[0.0], [1.0], [2.0], [6.0]], np.array([0, 0, 1, 1])
    model = dl.HilbertClassifier(2.0).fit(X, y)
    flip = model.flip([[0.5]])
    wrong = {
        "after": {"after": flip.before},
        "before": {"before": flip.after},
        "removed": {"removed": (np.array([0, 2]),)},
        "one too many": {"removed": (np.array([0, 1, 2]),)},
    }[what]
    assert flip.verify(model).tolist() == [True]
    assert dataclasses.replace(flip, **wrong).verify(model).tolist() == [False]


def test_after_changes_of_the_model():
    X, y = np.arange(8.0)[:, None], np.array([0, 0, 0, 0, 1, 1, 1, 1])
    model = dl.HilbertClassifier(1.0).partial_fit(X, y, classes=[0, 1, 2]).forget([2, 5])
    fresh = dl.HilbertClassifier(1.0).fit(X[[0, 1, 3, 4, 6, 7]], y[[0, 1, 3, 4, 6, 7]])
    got, want = model.flip([[3.4], [6.1]]), fresh.flip([[3.4], [6.1]])
    ids = np.array([0, 1, 3, 4, 6, 7])
    assert [a.tolist() for a in got.removed] == [ids[b].tolist() for b in want.removed]
    assert got.verify(model).all()
    with pytest.raises(ValueError, match="there is no example 5: ids_ lists"):
        model.predict_without([[3.4]], [5])
    with pytest.raises(ValueError, match="ids are a list of integers"):
        model.predict_without([[3.4]], [0.5])
    with pytest.raises(ValueError, match="6 examples are all there are"):
        model.predict_without([[3.4]], ids)


@pytest.mark.parametrize("name", ["h2", "gelu", "cos"])
def test_other_regimes_have_no_flips(name):
    model = dl.DeepLimitClassifier(name).fit([[0.0], [1.0], [3.0]], [0, 1, 1])
    with pytest.raises(ValueError, match="no sum of the examples' own weights"):
        model.flip([[0.0]])
    with pytest.raises(ValueError, match="no sum of the examples' own weights"):
        model.predict_without([[0.0]], [0])
