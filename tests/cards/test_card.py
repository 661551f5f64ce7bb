"""Model cards."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss

import deeplimit as dl
from deeplimit.estimators.portrayal import bins_svg, column_parts
from deeplimit.estimators.quality import quality, weak_slices
from deeplimit.estimators.tabular import table_of_examples


def table(n=240):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    X["place"] = np.array(["north", "south", "<west>"])[rng.integers(0, 3, n)]
    y = np.where(X["a"] > 0.0, "yes", "no")
    noisy = (X["place"] == "<west>") & (rng.random(n) < 0.5)
    y[noisy] = rng.permutation(y[noisy])
    return X, y


@pytest.fixture(scope="module")
def model():
    return dl.DeepLimitClassifier().fit(*table())


@pytest.fixture(scope="module")
def card(model):
    return model.report()


def test_figures_are_those_of_leave_one_out(model, card):
    said, (_, y) = model.leave_one_out(), table()
    value = {m.name: m.value for m in card.quality.measures}
    assert value["accuracy"] == pytest.approx(accuracy_score(y, said.predictions))
    assert value["log-loss"] == pytest.approx(log_loss(y, said.probabilities))
    binary = brier_score_loss(y == "yes", said.probabilities[:, 1])
    assert value["Brier score"] == pytest.approx(2.0 * binary)
    assert card.quality.confusion.sum() == len(y)
    assert np.trace(card.quality.confusion) / len(y) == pytest.approx(value["accuracy"])
    for measure in card.quality.measures:
        assert measure.low <= measure.value <= measure.high


def test_a_weight_counts_like_equal_rows():
    rng = np.random.default_rng(1)
    P = rng.dirichlet(np.ones(3), 60)
    said, index, w = P.argmax(axis=1), rng.integers(0, 3, 60), rng.integers(1, 4, 60)
    one = quality(P, said, index, w.astype(float))
    rows = np.repeat(np.arange(60), w)
    two = quality(P[rows], said[rows], index[rows], np.ones(rows.size))
    for a, b in zip(one.measures, two.measures, strict=True):
        assert a.value == pytest.approx(b.value, abs=1e-12)
        assert a.guess == (None if b.guess is None else pytest.approx(b.guess))
    np.testing.assert_allclose([b.accuracy for b in one.bins], [b.accuracy for b in two.bins])


def test_intervals_hold_about_as_often_as_they_say():
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(100):
        index = (rng.random(80) < 0.3).astype(np.int64)
        P = np.tile([0.7, 0.3], (80, 1))
        measure = quality(P, np.zeros(80, dtype=np.int64), index, np.ones(80)).measures[0]
        held += measure.low <= 0.7 <= measure.high
    assert 88 <= held <= 100


def test_calibration_error_of_forecasts_that_hold_and_that_do_not():
    rng = np.random.default_rng(3)
    p = rng.uniform(0.5, 1.0, 4000)
    P = np.column_stack([p, 1.0 - p])
    holds = (rng.random(4000) > p).astype(np.int64)
    zero = np.zeros(4000, dtype=np.int64)
    good = quality(P, zero, holds, np.ones(4000)).measures[3]
    assert good.value < 0.03
    assert good.low <= 0.01
    bad = quality(P, zero, (rng.random(4000) > 0.5).astype(np.int64), np.ones(4000)).measures[3]
    assert bad.low > 0.2


def test_the_weak_range_is_found(model, card):
    assert [(s.column, s.range) for s in card.weak] == [("place", "<west>")]
    assert card.weak[0].loss > 2.0 * card.weak[0].rest


def test_losses_without_a_pattern_have_no_weak_range(model):
    rows = np.arange(240)
    losses = np.random.default_rng(0).exponential(size=240)
    found = table_of_examples(model)
    assert weak_slices(found, rows, losses, np.ones(240)) == []
    high = np.where(np.isnan(found.rows[:, 1]), 0.0, found.rows[:, 1]) > 1.0
    (worst, *_) = weak_slices(found, rows, losses + 3.0 * high, np.ones(240))
    assert worst.column == "b"


class _Reader(HTMLParser):
    """Check that tags close, and collect them."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.loads = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href")]

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_one_file_without_script(card, tmp_path):
    page = card.to_html(tmp_path / "card.html")
    assert (tmp_path / "card.html").read_text(encoding="utf-8") == page
    reader = _Reader()
    reader.feed(page)
    assert reader.open == []
    assert "script" not in reader.tags
    assert reader.loads == []
    assert reader.tags.count("main") == reader.tags.count("svg") == reader.tags.count("h1") == 1
    assert "&lt;west&gt;" in page
    assert "<west>" not in page
    assert page.count('scope="col"') == page.count("<th ")


