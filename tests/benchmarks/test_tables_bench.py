"""The runner of `benchmarks/tables.py`: its sets, its measures, its peers, its memory."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tables_methods
import tables_scores
import tables_searches
import tables_sets
import tables_summary
from sklearn import metrics

import tables
from deeplimit import DeepLimitClassifier

ROWS = 150
PLAIN = tables_sets.Conditions()
#: Those that need no library beyond what the tests have.
INSTALLED = ["majority", "1nn", "knn", "logistic", "svc", "forest", "histgb", "paper"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make two sets: `mixed` has gaps and a category as a one-hot run, `plain` only numbers."""
    where = tmp_path_factory.mktemp("sets")
    rng = np.random.default_rng(0)
    y = np.arange(ROWS) % 3
    numbers = rng.standard_normal((ROWS, 3)) + 3.0 * np.eye(3)[y]
    np.savez(where / "plain.npz", X=numbers, y=y + 5)
    kinds = np.eye(4)[(y + rng.integers(0, 2, ROWS)) % 4]
    holes = numbers.copy()
    holes[::10, 0] = np.nan
    np.savez(where / "mixed.npz", X=np.column_stack([holes[:, :2], kinds, holes[:, 2:]]), y=y)
    entries = [{"name": "mixed", "n_cat": 1, "source": "drawn"}]
    (where / "index.json").write_text(json.dumps(entries))
    return where


def table(folder: Path, name: str) -> tables_sets.TableSet:
    return tables_sets.find_sets(folder, [name])[0]


def task(folder: Path, method: str, name: str = "mixed") -> tables.Task:
    return tables.Task(table(folder, name), 0, method, PLAIN, 2)


class TestSets:
    def test_index_is_read(self, folder: Path) -> None:
        mixed, plain = tables_sets.find_sets(folder)
        assert (mixed.name, mixed.source, mixed.n_cat) == ("mixed", "drawn", 1)
        assert (plain.name, plain.source, plain.n_cat) == ("plain", "", 0)
        assert mixed.digest != plain.digest

    def test_unknown_set_is_told(self, folder: Path) -> None:
        with pytest.raises(ValueError, match="No set absent"):
            tables_sets.find_sets(folder, ["absent"])

    def test_folder_without_sets_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"No \*\.npz"):
            tables_sets.find_sets(tmp_path)

    def test_folding_loses_nothing(self) -> None:
        rng = np.random.default_rng(1)
        first, second = rng.integers(0, 3, 40), rng.integers(0, 5, 40)
        X = np.column_stack([rng.random(40), np.eye(3)[first], np.eye(5)[second], rng.random(40)])
        runs = tables_sets.one_hot_runs(X, 2)
        assert runs == [(1, 4), (4, 9)]
        frame = tables_sets.as_table(X, (), runs)
        assert frame.columns.tolist() == ["x0", "k1", "k4", "x9"]
        assert (frame.dtypes == "category").tolist() == [False, True, True, False]
        back = pd.get_dummies(frame, dtype=float)[
            ["x0", *(f"k1_v{i}" for i in range(3)), *(f"k4_v{i}" for i in range(5)), "x9"]
        ]
        np.testing.assert_array_equal(back.to_numpy(), X)

    def test_folds_no_more_than_the_index_says(self) -> None:
        X = np.hstack([np.eye(3)[np.arange(12) % 3], np.eye(4)[np.arange(12) % 4]])
        assert tables_sets.one_hot_runs(X, 0) == []
        assert tables_sets.one_hot_runs(X, 1) == [(0, 3)]

    def test_other_binary_columns_stay(self) -> None:
        independent = np.array([[0, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 1]], dtype=float)
        pair = np.eye(2)[[0, 1, 1, 0]]
        assert tables_sets.one_hot_runs(np.hstack([independent, pair]), 9) == []

    def test_codes_named_in_the_index_are_categories(self) -> None:
        X = np.array([[7.0, 0.5], [9.0, 0.1], [np.nan, 0.2], [7.0, 0.3]])
        frame = tables_sets.as_table(X, (0,), [])
        assert frame["k0"].tolist()[:2] == ["v7", "v9"]
        assert frame["k0"].isna().tolist() == [False, False, True, False]

    def test_one_hot_leaves_the_file(self, folder: Path) -> None:
        frame, _ = tables_sets.load(table(folder, "mixed"), True)
        folded, _ = tables_sets.load(table(folder, "mixed"), False)
        assert (frame.shape[1], folded.shape[1]) == (7, 4)


