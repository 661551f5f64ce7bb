"""The examples of every ``--help`` work as they are written."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from deeplimit.cli.parser import build_parser
from papers.saved import entry, page


class _Report:
    passed = True

    def to_dict(self) -> dict[str, Any]:
        return {}

    def to_text(self, width: int) -> str:
        return ""

    outcomes = ()
    summary = ""
    seconds = 0.0


class _Interrupted:
    """A server that is interrupted as soon as it serves."""

    server_port = 1

    def __init__(self, *asked: object) -> None:
        self.asked = asked

    def __enter__(self) -> _Interrupted:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def serve_forever(self) -> None:
        raise KeyboardInterrupt


def subparsers() -> dict[str, argparse.ArgumentParser]:
    (group,) = (
        action
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return dict(group.choices)


def examples(parser: argparse.ArgumentParser) -> list[list[str]]:
    text = (parser.epilog or "").partition("examples:\n")[2].replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.startswith("  deeplimit ")]
    # What stands behind many blanks tells what the example is for.
    return [shlex.split(re.split(r" {4,}(?=\w)", line)[0])[1:] for line in lines]


def test_every_command_has_examples() -> None:
    assert all(examples(parser) for parser in subparsers().values())


def test_examples_work(command: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # These two take long and have tests of their own.
    monkeypatch.setattr("deeplimit.demo.run", lambda *_, **__: _Report())
    monkeypatch.setattr("deeplimit.reproduce.run", lambda *_, **__: _Report(), raising=False)
    # Served for ever, and exported in half a minute; both have tests of their own.
    monkeypatch.setattr("deeplimit.playground.server.make_server", _Interrupted)
    monkeypatch.setattr("deeplimit.playground.export.NAMED", ())
    monkeypatch.setattr("webbrowser.open", lambda *_: True)
    for name in ("monday", "tuesday"):
        entries = [entry(f"On {name} {i}", f"Deep networks and item{i}.") for i in range(40)]
        (folder / f"{name}.txt").write_bytes(page(entries))
    parsers = subparsers()
    first = ["fit", "predict", "explain"]
    for name in first + [name for name in parsers if name not in first]:
        for example in examples(parsers[name]):
            answer = command(*example)
            assert answer.code == 0, (example, answer.err)
    assert (folder / "answers.csv").exists()
    assert (folder / "portrait.png").exists()
    for model in folder.glob("*.safetensors"):
        model.unlink()
    for example in examples(build_parser()):
        answer = command(*example)
        assert answer.code == 0, (example, answer.err)


@pytest.mark.parametrize("name", [None, *subparsers()])
def test_help_fits_a_terminal(name: str | None, command: Any) -> None:
    answer = command(*([name] if name else []), "--help")
    assert answer.code == 0
    usage, _, rest = answer.out.partition("\n\n")
    assert usage.startswith("usage: deeplimit")
    assert max(map(len, rest.splitlines())) <= 80
