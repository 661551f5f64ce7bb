"""Laws that the decisions keep, whatever the data."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_blobs
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import deeplimit as dl

CLASSIFIERS = {
    "pure": dl.DeepLimitClassifier(exponent=3.0),
    "instant": dl.DeepLimitClassifier(),
    "auto": dl.DeepLimitClassifier(speed="paper"),
    "3d_opt": dl.DeepLimitClassifier("3d_opt"),
    "5d_opt": dl.DeepLimitClassifier("5d_opt", projection="stereographic"),
    "matched": dl.DeepLimitClassifier("matched", exponent=4.0),
    "h2": dl.DeepLimitClassifier("h2"),
    "h3": dl.DeepLimitClassifier("h3"),
    "gelu": dl.DeepLimitClassifier("gelu"),
    "relu": dl.DeepLimitClassifier("relu"),
    "cos": dl.DeepLimitClassifier("cos"),
    "1-nn": dl.OneNearestNeighborClassifier(),
    "majority": dl.MajorityVoteClassifier(),
    "hilbert": dl.HilbertClassifier(2.0),
    "ntk": dl.NetworkKernelClassifier(depth=2),
    "ridge": dl.NetworkKernelClassifier("erf", ridge=0.01, center=True),
}
REGRESSORS = {
    "regressor": dl.DeepLimitRegressor(exponent=2.0),
    "raw": dl.DeepLimitRegressor("3d_opt", normalize=False),
    "cos regressor": dl.DeepLimitRegressor("cos"),
    "h2 regressor": dl.DeepLimitRegressor("h2"),
}
SMOOTHERS = {k: CLASSIFIERS[k] for k in ("pure", "3d_opt", "5d_opt", "matched", "hilbert")}

every = pytest.mark.parametrize(
    "model", (CLASSIFIERS | REGRESSORS).values(), ids=CLASSIFIERS | REGRESSORS
)
classifiers = pytest.mark.parametrize("model", CLASSIFIERS.values(), ids=CLASSIFIERS)
# A pool's folds go by what rows hold, to the bit, and by the numbers of the classes: other units
# or another order of the classes are another draw of folds.
PURE = {k: v for k, v in CLASSIFIERS.items() if k != "instant"}
pure = pytest.mark.parametrize("model", PURE.values(), ids=PURE)
scaling = pytest.mark.parametrize("model", (PURE | REGRESSORS).values(), ids=PURE | REGRESSORS)
smoothers = pytest.mark.parametrize("model", SMOOTHERS.values(), ids=SMOOTHERS)


@pytest.fixture(scope="module")
def data():
    X, y = make_blobs(48, centers=3, n_features=3, cluster_std=3.0, random_state=2)
    Q = make_blobs(60, centers=3, n_features=3, cluster_std=4.0, random_state=3)[0]
    return X, y, Q


def answers(model, Q):
    return model.predict_proba(Q) if hasattr(model, "predict_proba") else model.predict(Q)


@every
def test_a_weight_is_a_repetition(model, data):
    X, y, Q = data
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = clone(model).fit(X, y, sample_weight=weight)
    repeated = clone(model).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(answers(weighted, Q), answers(repeated, Q), rtol=1e-7, atol=1e-9)


@every
def test_order_of_the_examples_does_not_matter(model, data):
    X, y, Q = data
    order = np.random.default_rng(1).permutation(len(X))
    one, two = clone(model).fit(X, y), clone(model).fit(X[order], y[order])
    np.testing.assert_allclose(answers(one, Q), answers(two, Q), rtol=1e-7, atol=1e-8)
    if hasattr(one, "classes_"):
        np.testing.assert_array_equal(one.predict(X), two.predict(X))


@pure
def test_names_of_the_classes_do_not_matter(model, data):
    X, y, Q = data
    names = np.array(["red", "ash", "blue"])  # in another order than 0, 1, 2
    one, two = clone(model).fit(X, y), clone(model).fit(X, names[y])
    order = np.argsort(names)
    assert two.classes_.tolist() == names[order].tolist()
    np.testing.assert_allclose(
        one.predict_proba(Q)[:, order], two.predict_proba(Q), rtol=1e-9, atol=1e-9
    )


def test_names_in_the_same_order_change_no_bit_of_a_pool(data):
    X, y, Q = data
    one = dl.DeepLimitClassifier().fit(X, y)
    two = dl.DeepLimitClassifier().fit(X, np.array(["ash", "blue", "red"])[y])
    np.testing.assert_array_equal(one.predict_proba(Q), two.predict_proba(Q))


@pytest.mark.parametrize("speed", ["instant", "full"])
def test_other_folds_change_no_clear_decision(speed):
    X, y = make_blobs(60, centers=3, n_features=3, cluster_std=0.7, random_state=2)
    model = dl.DeepLimitClassifier(speed=speed)
    want = model.fit(X[::2], y[::2]).predict(X[1::2])
    np.testing.assert_array_equal(want, y[1::2])
    names = np.array(["red", "ash", "blue"])
    np.testing.assert_array_equal(model.fit(X[::2], names[y[::2]]).predict(X[1::2]), names[want])
    for factor in (2.0**40, 2.0**-33):
        again = model.fit(X[::2] * factor, y[::2]).predict(X[1::2] * factor)
        np.testing.assert_array_equal(again, want)
    again = clone(model).set_params(random_state=7).fit(X[::2], y[::2])
    np.testing.assert_array_equal(again.predict(X[1::2]), want)


@classifiers
@pytest.mark.parametrize("kind", ["object", "bool", "float"])
def test_kinds_of_labels(model, kind, data):
    X, y, Q = data
    y = y > 0
    labels = {"object": np.where(y, "yes", "no").astype(object), "bool": y, "float": y * 2.0}[kind]
    named = clone(model).fit(X, labels)
    plain = clone(model).fit(X, y.astype(int))
    assert named.predict(Q).dtype == labels.dtype
    np.testing.assert_array_equal(named.predict(Q), named.classes_[plain.predict(Q)])


@scaling
@pytest.mark.parametrize("factor", [2.0**40, 2.0**-33])
def test_powers_of_two_change_nothing(model, factor, data):
    X, y, Q = data
    one, two = clone(model).fit(X, y), clone(model).fit(X * factor, y)
    if one.lift_.on_sphere:
        np.testing.assert_array_equal(answers(one, Q), answers(two, Q * factor))
    else:
        # in R^d logarithms of distances are shifted, and round
        np.testing.assert_allclose(answers(one, Q), answers(two, Q * factor), rtol=1e-12)


@classifiers
def test_the_prediction_has_the_largest_share(model, data):
    X, y, Q = data
    model = clone(model).fit(X, y)
    shares = model.predict_proba(Q)
    np.testing.assert_array_equal(model.classes_[shares.argmax(axis=1)], model.predict(Q))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-12)


@smoothers
def test_priors_scale_the_scores(model, data):
    X, y, Q = data
    share = np.bincount(y) / len(y)
    plain = clone(model).fit(X, y)
    same = clone(model).set_params(priors=share).fit(X, y)
    np.testing.assert_allclose(same.predict_proba(Q), plain.predict_proba(Q), rtol=1e-9, atol=1e-12)
    priors = np.array([0.7, 0.2, 0.1])
    moved = clone(model).set_params(priors=priors).fit(X, y).predict_proba(Q)
    want = plain.predict_proba(Q) * priors / share
    want /= want.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(moved, want, rtol=1e-9, atol=1e-12)


@smoothers
def test_class_weights_scale_the_scores(model, data):
    X, y, Q = data
    factors = np.array([2.0, 0.5, 3.0])
    weighted = clone(model).set_params(class_weight=dict(enumerate(factors))).fit(X, y)
    want = clone(model).fit(X, y).predict_proba(Q) * factors
    want /= want.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(weighted.predict_proba(Q), want, rtol=1e-9, atol=1e-12)
    balanced = clone(model).set_params(class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(balanced.class_mass_, len(y) / 3)
    if isinstance(weighted.kernel_, dl.PowerKernel):
        # in R^d no lift depends on the weights: those of classes are those of their rows
        rows = clone(model).fit(X, y, sample_weight=factors[y])
        np.testing.assert_allclose(rows.predict_proba(Q), want, rtol=1e-9, atol=1e-12)


@smoothers
def test_scores_are_the_kernel_sums(model, data):
    X, y, Q = data
    model = clone(model).fit(X, y)
    gaps = model.lift_.gap(Q[:, None], X[None])
    kernel = model.kernel_
    values = kernel.sign_at_gap(gaps) * np.exp(kernel.log_at_gap(gaps))
    scores = np.stack([values[:, y == c].sum(axis=1) for c in range(3)], axis=1)
    np.testing.assert_array_equal(model.predict(Q), scores.argmax(axis=1))
    gains = np.maximum(scores, 0.0)
    total = gains.sum(axis=1)
    some = total > 0
    np.testing.assert_allclose(
        model.predict_proba(Q)[some], gains[some] / total[some, None], rtol=1e-9, atol=1e-12
    )


@smoothers
def test_contributions_add_up(model, data):
    X, y, Q = data
    model = clone(model).fit(X, y)
    found = model.contributions(Q, top=len(X))
    shares = model.predict_proba(Q)
    sums = np.stack(
        [np.where(found.classes == c, found.shares, 0).sum(axis=1) for c in range(3)], 1
    )
    agreeing = np.all(sums >= 0, axis=1)
    assert agreeing.sum() >= 15
    np.testing.assert_allclose(sums[agreeing], shares[agreeing], rtol=1e-9, atol=1e-9)
    assert np.all(np.sort(found.indices, axis=1) == np.arange(len(X)))
    np.testing.assert_array_equal(found.classes, y[found.indices])
    sizes = np.abs(found.shares)
    assert np.all(sizes[:, 1:] <= sizes[:, :-1] * (1 + 1e-12))
    assert not found.exact.any()


@pytest.mark.parametrize("speed", ["instant", "full"])
def test_shares_in_a_pool_add_up(speed, data):
    X, y, Q = data
    model = dl.DeepLimitClassifier(speed=speed).fit(X, y)
    found = model.contributions(Q, top=None)
    assert np.all(np.sort(found.indices, axis=1) == np.arange(len(X)))
    np.testing.assert_array_equal(found.classes, y[found.indices])
    sums = np.stack([np.where(found.classes == c, found.shares, 0.0).sum(1) for c in range(3)], 1)
    np.testing.assert_allclose(found.class_shares, sums, atol=1e-12)
    np.testing.assert_allclose(sums.sum(axis=1), 1.0, rtol=1e-9)
    # What is said of rows is a function of these sums alone.
    link = model.pool_.link
    np.testing.assert_allclose(link.probabilities(sums), model.predict_proba(Q), atol=1e-9)
    sizes = np.abs(found.shares)
    assert np.all(sizes[:, 1:] <= sizes[:, :-1])
    few = model.contributions(Q, top=4)
    np.testing.assert_array_equal(few.shares, found.shares[:, :4])
    np.testing.assert_allclose(few.rest, found.shares[:, 4:].sum(axis=1), atol=1e-12)


def test_class_weights_and_priors_scale_the_probabilities_of_a_pool(data):
    X, y, Q = data
    plain = dl.DeepLimitClassifier().fit(X, y).predict_proba(Q)
    for settings, factors in (
        ({"class_weight": {0: 2.0, 1: 0.5, 2: 3.0}}, np.array([2.0, 0.5, 3.0])),
        ({"priors": [0.7, 0.2, 0.1]}, np.array([0.7, 0.2, 0.1]) * len(y) / np.bincount(y)),
    ):
        want = plain * factors / (plain * factors).sum(axis=1, keepdims=True)
        model = dl.DeepLimitClassifier(**settings).fit(X, y)
        np.testing.assert_allclose(model.predict_proba(Q), want, rtol=1e-9)
        np.testing.assert_array_equal(model.predict(Q), want.argmax(axis=1))


@smoothers
def test_removing_an_example_takes_its_share(model, data):
    X, y, Q = data
    whole = clone(model).fit(X, y)
    if not isinstance(whole.kernel_, dl.PowerKernel):
        whole.set_params(projection="hemisphere")
    for row in (0, 7):
        found = whole.fit(X, y).contributions(Q[row : row + 1], top=len(X))
        first = found.indices[0, 0]
        before = np.zeros(3)
        np.add.at(before, found.classes[0], found.shares[0])
        keep = np.arange(len(X)) != first
        # the weight of a left out row is 0 in the sums, but the lift stays
        gaps = whole.lift_.gap(Q[row], X[keep])
        values = whole.kernel_.sign_at_gap(gaps) * np.exp(whole.kernel_.log_at_gap(gaps))
        after = np.bincount(y[keep], weights=values, minlength=3)
        before[y[first]] -= found.shares[0, 0]
        np.testing.assert_allclose(
            after / np.abs(after).sum(), before / np.abs(before).sum(), atol=1e-9
        )


def test_contributions_on_an_example(data):
    X, y, _ = data
    model = dl.DeepLimitClassifier(exponent=2.0).fit(np.vstack([X, X[:1]]), np.append(y, y[0]))
    found = model.contributions(X[:1], top=4)
    assert found.exact.tolist() == [True]
    assert sorted(found.indices[0, :2].tolist()) == [0, len(X)]
    np.testing.assert_allclose(found.shares[0], [0.5, 0.5, 0.0, 0.0])


def test_contributions_name_rows_as_given(data):
    X, y, Q = data
    weight = np.ones(len(X))
    weight[:10] = 0.0
    found = dl.HilbertClassifier(2.0).fit(X, y, weight).contributions(Q, top=3)
    assert found.indices.min() >= 10
    np.testing.assert_array_equal(found.classes, y[found.indices])


@pytest.mark.parametrize("name", ["h2", "gelu", "cos"])
def test_other_regimes_have_no_contributions(name, data):
    X, y, Q = data
    with pytest.raises(ValueError, match="no sum of the examples' own weights"):
        dl.DeepLimitClassifier(name).fit(X, y).contributions(Q)
    with pytest.raises(ValueError, match="top is a number of examples"):
        dl.HilbertClassifier(2.0).fit(X, y).contributions(Q, top=0)


@pytest.mark.parametrize("name", ["pure", "instant", "3d_opt", "h2", "gelu"])
def test_threads_change_no_bit(name, data):
    X, y, Q = data
    Q = np.vstack([Q + 0.01 * i for i in range(20)])
    one = clone(CLASSIFIERS[name]).set_params(n_jobs=1).fit(X, y).predict_proba(Q)
    two = clone(CLASSIFIERS[name]).set_params(n_jobs=2).fit(X, y).predict_proba(Q)
    np.testing.assert_array_equal(one, two)


@classifiers
def test_a_single_feature(model):
    X = np.linspace(-1, 1, 9)[:, None]
    model = clone(model).fit(X, (X[:, 0] > 0.1).astype(int))
    assert model.predict([[0.33], [-0.4]]).shape == (2,)


def test_pipeline_and_search():
    X, y = load_iris(return_X_y=True)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), dl.DeepLimitClassifier(speed="paper")),
        {
            "deeplimitclassifier__exponent": [1.0, 4.0],
            "deeplimitclassifier__projection": ["auto", "hemisphere"],
        },
        cv=3,
    ).fit(X, y)
    assert search.best_score_ > 0.9
    pipe = make_pipeline(StandardScaler(), dl.NetworkKernelClassifier("erf", 3)).fit(X, y)
    assert pipe.score(X, y) > 0.9


@every
def test_pandas_in_numpy_out(model, data):
    import pandas as pd

    X, y, Q = data
    columns = ["a", "b", "c"]
    fitted = clone(model).fit(pd.DataFrame(X, columns=columns), pd.Series(y))
    assert fitted.feature_names_in_.tolist() == columns
    got = fitted.predict(pd.DataFrame(Q, columns=columns))
    assert isinstance(got, np.ndarray)
    np.testing.assert_array_equal(got, clone(model).fit(X, y).predict(Q))


def test_nearest_neighbour_ties():
    X = [[0.0], [2.0], [2.0], [5.0]]
    model = dl.OneNearestNeighborClassifier()
    # at 1 the nearest three are tied and vote
    assert model.fit(X, [0, 1, 1, 0]).predict([[1.0]]).tolist() == [1]
    # one against one: the next nearest is asked
    assert model.fit([[0.0], [2.0], [5.0]], [0, 1, 1]).predict([[1.0]]).tolist() == [1]
    assert model.fit([[0.0], [2.0], [-5.0]], [0, 1, 0]).predict([[1.0]]).tolist() == [0]
    # nothing is left to ask: the first class
    assert model.fit([[0.0], [2.0]], ["b", "a"]).predict([[1.0]]).tolist() == ["a"]


def test_smoother_ties():
    model = dl.HilbertClassifier(1.0)
    assert model.fit([[-1.0], [1.0]], ["b", "a"]).predict([[0.0]]).tolist() == ["a"]
    np.testing.assert_allclose(model.predict_proba([[0.0]]), 0.5)
    model.fit([[-1.0], [1.0], [1e9]], ["b", "a", "b"])
    assert model.predict([[0.0]]).tolist() == ["b"]


def test_majority_ties():
    model = dl.MajorityVoteClassifier().fit([[0.0], [1.0], [2.0], [3.0]], ["b", "b", "a", "a"])
    assert model.predict([[9.0], [0.0]]).tolist() == ["a", "b"]
    np.testing.assert_allclose(model.predict_proba([[9.0]]), 0.5)
    model = dl.MajorityVoteClassifier(priors=[0.4, 0.6])
    model.fit([[0.0], [1.0], [2.0]], ["a", "a", "b"])
    assert model.predict([[9.0]]).tolist() == ["b"]


def test_regressor_means():
    X, y = [[0.0], [1.0], [1.0], [3.0]], [1.0, 2.0, 4.0, 7.0]
    model = dl.DeepLimitRegressor(exponent=2.0).fit(X, y, sample_weight=[1, 1, 3, 1])
    assert model.predict([[1.0]])[0] == pytest.approx(3.5)
    weight = np.array([1 / 4, 1, 3, 1])
    assert model.predict([[2.0]])[0] == pytest.approx(np.average(y, weights=weight))
    raw = dl.DeepLimitRegressor(exponent=2.0, normalize=False).fit(X, y)
    assert raw.predict([[1.0], [2.0]]).tolist() == [3.0, 0.0]


@pytest.mark.parametrize("name", ["h2", "h3"])
def test_nearest_value(name):
    X = np.array([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]])
    model = dl.DeepLimitRegressor(name).fit(X, [1.0, 2.0, 3.0])
    angle = np.array([0.1, 0.5, 1.4])
    Q = np.column_stack([np.cos(angle), np.sin(angle)])
    assert model.predict(Q).tolist() == [1.0, 3.0, 2.0]
