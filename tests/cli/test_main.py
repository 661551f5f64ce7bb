"""The command as a whole: codes, one-line errors, what is loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import deeplimit
from deeplimit.cli import activation_commands as commands
from deeplimit.cli import main


@pytest.fixture
def environment(root: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(root / "src"), "PYTHONWARNINGS": "error"}


def test_help_and_version_load_nothing_heavy(environment: dict[str, str]) -> None:
    code = (
        "import json, sys; from deeplimit.cli import main; "
        "codes = [main(['--help']), main(['--version']), main(['fit', '--help'])]; "
        "print(json.dumps([codes, sorted(sys.modules)]))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    *shown, last = answer.stdout.splitlines()
    codes, loaded = json.loads(last)
    assert codes == [0, 0, 0]
    assert f"deeplimit {deeplimit.__version__}" in shown
    assert [name for name in ("numpy", "scipy", "sklearn", "matplotlib") if name in loaded] == []


def test_module_is_the_command(environment: dict[str, str]) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "deeplimit", "inspect", "nonsense"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith("deeplimit: error: no activation is called 'nonsense'")
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [(), ("bogus",), ("inspect", "relu", "--bogus"), ("fit", "data.csv")]
)
def test_wrong_usage_is_one_line_and_code_2(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "--help)" in err


def test_a_formula_with_a_minus_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "-softplus(-x)"]) == 2
    assert "put -- in front" in capsys.readouterr().err
    assert main(["inspect", "--", "-softplus(-x)"]) == 0


def test_a_reader_that_goes_away_is_no_error(environment: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    answer = subprocess.run(
        [sys.executable, "-m", "deeplimit", "inspect", "--names"],
        env=environment, stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writing)
    assert (answer.returncode, answer.stderr) == (141, "")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (ValueError("two\nlines"), 1, "error: two lines"),
        (KeyError("key"), 1, "error: KeyError: 'key'. This is a fault of deeplimit; "),
        (ValueError(), 1, "error: ValueError: . This is a fault of deeplimit; "),
        (MemoryError(), 1, "error: not enough memory."),
        (FileNotFoundError(2, "No such file", "a b.csv"), 1, "error: No such file: 'a b.csv'"),
    ],
)
def test_errors_are_one_line(
    error: BaseException,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(as_json: bool) -> int:
        raise error

    monkeypatch.delenv("DEEPLIMIT_TRACEBACK", raising=False)
    monkeypatch.setattr(commands, "_names", fail)
    assert main(["inspect", "--names"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"deeplimit: {line}")
    assert len(err.splitlines()) == 1


def test_a_developer_gets_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPLIMIT_TRACEBACK", "1")
    with pytest.raises(ValueError, match="no activation is called"):
        main(["inspect", "nonsense"])


def test_a_formula_error_leaves_out_its_excerpt(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "sin(x"]) == 1
    err = capsys.readouterr().err
    assert "'(' is never closed" in err
    assert "^" not in err


def test_a_warning_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import warnings

    def warn(as_json: bool) -> int:
        warnings.warn("of two\nlines", UserWarning, stacklevel=1)
        return 0

    monkeypatch.setattr(commands, "_names", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["inspect", "--names"]) == 0
    assert capsys.readouterr().err == "deeplimit: warning: of two lines\n"
