"""Hostile input: every estimator gives a clear error or the documented answer, and no warning."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone, is_classifier

import deeplimit as dl

SINGULAR = ["matched", "3d_opt", "5d_opt", "erf"]
OTHERS = ["relu", "gelu", "h2", "h3", "sigmoid", "identity", "step"]

CLASSIFIERS = {
    "instant": dl.DeepLimitClassifier(),
    "full": dl.DeepLimitClassifier(speed="full"),
    "pure": dl.DeepLimitClassifier(speed="paper"),
    "dimension": dl.DeepLimitClassifier(exponent="dimension"),
    **{name: dl.DeepLimitClassifier(name) for name in SINGULAR + OTHERS},
    "stereographic": dl.DeepLimitClassifier("5d_opt", projection="stereographic"),
    "1-nn": dl.OneNearestNeighborClassifier(),
    "majority": dl.MajorityVoteClassifier(),
    "hilbert": dl.HilbertClassifier(),
    "ntk": dl.NetworkKernelClassifier(),
    "ridgeless": dl.NetworkKernelClassifier("3d_opt", 5, "nngp", ridge=0),
    "finite": dl.FiniteNetworkClassifier(width=16, tol=0.5),
}
REGRESSORS = {
    "regressor": dl.DeepLimitRegressor(),
    "raw": dl.DeepLimitRegressor(normalize=False),
    **{f"regressor {name}": dl.DeepLimitRegressor(name) for name in ["3d_opt", "relu", "sigmoid"]},
}
ESTIMATORS = CLASSIFIERS | REGRESSORS
# What decides by examples: a network of finite width does not.
EXAMPLE = {name: model for name, model in CLASSIFIERS.items() if name != "finite"}
# On these no example lies beyond the equator, where it would speak against its class.
AGREEING = {name: model for name, model in EXAMPLE.items() if name != "stereographic"}
# The decision on an example is its own class; a pool and a ridge may think better of it.
INTERPOLATING = {
    name: model
    for name, model in EXAMPLE.items()
    if name not in ("identity", "ntk", "instant", "full")
}
# Of these a row is a row of a table, in which cells may be missing or words.
TABULAR = {n: model for n, model in EXAMPLE.items() if isinstance(model, dl.DeepLimitClassifier)}
POOLED = {name: TABULAR[name] for name in ("instant", "full")}
PURE = {name: model for name, model in TABULAR.items() if name not in POOLED}

agreeing = pytest.mark.parametrize("model", AGREEING.values(), ids=AGREEING)
every = pytest.mark.parametrize("model", ESTIMATORS.values(), ids=ESTIMATORS)
examples = pytest.mark.parametrize("model", EXAMPLE.values(), ids=EXAMPLE)
tabular = pytest.mark.parametrize("model", TABULAR.values(), ids=TABULAR)
pooled = pytest.mark.parametrize("model", POOLED.values(), ids=POOLED)
pure = pytest.mark.parametrize("model", PURE.values(), ids=PURE)
interpolating = pytest.mark.parametrize("model", INTERPOLATING.values(), ids=INTERPOLATING)


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(24, 3))
    return X, (X[:, 0] + 0.3 * X[:, 1] > 0).astype(int)


def sound(model, X):
    """Predictions are finite, of the right shape, and agree with the probabilities."""
    answer = model.predict(X)
    assert answer.shape == (X.shape[0],)
    if not is_classifier(model):
        assert np.all(np.isfinite(answer))
        return answer
    assert np.isin(answer, model.classes_).all()
    shares = model.predict_proba(X)
    assert np.all((shares >= 0) & (shares <= 1 + 1e-12))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-12)
    return answer


BAD = {
    "inf": (lambda X: np.where(X[3, 1] == X, np.inf, X), "infinit[ye]"),
    "empty": (lambda X: X[:0], "0 sample"),
    "no columns": (lambda X: X[:, :0], "0 feature"),
    "vector": (lambda X: X[:, 0], "1D array"),
    "three axes": (lambda X: X[:, :, None], "dim 3"),
    "complex": (lambda X: X + 1j, "[Cc]omplex"),
    "sparse": (scipy.sparse.csr_array, "[Ss]parse"),
}


# Of numbers, not of tables.
NO_NUMBERS = {
    "nan": (lambda X: np.where(X[3, 1] == X, np.nan, X), "NaN"),
    "words": (lambda X: np.full(X.shape, "word", dtype=object), "could not convert|float"),
}
CASES = [(name, kind) for kind in BAD for name in ESTIMATORS]
CASES += [(name, kind) for kind in NO_NUMBERS for name in ESTIMATORS if name not in TABULAR]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_bad_rows_are_refused_and_the_model_stays(name, kind, data):
    X, y = data
    spoil, message = (BAD | NO_NUMBERS)[kind]
    model = clone(ESTIMATORS[name]).fit(X, y)
    before = dict(model.__dict__)
    bad = spoil(X)
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(bad, y[: bad.shape[0]])
    assert model.__dict__.keys() == before.keys()
    assert all(model.__dict__[key] is before[key] for key in before)
    with pytest.raises((ValueError, TypeError), match=message):
        model.predict(bad)


@tabular
def test_cells_may_be_missing(model, data):
    X, y = data
    gaps = np.where(np.random.default_rng(2).random(X.shape) < 0.2, np.nan, X)
    gaps[:, 2] = np.nan  # nothing is known of a whole column
    gaps[4] = np.nan
    model = clone(model).fit(gaps, y)
    answer = sound(model, np.vstack([gaps, X, np.full((1, 3), np.nan)]))
    assert np.unique(answer).tolist() == [0, 1] or "majority" in model.regime_


@pure
def test_a_gap_after_a_fit_without_is_refused_by_a_pure_rule(model, data):
    X, y = data
    model = clone(model).fit(X, y)
    with pytest.raises(ValueError, match=r"NaN.*speed='instant'"):
        model.predict(np.where(X[3, 1] == X, np.nan, X))


@pooled
def test_a_gap_after_a_fit_without_is_filled_by_a_pool(model, data):
    X, y = data
    sound(clone(model).fit(X, y), np.where(X[3, 1] == X, np.nan, X))


@tabular
def test_words_are_categories(model, data):
    X, y = data
    table = X.astype(object)
    table[:, 1] = np.where(y == 1, "yes", "no")
    model = clone(model).fit(table, y)
    assert np.mean(sound(model, table) == y) > 0.8 or "majority" in model.regime_
    sound(model, np.array([[0.1, None, 0.2], [0.1, "new", 0.2]], object))
    with pytest.raises(ValueError, match="'x0'"):
        model.predict(np.array([["word", "no", 0.2]], object))


@pooled
def test_a_table_that_tells_nothing(model, data):
    X, y = data
    for table in (np.full(X.shape, "word", dtype=object), np.full(X.shape, np.nan)):
        answer = sound(clone(model).fit(table, y), table)
        np.testing.assert_array_equal(answer, np.bincount(y).argmax())


@every
def test_lengths_labels_and_weights_that_do_not_fit(model, data):
    X, y = data
    model = clone(model)
    for target, message in [(y[:-1], "inconsistent"), (np.full(len(y), np.nan), "NaN")]:
        with pytest.raises(ValueError, match=message):
            model.fit(X, target)
    with pytest.raises(ValueError, match="y"):
        model.fit(X, None)
    if is_classifier(model):
        with pytest.raises(ValueError, match=r"[Uu]nknown label type"):
            model.fit(X, X[:, 0])
    if "sample_weight" in type(model).fit.__code__.co_varnames:
        for weight, message in [
            (-np.ones(len(y)), "[Nn]egative"),
            (np.zeros(len(y)), "weight"),
            (np.full(len(y), np.nan), "NaN"),
            (np.ones(3), "shape"),
        ]:
            with pytest.raises(ValueError, match=message):
                model.fit(X, y, sample_weight=weight)
    assert set(model.__dict__) == set(clone(model).__dict__)


@every
def test_another_number_of_columns(model, data):
    X, y = data
    model = clone(model).fit(X, y)
    with pytest.raises(ValueError, match="features"):
        model.predict(X[:, :2])


@examples
def test_one_class(model, data):
    """One class is learnt, as by scikit-learn's neighbours: every answer is that class."""
    X, _ = data
    model = clone(model).fit(X, np.full(len(X), "only"))
    assert sound(model, X + 0.5).tolist() == ["only"] * len(X)
    np.testing.assert_array_equal(model.predict_proba(X), 1.0)