class TestSplits:
    def test_is_70_to_30_by_class_and_follows_from_the_seed(self, folder: Path) -> None:
        one, two, other = (
            tables_sets.make_split(table(folder, "plain"), seed, PLAIN) for seed in (3, 3, 4)
        )
        assert (len(one.y_train), len(one.y_test), one.classes) == (105, 45, 3)
        assert np.bincount(one.y_test).tolist() == [15, 15, 15]
        pd.testing.assert_frame_equal(one.train, two.train)
        assert not one.train.equals(other.train)
        both = pd.concat([one.train, one.test]).to_numpy()
        assert len(np.unique(both, axis=0)) == ROWS

    def test_cap_keeps_shares_and_every_class(self) -> None:
        y = np.repeat([0, 1, 2], [900, 97, 3])
        rows = tables_sets.stratified(y, 100, np.random.default_rng(0))
        counts = np.bincount(y[rows])
        assert len(np.unique(rows)) == len(rows) == 100
        assert counts[2] == 1
        assert counts[0] == pytest.approx(90, abs=1)

    def test_noise_is_exact_and_of_training_rows_alone(self, folder: Path) -> None:
        clean = tables_sets.make_split(table(folder, "plain"), 0, PLAIN)
        noisy = tables_sets.make_split(table(folder, "plain"), 0, replace(PLAIN, noise=0.4))
        assert (clean.y_train != noisy.y_train).sum() == 42
        assert set(noisy.y_train) == {0, 1, 2}
        np.testing.assert_array_equal(clean.y_test, noisy.y_test)
        pd.testing.assert_frame_equal(clean.train, noisy.train)

    def test_irrelevant_columns_follow_standardised_ones(self, folder: Path) -> None:
        conditions = replace(PLAIN, irrelevant=6)
        part = tables_sets.make_split(table(folder, "mixed"), 0, conditions)
        assert part.train.shape[1] == part.test.shape[1] == 10
        numbers = part.train[["x0", "x1", "x6"]]
        np.testing.assert_allclose(numbers.mean(), 0.0, atol=1e-12)
        np.testing.assert_allclose(numbers.std(ddof=0), 1.0, atol=1e-12)
        assert part.train["k2"].dtype == "category"
        assert part.train["x0"].isna().any()
        noise = part.train.filter(like="noise").to_numpy()
        assert np.abs(noise.mean()) < 0.2
        assert noise.std() == pytest.approx(1.0, abs=0.2)

    def test_labels_of_each_class(self, folder: Path) -> None:
        part = tables_sets.make_split(table(folder, "plain"), 0, replace(PLAIN, labels=4))
        assert np.bincount(part.y_train).tolist() == [4, 4, 4]
        assert len(part.y_test) == 45


class TestScores:
    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(2)
        return rng.dirichlet(np.ones(4), 300), rng.integers(0, 4, 300)

    def test_agree_with_scikit_learn(self) -> None:
        shares, y = self.draw()
        predicted = np.argmax(shares, axis=1)
        found = tables_scores.measures(predicted, shares, y)
        assert found["accuracy"] == metrics.accuracy_score(y, predicted)
        assert found["balanced_accuracy"] == pytest.approx(
            metrics.balanced_accuracy_score(y, predicted), abs=1e-15
        )
        assert found["log_loss"] == pytest.approx(metrics.log_loss(y, shares), rel=1e-13)

    def test_calibration_error_by_hand(self) -> None:
        # Two rows in the bin (9/15, 10/15], one right; two in the last one, both right.
        top = np.array([0.62, 0.66, 0.95, 1.0])
        shares = np.column_stack([top, 1.0 - top])
        by_hand = (abs(1 - 0.62 - 0.66) + abs(2 - 0.95 - 1.0)) / 4
        found = tables_scores.calibration_error(shares, np.array([0, 1, 0, 0]))
        assert found == pytest.approx(by_hand, abs=1e-15)

    def test_impossible_answers_cost_what_is_said(self) -> None:
        shares = np.array([[1.0, 0.0], [1.0, 0.0]])
        found = tables_scores.log_loss(shares, np.array([1, 0]))
        assert found == pytest.approx(-np.log(1e-15) / 2)

    def test_classes_not_learnt_have_share_0(self) -> None:
        full = tables_scores.spread(np.array([[1.0, 3.0]]), np.array([0, 2]), 3)
        np.testing.assert_array_equal(full, [[0.25, 0.0, 0.75]])

    @pytest.mark.parametrize("bad", [[np.nan, 1.0], [-0.1, 1.1], [0.0, 0.0]])
    def test_what_is_no_probability_is_refused(self, bad: list[float]) -> None:
        with pytest.raises(ValueError, match="probabilities"):
            tables_scores.spread(np.array([bad]), np.array([0, 1]), 2)

    @pytest.mark.parametrize(("methods", "quantile"), [(2, 1.960), (5, 2.728), (10, 3.164)])
    def test_critical_difference_has_demsars_quantiles(self, methods: int, quantile: float) -> None:
        sets = 30
        expected = quantile * np.sqrt(methods * (methods + 1) / (6 * sets))
        found = tables_scores.critical_difference(methods, sets)
        assert found == pytest.approx(expected, rel=3e-4)

    def test_ranks_share_ties(self) -> None:
        found = tables_scores.ranks(np.array([[0.9, 0.7, 0.9], [0.1, 0.2, 0.3]]))
        np.testing.assert_array_equal(found, [[1.5, 3.0, 1.5], [3.0, 2.0, 1.0]])

    def test_groups_are_the_longest(self) -> None:
        means = np.array([1.0, 1.5, 2.2, 4.0, 4.1])
        assert tables_scores.groups(means, 1.0) == [(0, 1), (1, 2), (3, 4)]
        assert tables_scores.groups(means, 0.05) == []

    def test_interval_is_that_of_the_mean(self) -> None:
        differences = np.random.default_rng(3).normal(1.0, 2.0, 400)
        low, high = tables_scores.interval(differences)
        error = differences.std(ddof=1) / np.sqrt(400)
        assert low == pytest.approx(differences.mean() - 1.96 * error, abs=0.02)
        assert high == pytest.approx(differences.mean() + 1.96 * error, abs=0.02)


