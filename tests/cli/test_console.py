"""Standard output for results, standard error for the run."""

from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest

from deeplimit.cli import console


def test_json_holds_what_numpy_holds(capsys: pytest.CaptureFixture[str]) -> None:
    value = {
        "array": np.array([1.0, np.inf, -np.inf, np.nan]),
        "integer": np.int64(3),
        "yes": np.bool_(True),
        7: ("a", None),
        "name": np.str_("ξ"),
    }
    console.print_json(value)
    assert json.loads(capsys.readouterr().out) == {
        "array": [1.0, "inf", "-inf", None],
        "integer": 3,
        "yes": True,
        "7": ["a", None],
        "name": "ξ",
    }


def test_a_poor_encoding_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="ascii"))
    console.say("φ(x)")
    sys.stdout.flush()
    assert buffer.getvalue() == b"\\u03c6(x)\n"


@pytest.mark.parametrize(("watched", "lines"), [(True, 1), (False, 0)])
def test_progress_is_told_on_a_terminal_only(
    watched: bool,
    lines: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: watched, raising=False)
    console.progress("reading")
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == lines


def test_one_line() -> None:
    assert console.one_line(" a\n  b\t") == "a b"


@pytest.mark.parametrize(("given", "used"), [("20", 40), ("72", 72), ("500", 100)])
def test_lines_stay_readable(given: str, used: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", given)
    assert console.columns() == used