@every
def test_one_row(model, data):
    X, _ = data
    model = clone(model)
    if model is ESTIMATORS.get("finite") or isinstance(model, dl.FiniteNetworkClassifier):
        with pytest.raises(ValueError, match="class"):
            model.fit(X[:1], [2])
        return
    model.fit(X[:1], [2])
    got = sound(model, X)
    want = 2 if is_classifier(model) or model.normalize else 0
    assert got[0] == 2
    assert np.all(got[1:] == want)


@every
def test_two_rows(model, data):
    X, _ = data
    model = clone(model).fit(X[:2], [0, 1])
    sound(model, X)


@every
def test_constant_columns(model, data):
    X, y = data
    sound(clone(model).fit(np.column_stack([X, np.full(len(X), 7.0)]), y), np.eye(4)[:2])


@agreeing
def test_all_rows_equal(model, data):
    """Nothing tells the rows apart: the heavier class wins, on them and beside them."""
    _, y = data
    y = np.array([0, 1, 1])
    model = clone(model).fit(np.full((3, 2), 4.0), y)
    assert sound(model, np.array([[4.0, 4.0], [5.0, -1.0]])).tolist() == [1, 1]


@every
@pytest.mark.parametrize("size", [1e300, 1e150, 1e-150, 1e-300])
def test_sizes_at_the_end_of_the_range(model, size, data):
    X, y = data
    same = clone(model).fit(X, y)
    huge = clone(model).fit(X * size, y)
    got = sound(huge, X * size)
    if is_classifier(model) and not isinstance(model, dl.FiniteNetworkClassifier):
        np.testing.assert_array_equal(got, same.predict(X))


