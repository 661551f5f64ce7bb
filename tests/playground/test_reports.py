"""A table of one's own: the report is that of the library, and a hostile table gets a sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.playground.reports import Reports, table_columns


def table(n: int = 90) -> str:
    rng = np.random.default_rng(3)
    lines = ["length,width,colour,kind"]
    for i in range(n):
        k = i % 3
        label = "abc"[(k + 1) % 3] if i == 10 else "abc"[k]
        colour = "" if i % 17 == 0 else ("red", "blue")[int(rng.random() < 0.3 + 0.2 * k)]
        cells = (f"{rng.normal(3 * k, 0.8):.3f}", f"{rng.normal(-k, 0.7):.3f}", colour, label)
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def reports() -> Reports:
    return Reports()


@pytest.fixture(scope="module")
def told(reports: Reports) -> dict[str, Any]:
    made = reports.fit({"text": table(), "target": "kind"})
    json.dumps(made, allow_nan=False)
    return made


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dl.DeepLimitClassifier]:
    path: Path = tmp_path_factory.mktemp("tables") / "t.csv"
    path.write_text(table())
    data = dl.read_table(path, target="kind")
    return data, dl.DeepLimitClassifier().fit(data.features, data.target)


def test_columns_and_a_likely_target() -> None:
    found = table_columns({"text": table()})
    assert found["target"] == "kind"
    assert [c["kind"] for c in found["columns"]] == ["numeric", "numeric"] + ["categorical"] * 2


def test_figures_are_the_librarys(told: dict[str, Any], fitted: Any) -> None:
    data, clf = fitted
    said = clf.leave_one_out()
    values = {m["name"]: m["value"] for m in told["measures"]}
    assert abs(values["accuracy"] - said.accuracy) < 1e-6
    assert abs(values["log-loss"] - said.log_loss) < 1e-6
    assert told["rows"] == data.n_rows == 90
    assert told["lines"] == list(range(2, 92))
    # The same, but for what rows are called.
    texts = [
        re.sub(r"[Ll]ine (\d+)", lambda m: str(int(m[1]) - 2), f["text"]) for f in told["findings"]
    ]
    assert texts == [f.text.removeprefix("Example ") for f in clf.findings()]
    by_row = {r["row"]: r for r in told["said"]}
    place = np.searchsorted(clf.classes_, data.target)
    for i in range(90):
        assert abs(by_row[i]["probability"] - said.probabilities[i, place[i]]) < 1e-6
    assert told["markdown"].startswith("# Model card")
    # Each part of the pool that it names is put in words, and no other.
    groups = clf.pool_.groups
    nearest = any(float(group.weights.sum()) > 0 for group in groups)
    smooth = any(group.ridge_weight > 0 for group in groups)
    assert nearest or smooth
    assert ("votes of the nearest examples" in told["in_words"]) == nearest
    assert ("a smooth fit to all examples" in told["in_words"]) == smooth


def test_the_wrong_label_comes_first(told: dict[str, Any]) -> None:
    assert told["said"][0]["row"] == 10
    assert 10 in [f["rows"][0] for f in told["findings"] if f["kind"] == "wrong label"]


def test_reasons_are_the_librarys(reports: Reports, told: dict[str, Any], fitted: Any) -> None:
    data, clf = fitted
    found = reports.row({"model": told["model"], "row": 4, "own_vote": True})
    json.dumps(found, allow_nan=False)
    frame = data.features.iloc[[4]]
    np.testing.assert_allclose(found["probabilities"], clf.predict_proba(frame)[0], atol=1e-6)
    parts = clf.contributions(frame, top=8)
    assert [e["row"] for e in found["examples"]] == parts.indices[0].tolist()
    np.testing.assert_allclose([e["share"] for e in found["examples"]], parts.shares[0], atol=1e-6)
    whole = sum(c["share"] for c in found["columns"]) + found["base"]
    assert abs(whole - found["margin"]) < 1e-6
    left = clf.leave_one_out().probabilities[4]
    np.testing.assert_allclose(found["left_out"], left, atol=1e-6)
    flip = found["flip"]
    if flip["found"]:
        assert clf.predict_without(frame, flip["rows"])[0] == flip["after"] != found["prediction"]


def test_what_if(reports: Reports, told: dict[str, Any], fitted: Any) -> None:
    data, clf = fitted
    cells = {"length": "6.1", "width": "-2.0", "colour": ""}
    found = reports.row({"model": told["model"], "row": 0, "cells": cells, "own_vote": True})
    frame = data.features.iloc[[0]].copy()
    frame["length"], frame["width"], frame["colour"] = 6.1, -2.0, None
    np.testing.assert_allclose(found["probabilities"], clf.predict_proba(frame)[0], atol=1e-6)
    assert found["prediction"] == "c" != found["label"]
    assert found["cells"]["length"] == 6.1
    # The table itself stays as it was.
    assert reports.row({"model": told["model"], "row": 0})["cells"]["length"] != 6.1


@pytest.mark.parametrize("row", [4, 10])
def test_a_row_is_told_without_itself(
    reports: Reports, told: dict[str, Any], fitted: Any, row: int
) -> None:
    data, clf = fitted
    found = reports.row({"model": told["model"], "row": row})
    frame = data.features.iloc[[row]]
    assert found["own_vote"] is False
    assert row not in [e["row"] for e in found["examples"]]
    # All shares together are the scores of the pool of the other rows, none of which is the row.
    left = clf._rule.without(np.array([row]))
    winner, p = left.scores(clf._queries(frame))
    np.testing.assert_allclose(found["probabilities"], p[0], atol=1e-12)
    assert found["prediction"] == clf.predict_without(frame, [row])[0] == clf.classes_[winner[0]]
    score = sum(e["share"] for e in found["examples"]) + found["rest"]
    assert abs(score - sum(found["scores"])) < 1e-9
    margin = np.sort(found["scores"])
    assert abs(sum(c["share"] for c in found["columns"]) + found["base"] - found["margin"]) < 1e-9
    assert abs(found["margin"] - (margin[-1] - margin[-2])) < 1e-6
    flip = found["flip"]
    assert row not in flip["rows"]
    if flip["found"]:
        gone = [row, *flip["rows"]]
        assert clf.predict_without(frame, gone)[0] == flip["after"] != found["prediction"]
    # The classifier itself is as it was.
    assert clf.ids_.size == 90


def test_one_other_cell_would_do(reports: Reports, told: dict[str, Any], fitted: Any) -> None:
    data, clf = fitted
    seen = set()
    for row in range(0, 90, 9):
        question = {"model": told["model"], "row": row}
        found = reports.row(question)
        for change in found["changes"]:
            name, cell = change["name"], change["cell"]
            seen.add(name)
            then = reports.row({**question, "cells": {name: str(cell)}})
            assert then["prediction"] == change["prediction"] != found["prediction"]
            assert abs(max(then["probabilities"]) - change["probability"]) < 1e-9
            assert cell in data.features[name].tolist()
    assert {"length", "width"} <= seen
    # Where one number does, a nearer one of those tried does not.
    values = np.sort(data.features["length"].to_numpy())
    found = reports.row({"model": told["model"], "row": 9})
    to = next(c["cell"] for c in found["changes"] if c["name"] == "length")
    own = found["cells"]["length"]
    grid = np.unique(np.quantile(values, np.linspace(0, 1, 21), method="nearest"))
    between = grid[(grid > min(own, to)) & (grid < max(own, to))]
    assert between.size
    frame = data.features.iloc[[9] * between.size].reset_index(drop=True)
    frame["length"] = between
    assert set(clf.predict_without(frame, [9])) == {found["prediction"]}


def test_the_only_row_of_a_class_votes_for_itself() -> None:
    text = table(30) + "1.0,1.0,red,rare\n"
    reports = Reports()
    made = reports.fit({"text": text, "target": "kind"})
    found = reports.row({"model": made["model"], "row": 30})
    assert found["only"] is found["own_vote"] is True
    assert 30 in [e["row"] for e in found["examples"]]


def test_rows_keep_their_lines() -> None:
    lines = table().splitlines()
    for k in (1, 2, 5):
        lines[k] = lines[k].rpartition(",")[0] + ","
    lines[7:7] = ["", "   "]
    lines[20] = '"' + lines[20].replace(",", '",', 1)
    lines[30] = lines[30].replace("red", '"red\nhot"').replace("blue", '"blue\nhot"')
    text = "\r\n".join(lines) + "\r\n"
    made = Reports().fit({"text": text, "target": "kind"})
    shown = text.replace("\r\n", "\n").split("\n")
    assert made["rows"] == 87 == len(made["lines"])
    assert made["lines"][:6] == [4, 5, 7, 10, 11, 12]
    for found in (f for f in made["findings"] if f["kind"] == "wrong label"):
        line = int(re.match(r"Line (\d+) ", found["text"])[1])  # type: ignore[index]
        assert line == made["lines"][found["rows"][0]]
        assert f"Line {line} is labelled" in made["markdown"] + made["page"]
    # A cell of two lines stands above it: an editor counts both.
    last = len(shown) - 1
    assert made["lines"][-1] == last
    shown[last - 1] = "inf" + shown[last - 1][shown[last - 1].index(",") :]
    with pytest.raises(ValueError, match=f"line {last} is infinite"):
        Reports().fit({"text": "\n".join(shown), "target": "kind"})


def test_columns_that_cannot_be_told_are_not_proposed() -> None:
    assert table_columns({"text": "x,y\n1,a\n2,a\n3,a\n"})["target"] is None
    told = table_columns({"text": "x,y\n1,a\n2,b\nold,a\n4,b\n5,b\n"})
    assert told["target"] == "y"
    assert "1 of its 5 values are not numbers" in told["notes"][0]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model": "guess"}, "no longer held"), ({"row": -1}, "0 to 89"), ({"row": 90}, "0 to 89"),
        ({"row": "4"}, "0 to 89"), ({"row": True}, "0 to 89"), ({"cells": [1]}, "cells"),
        ({"cells": {"nobody": "1"}}, "no column"), ({"cells": {"length": "long"}}, "numbers"),
        ({"cells": {"length": "inf"}}, "finite"), ({"cells": {"length": 3}}, "no text"),
        ({"own_vote": 1}, "own_vote"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told(
    reports: Reports, told: dict[str, Any], change: dict[str, Any], word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        reports.row({"model": told["model"], "row": 1, **change})


HOSTILE = {
    "empty": "", "blank": "  \n", "a head alone": "a,b,c\n", "one column": "kind\na\nb\n",
    "ragged": "a,kind\n1,x\n1,2,y\n", "numbers alone": "1,2\n3,4\n",
    "twice": "a,a,kind\n1,2,x\n3,4,y\n",
    "nul": "a,kind\n1,x\x00\n2,y\n", "one class": "a,kind\n1,x\n2,x\n",
    "no target": "a,kind\n1,\n2,\n",
    "quotes": 'a,kind\n"1,x\n2,y\n', "each its own": "a,kind\n1,x\n2,y\n3,z\n",
    "many classes": "a,kind\n" + "".join(f"{i},c{i % 60}\n" for i in range(240)),
    "many rows": "a,kind\n" + "".join(f"{i},{i % 2}\n" for i in range(4001)),
    "many columns": ",".join(f"c{i}" for i in range(201)) + ",kind\n"
    + "".join(",".join("1" * 201) + f",{k}\n" for k in "xyxy"),
    "infinite": "a,kind\ninf,x\n2,y\n3,x\n4,y\n",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_table_gets_a_sentence(name: str) -> None:
    with pytest.raises(ValueError) as told:
        Reports().fit({"text": HOSTILE[name], "target": "kind"})
    text = str(told.value)
    assert text.strip()
    assert "table.csv" not in text
    assert "/tmp" not in text


def test_names_are_never_markup() -> None:
    text = "<script>alert(1)</script>,kind\n" + "".join(
        f"{i},{'<img src=x onerror=y>' if i % 2 else 'b'}\n" for i in range(24)
    )
    made = Reports().fit({"text": text, "target": "kind"})
    assert made["columns"][0]["name"] == "<script>alert(1)</script>"
    assert "<script>alert" not in made["page"]
    assert "<img src=x" not in made["page"]


def test_the_oldest_table_is_let_go() -> None:
    reports = Reports()
    keys = [reports.fit({"text": table(12 + i), "target": "kind"})["model"] for i in range(5)]
    with pytest.raises(ValueError, match="no longer held"):
        reports.row({"model": keys[0], "row": 0})
    assert reports.row({"model": keys[4], "row": 0})["row"] == 0
    assert len(set(keys)) == 5
