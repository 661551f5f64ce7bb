"""Examples come, go and change their class: the state is that of a fit of what remains."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

import deeplimit as dl
from estimators.histories import LABELS, QUERIES, History

CHEAP = [
    dl.HilbertClassifier(1.0),
    dl.HilbertClassifier(2.5, class_weight="balanced"),
    dl.DeepLimitClassifier(exponent=3.0, class_weight={"a": 2.0, "b": 0.5, "c": 1.0, "dd": 3.0}),
    dl.DeepLimitClassifier("3d_opt"),
    dl.DeepLimitClassifier("3d_opt", projection="stereographic", class_weight="balanced"),
    dl.OneNearestNeighborClassifier(),
    dl.MajorityVoteClassifier(class_weight="balanced"),
]
EVERY = [
    *CHEAP,
    dl.DeepLimitClassifier(speed="paper"),
    dl.DeepLimitClassifier(exponent="dimension", projection="hemisphere"),
    dl.HilbertClassifier("auto"),
    dl.DeepLimitClassifier("matched"),
    dl.DeepLimitClassifier("h2"),
    dl.DeepLimitClassifier("relu"),
    dl.DeepLimitClassifier("sigmoid"),
    dl.DeepLimitClassifier("cos"),
    dl.DeepLimitClassifier("identity"),
    dl.NetworkKernelClassifier(depth=2),
    dl.NetworkKernelClassifier("erf", ridge=0.1, center=True),
    dl.DeepLimitClassifier(),
    dl.DeepLimitClassifier(speed="full", class_weight="balanced"),
]
every = pytest.mark.parametrize("estimator", EVERY, ids=str)

X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 1.0], [3.0, 1.0], [-1.0, 2.0]])
Y = np.array(["a", "b", "a", "b", "c", "c"])


def state(model):
    """Everything a decision may depend on, and the order of its parts."""
    return (
        *(part.tobytes() for part in (model._X, model._index, model._weight, model.ids_)),
        model.classes_.tolist(),
        model.predict_proba(QUERIES).tobytes(),
        model.certificate(),
        model.n_features_in_,
    )


@given(st.sampled_from(CHEAP), st.integers(0, 2**32 - 1), st.integers(0, 12))
@settings(max_examples=300)
def test_any_history_is_a_fit_of_what_remains(estimator, seed, steps):
    history = History(estimator, np.random.default_rng(seed))
    for _ in range(steps):
        history.step()
    assert history.differences() == []


@every
def test_so_it_is_in_every_regime(estimator):
    for seed in range(6):
        history = History(estimator, np.random.default_rng(seed))
        for _ in range(8):
            history.step()
        assert history.differences() == []


def test_after_most_are_forgotten_and_more_came():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(500, 3)), rng.choice(LABELS, 500)
    clf = dl.HilbertClassifier(3.0).fit(X[:300], y[:300])
    clf.forget(np.arange(0, 300, 3)).partial_fit(X[300:], y[300:])
    gone = np.setdiff1d(rng.permutation(500)[:350], np.arange(0, 300, 3))
    clf.forget(gone)
    ids = clf.ids_
    again = dl.HilbertClassifier(3.0).fit(X[ids], y[ids])
    assert clf.predict_proba(X[:20]).tobytes() == again.predict_proba(X[:20]).tobytes()
    assert clf.certificate() == again.certificate()
    assert set(ids) == set(range(500)) - set(range(0, 300, 3)) - set(gone)


@every
def test_a_first_partial_fit_is_a_fit(estimator):
    assert state(clone(estimator).partial_fit(X, Y)) == state(clone(estimator).fit(X, Y))


@pytest.mark.parametrize("estimator", [EVERY[7], EVERY[9], EVERY[10]], ids=str)
def test_a_chosen_exponent_is_kept_and_the_certificate_says_so(estimator):
    clf = clone(estimator).fit(X, Y)
    assert clf.certificate().kept == ()
    before = clf.exponent_
    clf.partial_fit(X[:2] + 0.1, Y[:2]).forget([0])
    certificate = clf.certificate()
    assert clf.exponent_ == before
    assert certificate.kept == ("exponent",)
    assert certificate.exponent == pytest.approx(before, rel=1e-12)
    assert f"exponent {certificate.exponent!r}" in str(certificate)
    given_exponent = clone(estimator).set_params(exponent=certificate.exponent).fit(X, Y)
    assert given_exponent.partial_fit(X[:2] + 0.1, Y[:2]).certificate().kept == ()
    assert clf.fit(X, Y).certificate().kept == ()
    with_activation = clone(estimator).fit(X, Y)
    if "activation" in with_activation.get_params():
        with_activation.set_params(activation="relu").fit(X, Y).forget([0])
        assert with_activation.certificate().kept == ()


@every
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda clf: clf.forget([99]), ValueError, "id 99 is unknown"),
        (lambda clf: clf.forget([1, 1]), ValueError, "given more than once"),
        (lambda clf: clf.forget([0.5]), TypeError, "list of integers"),
        (lambda clf: clf.forget(range(6)), ValueError, "leaves nothing to decide by"),
        (lambda clf: clf.relabel([0, 1], ["a"]), ValueError, "2 ids need as many labels"),
        (lambda clf: clf.relabel([0], [1]), ValueError, "do not go with the classes"),
        (
            lambda clf: clf.relabel([0], [0.5]),
            ValueError,
            "labels are classes; got continuous ones",
        ),
        (lambda clf: clf.relabel([0], [np.nan]), ValueError, "must be finite"),
        (lambda clf: clf.partial_fit(X[:, :1], Y), ValueError, "features"),
        (lambda clf: clf.partial_fit(X, np.arange(6)), ValueError, "do not go with the classes"),
        (lambda clf: clf.partial_fit(np.where(X > 1, np.inf, X), Y), ValueError, "infinit"),
        (lambda clf: clf.partial_fit(X, Y[:3]), ValueError, "inconsistent numbers"),
        (lambda clf: clf.partial_fit(X, Y, classes=[1]), ValueError, "do not go with the classes"),
        (lambda clf: clf.partial_fit(X, Y, sample_weight=np.zeros(6)), ValueError, "[Ww]eights"),
        (lambda clf: clf.partial_fit(X, Y, sample_weight=-np.ones(6)), ValueError, "[Nn]egative"),
    ],
)
def test_an_error_changes_nothing(estimator, change, error, words):
    clf = clone(estimator).fit(X, Y)
    before = state(clf)
    with pytest.raises(error, match=words):
        change(clf)
    assert state(clf) == before
    assert state(clf.partial_fit(X[:1], Y[:1]).forget([6]))[:-2] == before[:-2]


@pytest.mark.parametrize("estimator", EVERY[:-2], ids=str)
def test_missing_cells_have_no_place_in_a_pure_rule(estimator):
    clf = clone(estimator).fit(X, Y)
    before = state(clf)
    with pytest.raises(ValueError, match="NaN"):
        clf.partial_fit(np.where(X > 1, np.nan, X), Y)
    assert state(clf) == before


def test_a_projection_left_to_the_data_follows_them():
    unit = np.array([[0.6, 0.8], [1.0, 0.0], [0.0, -1.0]])
    clf = dl.DeepLimitClassifier("erf").fit(unit, Y[:3])
    assert clf.lift_.kind == "none"
    clf.partial_fit([[3.0, 1.0]], ["a"])
    assert clf.lift_.kind == "hemisphere"
    again = dl.DeepLimitClassifier("erf").fit([*unit, [3.0, 1.0]], [*Y[:3], "a"])
    assert clf.predict_proba(QUERIES).tobytes() == again.predict_proba(QUERIES).tobytes()
    assert clf.forget([3]).lift_.kind == "none"


def test_huge_and_tiny_numbers_come_and_go():
    clf = dl.HilbertClassifier(2.0).fit(X, Y)
    assert clf.lift_.exponent == 0
    clf.partial_fit([[1e300, 0.0]], ["b"])
    assert clf.lift_.exponent > 900
    assert clf.forget([6]).lift_.exponent == 0
    tiny = dl.HilbertClassifier(2.0).fit(np.vstack([X[1], X * 1e-310]), np.append("a", Y))
    assert tiny.forget([0]).lift_.exponent < -900
    again = dl.HilbertClassifier(2.0).fit(X * 1e-310, Y)
    assert tiny.predict_proba(X * 1e-310).tobytes() == again.predict_proba(X * 1e-310).tobytes()


def test_priors_go_by_class_and_refuse_what_changes_classes():
    clf = dl.HilbertClassifier(2.0, priors=[0.5, 0.3, 0.2]).fit(X, Y)
    before = state(clf)
    for change in (
        lambda: clf.forget([4, 5]),
        lambda: clf.partial_fit(X[:1], ["new"]),
        lambda: clf.relabel([0], "new"),
    ):
        with pytest.raises(ValueError, match="priors must be"):
            change()
        assert state(clf) == before
    clf.forget([1])
    again = dl.HilbertClassifier(2.0, priors=[0.5, 0.3, 0.2]).fit(X[clf.ids_], Y[clf.ids_])
    assert clf.predict_proba(QUERIES).tobytes() == again.predict_proba(QUERIES).tobytes()
    assert clf.certificate() == again.certificate()


def test_class_weights_refuse_a_class_they_do_not_name():
    clf = dl.HilbertClassifier(2.0, class_weight={"a": 1.0, "b": 1.0, "c": 2.0, "z": 1.0})
    clf.fit(X, Y)
    before = state(clf)
    with pytest.raises(ValueError, match="not in class_weight"):
        clf.partial_fit(X[:1], ["new"])
    assert state(clf) == before


def test_a_row_without_image_is_refused_when_it_comes():
    clf = dl.DeepLimitClassifier("erf", projection="normalize").fit(X[1:], Y[1:])
    before, certificate = clf.predict_proba(QUERIES[1:]), clf.certificate()
    with pytest.raises(ValueError, match="zero and have no direction"):
        clf.partial_fit(X[:1], Y[:1])
    np.testing.assert_array_equal(clf.predict_proba(QUERIES[1:]), before)
    assert clf.certificate() == certificate


@pytest.mark.parametrize("estimator", [EVERY[13], EVERY[16]], ids=str)
def test_what_must_be_solved_refuses_too_many_when_they_come(estimator, monkeypatch):
    monkeypatch.setattr("deeplimit.estimators.interpolation.MAX_EXAMPLES", 6)
    clf = clone(estimator).fit(X, Y)
    before = state(clf)
    with pytest.raises(ValueError, match="the limit is 6 examples"):
        clf.partial_fit(X[:3] + 0.5, Y[:3])
    assert state(clf) == before


@every
def test_declared_classes_are_listed_and_never_win(estimator):
    clf = clone(estimator).partial_fit(X[:2], Y[:2], classes=["a", "aa", "b", "zzz"])
    clf.partial_fit(X[2:], Y[2:], classes=["c"])
    assert clf.classes_.tolist() == ["a", "aa", "b", "c", "zzz"]
    plain = clone(estimator).fit(X[:2], Y[:2]).partial_fit(X[2:], Y[2:])
    np.testing.assert_array_equal(clf.predict(QUERIES), plain.predict(QUERIES))
    found = clf.predict_proba(QUERIES)
    np.testing.assert_array_equal(found[:, [0, 2, 3]], plain.predict_proba(QUERIES))
    assert not np.any(found[:, [1, 4]])
    assert clf.class_mass_[[1, 4]].tolist() == [0.0, 0.0]
    clf.forget([4, 5])  # all of c
    assert "c" in clf.classes_
    assert not np.any(clf.predict(QUERIES) == "c")
    assert plain.forget([4, 5]).classes_.tolist() == ["a", "b"]
    assert clf.certificate() != plain.certificate()
    if hasattr(clf, "decision_function"):
        assert np.isneginf(clf.decision_function(QUERIES)[:, [1, 3, 4]]).all()
    assert clf.fit(X, Y).classes_.tolist() == ["a", "b", "c"]


def test_no_declared_class_is_none():
    clf = dl.HilbertClassifier(2.0).partial_fit(X, Y, classes=[]).partial_fit(X, Y, classes=[])
    assert clf.classes_.tolist() == ["a", "b", "c"]


def test_declared_priors_are_those_of_all_classes():
    clf = dl.HilbertClassifier(2.0, priors=[0.2, 0.3, 0.5])
    clf.partial_fit(X[:4], Y[:4], classes=["a", "b", "c"])
    plain = dl.HilbertClassifier(2.0, priors=[0.4, 0.6]).fit(X[:4], Y[:4])
    np.testing.assert_allclose(clf.predict_proba(QUERIES)[:, :2], plain.predict_proba(QUERIES))


def test_what_set_params_sets_waits_for_a_fit():
    clf = dl.HilbertClassifier(2.0).fit(X, Y)
    before = state(clf)
    clf.set_params(class_weight="balanced", exponent=5.0)
    assert state(clf) == before
    clf.forget([0]).partial_fit(X[:1], Y[:1])
    again = dl.HilbertClassifier(2.0).fit(X[[1, 2, 3, 4, 5, 0]], Y[[1, 2, 3, 4, 5, 0]])
    assert clf.predict_proba(QUERIES).tobytes() == again.predict_proba(QUERIES).tobytes()
    assert clf.certificate() == again.certificate()
    assert clf.fit(X, Y).certificate() != again.certificate()


@pytest.mark.parametrize(
    "other",
    [
        dl.HilbertClassifier(2.5),
        dl.HilbertClassifier(2.0, class_weight="balanced"),
        dl.HilbertClassifier(2.0, priors=[1, 1, 1]),
        dl.DeepLimitClassifier(exponent=2.0),
    ],
    ids=str,
)
def test_settings_are_certified(other):
    certificate = dl.HilbertClassifier(2.0, n_jobs=2).fit(X, Y).certificate()
    assert certificate == dl.HilbertClassifier(2).fit(X, Y).certificate()
    assert certificate.fingerprint != clone(other).fit(X, Y).certificate().fingerprint


def test_networks_are_certified_by_their_kernel():
    prints = {
        dl.DeepLimitClassifier(name).fit(X, Y).certificate().fingerprint
        for name in ("relu", "erf", "relu", None)
    }
    assert len(prints) == 3
    with pytest.raises(TypeError, match="by name or as"):
        dl.DeepLimitClassifier(dl.Activation(np.tanh)).fit(X, Y).certificate()


@every
def test_changes_survive_saving_and_what_is_forgotten_does_not(estimator, tmp_path):
    secret = 12345.678901234567
    rows = np.concatenate([X, [[secret, secret]]])
    weights = estimator.get_params().get("class_weight")
    name = "dd" if isinstance(weights, dict) else "secret name"  # a weight names its class
    clf = clone(estimator).fit(rows, np.append(Y, name))
    path = tmp_path / "model.safetensors"
    dl.save(clf, path)
    assert np.float64(secret).tobytes() in path.read_bytes()
    clf.forget([6]).partial_fit(X[:2], Y[:2])
    dl.save(clf, path)
    content = path.read_bytes()
    assert np.float64(secret).tobytes() not in content
    assert b"secret name" not in content
    assert "c" in clf.classes_ and name not in clf.classes_
    assert "secret name".encode("utf-32-le") not in content
    loaded = dl.load(path)
    assert state(loaded) == state(clf)
    with pytest.raises(ValueError, match="id 6 is unknown or forgotten already"):
        loaded.forget([6])
    change = copy.deepcopy(clf)
    for model in (loaded, change):
        model.forget([1]).partial_fit(X[3:4], ["dd"]).relabel([0], "b")
    assert loaded.ids_.tolist() == [0, 2, 3, 4, 5, 7, 8, 9]
    assert state(loaded) == state(change)


def test_nothing_in_memory_holds_what_is_forgotten():
    secret = 12345.678901234567

    def holds(value, seen):
        if id(value) in seen:
            return False
        seen.add(id(value))
        if isinstance(value, np.ndarray):
            owner = value if value.base is None else value.base
            return value.dtype == np.float64 and bool(np.any(np.asarray(owner) == secret))
        if dataclasses.is_dataclass(value) or hasattr(value, "__dict__"):
            return any(holds(part, seen) for part in vars(value).values())
        if isinstance(value, dict):
            return any(holds(part, seen) for part in value.values())
        return isinstance(value, list | tuple) and any(holds(part, seen) for part in value)

    for estimator in EVERY:
        clf = clone(estimator).fit(np.concatenate([X, [[secret, 1.0]]]), np.append(Y, "a"))
        clf.predict(QUERIES)
        assert holds(clf, set())
        clf.forget([6])
        assert not holds(clf, set())


def test_contributions_name_ids():
    clf = dl.HilbertClassifier(2.0).partial_fit(X[:3], Y[:3], classes=["aa", "c"])
    clf.forget([0, 1]).partial_fit(X[3:], Y[3:])
    found = clf.contributions(X[[5]] + 0.01, top=2)
    assert found.indices.tolist() == [[5, 2]]
    assert found.classes.tolist() == [["c", "a"]]


def test_unfitted_models_have_nothing_to_change():
    from sklearn.exceptions import NotFittedError

    clf = dl.HilbertClassifier()
    for call in (
        lambda: clf.forget([0]),
        lambda: clf.relabel([0], "a"),
        lambda: clf.certificate(),
    ):
        with pytest.raises(NotFittedError):
            call()
    assert not hasattr(clf, "ids_")


def test_many_labels_at_once_raise_no_warning():
    clf = dl.OneNearestNeighborClassifier().fit(np.arange(60.0)[:, None], np.arange(60) % 2)
    clf.relabel(np.arange(60), np.arange(60))
    assert clf.predict([[7.2]]).tolist() == [7]