@every
def test_a_column_of_another_scale(model, data):
    X, y = data
    sound(clone(model).fit(X * [1e300, 1.0, 1e-300], y), X[:3])


@every
def test_kinds_of_numbers(model, data):
    X, y = data
    X = np.round(X * 8) / 8  # exact in float16
    model = clone(model)
    want = model.fit(X, y).predict(X + 0.25)
    for kind in (np.float16, np.float32, object, np.longdouble):
        got = clone(model).fit(X.astype(kind), y).predict((X + 0.25).astype(kind))
        np.testing.assert_array_equal(got, want)
    sound(clone(model).fit((X > 0).astype(bool), y), X > 0)
    sound(clone(model).fit((X * 8).astype(np.int8), y), (X * 8).astype(np.int8))


@interpolating
def test_exact_hits_have_their_own_class(model, data):
    X, y = data
    model = clone(model).fit(X, y)
    np.testing.assert_array_equal(sound(model, X), y)


@interpolating
def test_duplicates_with_conflicting_labels(model, data):
    X, y = data
    X = np.vstack([X, X[0], X[0]])
    y = np.concatenate([y, [1 - y[0], 1 - y[0]]])
    model = clone(model).fit(X, y)
    got = sound(model, X[:3])
    assert got[0] == 1 - y[0]  # two against one
    np.testing.assert_array_equal(got[1:], y[1:3])


@agreeing
def test_conflicting_duplicates_that_tie(model):
    X = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.0, 3.0]])
    model = clone(model).fit(X, [0, 1, 1, 1])
    # the heavier class breaks the tie on the row itself
    if not isinstance(model, dl.NetworkKernelClassifier):
        assert sound(model, X[:1]).tolist() == [1]
    sound(model, np.array([[0.5, 0.5]]))


ON_SPHERE = ["3d_opt", "5d_opt", "erf", "h2", "h3", "gelu", "relu", "sigmoid", "ridgeless"]


