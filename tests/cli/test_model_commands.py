"""The grammar of ``fit``, ``predict`` and ``explain``."""

from __future__ import annotations

from typing import Any

import pytest

from deeplimit.cli import model_commands
from deeplimit.cli.parser import build_parser


def test_rows_are_a_list_of_numbers_and_ranges() -> None:
    rows = model_commands._rows("0, 3,10-12")
    assert [row for part in rows for row in part] == [0, 3, 10, 11, 12]


@pytest.mark.parametrize("text", ["", "a", "1,", "-1", "3-1", "1--2", "1.5", "²"])
def test_rows_refuse_anything_else(command: Any, text: str) -> None:
    answer = command("explain", "m", "data.csv", f"--rows={text}")
    assert answer.code == 2
    assert "--rows" in answer.err


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "few"])
def test_top_is_a_count(command: Any, text: str) -> None:
    assert command("explain", "m", "data.csv", f"--top={text}").code == 2


@pytest.mark.parametrize(
    ("text", "value"), [("auto", "auto"), ("dimension", "dimension"), ("2.5", 2.5)]
)
def test_exponent(text: str, value: object) -> None:
    arguments = ["fit", "data.csv", "--target", "y", "-o", "m", "--exponent", text]
    assert build_parser().parse_args(arguments).exponent == value


@pytest.mark.parametrize(
    "arguments",
    [
        ("--exponent=-1",),
        ("--exponent=nan",),
        ("--exponent", "many"),
        ("--kind", "zip"),
        ("--class-weight", "heavy"),
        ("--activation", "relu", "--exponent", "2"),
        ("--activation", "relu", "--projection", "euclidean"),
        ("--speed", "fast"),
        ("--speed", "instant", "--activation", "relu"),
        ("--speed", "full", "--exponent", "2"),
        ("--speed", "full", "--projection", "hemisphere"),
        ("--time-limit=0",),
        ("--time-limit", "long"),
        ("--time-limit", "5", "--speed", "paper"),
        ("--time-limit", "5", "--activation", "relu"),
    ],
)
def test_wrong_usage_of_fit(command: Any, arguments: tuple[str, ...]) -> None:
    options = ("fit", "flowers.csv", "--target", "species", "-o", "m.safetensors")
    assert command(*options, *arguments).code == 2