class TestMethods:
    @pytest.mark.parametrize("method", INSTALLED)
    def test_takes_gaps_and_categories(self, folder: Path, method: str) -> None:
        line = tables.compute(task(folder, method))
        assert "failure" not in line
        assert (line["rows"], line["test_rows"], line["columns"]) == (105, 45, 4)
        assert (line["categories"], line["classes"]) == (1, 3)
        if method == "majority":
            assert line["accuracy"] == line["baseline"]["accuracy"]
        else:
            assert line["accuracy"] > 0.6
        assert ("log_loss" in line) == (method != "1nn")
        assert {"numpy", "sklearn"} <= set(line["versions"])
        json.dumps(line, allow_nan=False)

    def test_result_is_the_same_again(self, folder: Path) -> None:
        one, two = (tables.compute(task(folder, "forest")) for _ in range(2))
        assert one["log_loss"] == two["log_loss"]

    @pytest.mark.parametrize("method", ["knn", "logistic", "svc", "forest", "histgb"])
    def test_two_labels_a_class_suffice(self, folder: Path, method: str) -> None:
        few = replace(task(folder, method), conditions=replace(PLAIN, labels=2))
        assert "failure" not in tables.compute(few)

    def test_deeplimit_is_told_apart_by_its_sources(self, folder: Path) -> None:
        line = tables.compute(task(folder, "paper"))
        assert re.fullmatch("[0-9a-f]{12}", line["versions"]["deeplimit sources"])

    def test_ours_gets_the_frame_and_its_speed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given = {}

        class Fake:
            def __init__(self, **settings: Any) -> None:
                given.update(settings)

        monkeypatch.setattr("deeplimit.DeepLimitClassifier", Fake)
        assert isinstance(tables_methods.ours("instant").make(0), Fake)
        assert given == {"speed": "instant"}
        assert DeepLimitClassifier is not Fake

    def test_rare_categories_are_dropped_only_beyond_what_is_taken(self) -> None:
        names = [f"c{i}" for i in range(300)]
        many = pd.Series(names + names[:10]).astype("category")
        few = pd.Series(["a", "b"] * 155).astype("category")
        frame = pd.DataFrame({"many": many, "few": few})
        kept = tables_methods.KeepCommon().fit(frame).transform(frame)
        assert len(kept["many"].cat.categories) == tables_methods.MOST_CODES
        assert not kept["many"][:10].isna().any()
        assert kept["few"].equals(frame["few"])

    def test_drawn_configurations_are_in_their_ranges(self) -> None:
        space = tables_searches.BOOSTING_SPACE
        rng = np.random.default_rng(0)
        drawn = [tables_searches.draw(space, rng) for _ in range(50)]
        ranges = {n.removesuffix(", log"): v for n, v in space.items() if isinstance(v, list)}
        assert all(set(one) == set(ranges) for one in drawn)
        for name, (low, high) in ranges.items():
            values = [one[name] for one in drawn]
            assert low <= min(values) < max(values) <= high
        assert all(isinstance(one["num_leaves"], int) for one in drawn)

    @pytest.mark.parametrize("counts", [[40, 40, 20], [30, 1], [2, 2, 2]])
    def test_validation_part_is_apart(self, counts: list[int]) -> None:
        y = np.repeat(np.arange(len(counts)), counts)
        learn, stop = tables_searches.validation_rows(y, 0)
        assert sorted([*learn, *stop]) == list(range(len(y)))
        assert len(stop) == int(np.ceil(0.2 * len(y)))