@pytest.mark.parametrize("name", ON_SPHERE)
def test_antipodes(name):
    """Rows of unit norm are taken as they lie; an odd kernel votes against the far label."""
    X = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.6, 0.8, 0.0]])
    model = clone(CLASSIFIERS[name]).fit(X, ["a", "b", "b"])
    assert type(model.lift_).__name__ == "UnitLift"
    got = sound(model, np.vstack([X, -X]))
    assert got[:3].tolist() == ["a", "b", "b"]
    if name in ("3d_opt", "erf"):
        assert got[3:].tolist() == ["b", "a", "a"]
    if name == "h2":
        assert got[3:].tolist() == ["a", "b", "b"]


@pytest.mark.parametrize("name", ON_SPHERE)
def test_orthogonal_data(name):
    """An orthogonal example weighs nothing: with nothing else the heavier class wins."""
    X = np.eye(6)
    model = clone(CLASSIFIERS[name]).fit(X[:5], [0, 0, 1, 1, 1])
    got = sound(model, X)
    assert got[:5].tolist() == [0, 0, 1, 1, 1]
    assert got[5] == 1


WIDE = ["pure", "3d_opt", "5d_opt", "1-nn", "majority", "relu", "sigmoid", "ntk", "matched"]


@pytest.mark.parametrize("name", WIDE)
def test_a_hundred_thousand_columns(name):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(12, 100_000))
    model = clone(CLASSIFIERS[name]).fit(X, np.arange(12) % 2)
    np.testing.assert_array_equal(sound(model, X), np.arange(12) % 2)
    sound(model, X[:2] + 0.1)


def test_rows_without_a_direction():
    X = np.array([[1.0, 0.0], [0.0, 2.0]])
    model = dl.DeepLimitClassifier("3d_opt", projection="normalize").fit(X, [0, 1])
    with pytest.raises(ValueError, match=r"no direction"):
        model.predict([[0.0, 0.0]])
    with pytest.raises(ValueError, match=r"unit norm|norm 1"):
        dl.DeepLimitClassifier("3d_opt", projection="none").fit(X, [0, 1])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (dl.DeepLimitClassifier("no_such_activation"), "no_such_activation"),
        (dl.DeepLimitClassifier(3), "activation"),
        (dl.DeepLimitClassifier(exponent="best"), "exponent is 'auto', 'dimension' or a positive"),
        (dl.DeepLimitClassifier(exponent=-1), "exponent is 'auto', 'dimension' or a positive"),
        (dl.DeepLimitClassifier(exponent=True), "exponent is 'auto', 'dimension' or a positive"),
        (dl.DeepLimitClassifier(projection="cube"), "cube"),
        (dl.DeepLimitClassifier("relu", projection="euclidean"), "lives on the sphere"),
        (dl.DeepLimitClassifier(priors=[1.0]), "priors must be 2 positive numbers"),
        (dl.DeepLimitClassifier(priors=[1.0, -1.0]), "priors must be 2 positive numbers"),
        (dl.DeepLimitClassifier(class_weight="heavy"), "class_weight"),
        (dl.NetworkKernelClassifier(depth=-1), "depth is a number of hidden layers"),
        (dl.NetworkKernelClassifier(kind="ck"), "kind is 'ntk' or 'nngp'"),
        (dl.NetworkKernelClassifier(ridge=-1.0), "ridge is 'loo' or a number"),
        (dl.NetworkKernelClassifier(ridge="cv"), "ridge is 'loo' or a number"),
        (dl.NetworkKernelClassifier(ridge=None), "ridge is 'loo' or a number"),
        (dl.NetworkKernelClassifier("sign"), "NTK is infinite"),
        (dl.NetworkKernelClassifier(projection="euclidean"), "lives on the sphere"),
        (dl.DeepLimitRegressor(exponent="auto"), "exponent is 'dimension' or a positive number"),
        (dl.DeepLimitRegressor(exponent=-2.0), "exponent"),
        (dl.DeepLimitRegressor("relu", projection="euclidean"), "lives on the sphere"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_parameters_that_do_not_suit(model, message, data):
    X, y = data
    model = clone(model)
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(X, y)
    assert set(model.__dict__) == set(clone(model).__dict__)