@pytest.mark.parametrize("form", ["text", "markdown", "page"])
def test_every_form_says_it_all(model, card, form):
    said = {"text": str, "markdown": lambda c: c.to_markdown(), "page": lambda c: c.to_html()}
    text = said[form](card)
    for heading in (
        "What it is",
        "How good it is",
        "Whether its probabilities hold",
        "Class by class",
        "Where it is weak",
        "What it is made of, and why",
        "What is odd about the data",
    ):
        assert heading in text
    assert model.certificate().fingerprint in text
    assert f"{model.leave_one_out().log_loss:.4f}" in text


@pytest.mark.parametrize(
    "clf",
    [
        dl.DeepLimitClassifier(speed="paper"),
        dl.HilbertClassifier(exponent=2.0),
        dl.DeepLimitClassifier("erf"),
        dl.DeepLimitClassifier(class_weight="balanced"),
    ],
    ids=["paper", "hilbert", "erf", "balanced"],
)
def test_other_models_have_a_card(clf):
    X, y = table()
    numbers = X[["a", "b", "c"]].to_numpy()
    card = clf.fit(numbers, y).report()
    assert card.quality.measures[0].value == pytest.approx(clf.leave_one_out().accuracy)
    assert "singular" in str(card)


def test_a_regime_without_left_out_scores_has_a_card():
    X, y = table()
    card = dl.DeepLimitClassifier("relu").fit(X[["a", "b"]].to_numpy(), y).report()
    assert card.quality is None
    assert "majority vote" in str(card)
    assert "Not known: " in str(card)


def test_many_classes_and_one():
    X = np.random.default_rng(0).normal(size=(60, 2))
    many = dl.DeepLimitClassifier().fit(X, np.arange(60) % 15).report()
    assert "and 3 more" in str(many)
    assert "is  predicted" in str(many)
    one = dl.DeepLimitClassifier().fit(X, np.zeros(60)).report()
    assert one.quality.measures[0].value == 1.0


def test_parts_of_the_columns_in_distances():
    X = np.array([[0.0, 0.0, 5.0], [2.0, 1.0, 5.0]])
    parts = column_parts([(X, 1.0, np.array([0, 0, 2]))], np.ones(2), 4)
    assert parts.tolist() == [1.0, 0.0, 0.0, 0.0]
    places = np.arange(3)
    parts = column_parts([(X, 1.0, places), (X[:, ::-1], 3.0, places)], np.ones(2), 3)
    np.testing.assert_allclose(parts, [0.2, 0.2, 0.6])
    # Kinds of distance may differ in what features a column becomes.
    odds = np.array([[0.0, 1.0], [3.0, 1.0]])
    parts = column_parts([(X, 1.0, places), (odds, 1.0, np.array([1, 1]))], np.array([1.0, 3.0]), 3)
    np.testing.assert_allclose(parts, [0.4, 0.6, 0.0])
    assert not column_parts([(X[:1], 1.0, places)], np.ones(1), 3).any()


def test_the_drawing_holds_every_bin(card):
    svg = bins_svg(card.quality.bins)
    assert svg.count("<circle") == len(card.quality.bins)
    assert 'role="img"' in svg