class TestFailures:
    def failing(self, monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
        monkeypatch.setattr(
            tables, "registry", lambda trials: {"x": tables_methods.Method(lambda s: model)}
        )

    def test_reason_is_kept(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class Model:
            def fit(self, X: Any, y: Any) -> None:
                raise RuntimeError("no memory")

        self.failing(monkeypatch, Model())
        line = tables.compute(task(folder, "x"))
        assert line["failure"] == "RuntimeError: no memory"
        assert line["baseline"]["accuracy"] == pytest.approx(1 / 3)
        assert "accuracy" not in line

    def test_nan_is_a_failure(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class Model:
            def fit(self, X: Any, y: Any) -> None: ...

            def predict(self, X: Any) -> np.ndarray:
                return np.zeros(len(X))

            def predict_proba(self, X: Any) -> np.ndarray:
                return np.full((len(X), 3), np.nan)

        self.failing(monkeypatch, Model())
        line = tables.compute(task(folder, "x"))
        assert line["failure"].startswith("ValueError: The method gave probabilities")
        assert "accuracy" not in line


class TestCommand:
    def start(self, folder: Path, results: Path, *more: str) -> list[dict[str, Any]]:
        given = ["--sets", str(folder), "--results", str(results), *more]
        assert tables.main(given) == 0
        return tables.read_results(results)

    def test_goes_on_where_it_was(
        self, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        results = tmp_path / "results.jsonl"
        these = ("--methods", "majority,1nn", "--only", "plain")
        lines = self.start(folder, results, *these, "--splits", "2", "--jobs", "2")
        assert {(line["split"], line["method"]) for line in lines} == {
            (split, method) for split in (0, 1) for method in ("majority", "1nn")
        }
        assert all(line["machine"]["cores"] >= 1 and line["jobs"] == 2 for line in lines)
        assert "| 1nn" in capsys.readouterr().out
        whole = results.read_bytes()
        self.start(folder, results, *these, "--splits", "2")
        assert results.read_bytes() == whole
        # A kill in the middle of the last line costs that line.
        results.write_bytes(whole[:-40])
        again = self.start(folder, results, *these, "--splits", "2")
        assert len(again) == 4
        assert "no result and is left out" in capsys.readouterr().err
        assert {line["key"] for line in again} == {line["key"] for line in lines}
        known = [len(self.start(folder, results, *these, "--again", "1nn")), len(again)]
        assert known == [5, 4]

    def test_process_that_takes_too_long_is_a_failure(self, folder: Path, tmp_path: Path) -> None:
        these = ("--methods", "majority", "--only", "plain", "--limit", "0")
        (line,) = self.start(folder, tmp_path / "r.jsonl", *these)
        assert line["failure"] == "It took longer than 0 s."
        assert line["baseline"]["accuracy"] == pytest.approx(1 / 3)

    @pytest.mark.parametrize(
        "change",
        [{"noise": 0.1}, {"irrelevant": 3}, {"labels": 2}, {"cap": 10}, {"one_hot": True}],
        ids=str,
    )
    def test_conditions_are_part_of_the_key(self, folder: Path, change: dict[str, Any]) -> None:
        one = task(folder, "1nn")
        assert replace(one, conditions=replace(PLAIN, **change)).key != one.key

    def test_settings_split_and_content_are_part_of_the_key(self, folder: Path) -> None:
        one = task(folder, "lightgbm")
        others = [
            replace(one, trials=3),
            replace(one, split=1),
            replace(one, method="xrfm"),
            replace(one, table=replace(one.table, digest="0")),
        ]
        assert len({one.key, *(other.key for other in others)}) == 5
        assert replace(task(folder, "1nn"), trials=3).key == task(folder, "1nn").key

    def test_unknown_method_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            tables.main(["--results", "r", "--methods", "absent"])
        assert "no method absent" in capsys.readouterr().err


class TestSummary:
    def line(self, name: str, method: str, accuracy: float | None, **more: Any) -> dict[str, Any]:
        base = {
            "accuracy": 0.5,
            "balanced_accuracy": 0.5,
            "log_loss": 0.7,
            "calibration_error": 0.0,
        }
        told = {"key": "", "set": name, "split": 0, "method": method, "settings": {}}
        told |= {"conditions": asdict(PLAIN), "baseline": base, "jobs": 1}
        told |= {"machine": {"cpu": "one", "cores": 2}, "versions": {"numpy": "2"}}
        if accuracy is None:
            return told | {"failure": "ValueError: no"} | more
        found = {"accuracy": accuracy, "log_loss": 1.0 - accuracy, "fit_seconds": 2.0}
        return told | base | found | {"predict_seconds": 1.0} | more

    def told(self, lines: list[dict[str, Any]], **more: Any) -> str:
        usual = {"methods": None, "only": (), "against": "b", "each": False, "picture": None}
        return tables_summary.summary(lines, asdict(PLAIN), SimpleNamespace(**(usual | more)))

    def row(self, text: str, method: str, after: str = "| method") -> list[str]:
        part = text[text.index(after) :]
        (first, *_) = [row for row in part.splitlines() if row.startswith(f"| {method} ")]
        return [cell.strip() for cell in first.strip("|").split("|")]

    def test_means_ranks_and_wins(self) -> None:
        scores = {"a": [0.9, 0.8, 0.7], "b": [0.9, 0.6, 0.8]}
        lines = [
            self.line(f"s{i}", method, value)
            for method, row in scores.items()
            for i, value in enumerate(row)
        ]
        text = self.told(lines)
        assert self.row(text, "a")[1:5] == ["80.00", "50.00", "1.50", "2"]
        assert self.row(text, "b")[1:5] == ["76.67", "50.00", "1.50", "2"]
        compared = self.row(text, "a", "| minus b")
        assert compared[1] == "+3.33"
        assert compared[3:6] == ["1", "1", "1"]
        assert float(compared[6]) == pytest.approx(0.6 / 0.7, abs=1e-3)
        assert compared[7:] == ["1", "1"]

    def test_failure_counts_as_the_class_shares(self) -> None:
        lines = [self.line("s", "a", None), self.line("s", "b", 0.8)]
        text = self.told(lines)
        assert self.row(text, "a")[1] == "50.00"
        assert self.row(text, "a")[-1] == "1"
        assert "FAILED, counted as the class shares alone: a on s, split 0: ValueError: no" in text

    def test_latest_line_counts(self) -> None:
        lines = [self.line("s", "a", None), self.line("s", "a", 0.8), self.line("s", "b", 0.8)]
        text = self.told(lines)
        assert self.row(text, "a")[1] == "80.00"
        assert "FAILED" not in text

    def test_sets_not_met_by_all_are_named(self) -> None:
        lines = [self.line("s", "a", 0.7), self.line("s", "b", 0.8), self.line("t", "b", 0.1)]
        text = self.told(lines)
        assert text.startswith("1 sets")
        assert "Left out, not met by all of these methods: t." in text
        assert self.row(self.told(lines, methods=["b"]), "b")[1] == "45.00"

    def test_what_is_mixed_is_told(self) -> None:
        lines = [
            self.line("s", "a", 0.7),
            self.line("t", "a", 0.7, settings={"k": 1}, versions={"numpy": "3"}),
            self.line("u", "a", 0.7, machine={"cpu": "two", "cores": 2}),
        ]
        text = self.told(lines)
        assert "MIXED settings of a" in text
        assert "MIXED numpy (2, 3) of a" in text
        assert "MIXED machines" in text

    def test_other_conditions_are_listed(self) -> None:
        text = self.told([self.line("s", "a", 0.7, conditions={"noise": 0.4})])
        assert text.startswith("No result under")
        assert "{'noise': 0.4}" in text

    @pytest.mark.parametrize("kind", ["png", "svg"])
    def test_picture_and_groups(self, tmp_path: Path, kind: str) -> None:
        rng = np.random.default_rng(0)
        lines = [
            self.line(f"s{i}", method, 0.5 + level + 0.01 * rng.random())
            for i in range(20)
            for method, level in {"a": 0.4, "b": 0.1, "c": 0.1}.items()
        ]
        path = tmp_path / f"difference.{kind}"
        text = self.told(lines, picture=path, each=True)
        assert path.stat().st_size > 1000
        assert re.search(r"^- [bc], [bc]$", text, flags=re.MULTILINE)
        assert not re.search(r"^- .*\ba\b", text, flags=re.MULTILINE)
        assert self.row(text, "s3", "| set")[0] == "s3"
