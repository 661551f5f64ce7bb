"""The table from the sentences of the abstract to modules, tests and figures, as a page."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deeplimit.reproduce.checks import CHECKS, SENTENCES
from deeplimit.reproduce.report import markdown_table
from deeplimit.reproduce.results import KINDS, Table

__all__ = ["abstract_page"]


def abstract_page(results: Mapping[str, Any]) -> str:
    """Write the page ``docs/abstract.md``.

    Parameters
    ----------
    results : mapping
        A report as a dictionary, of which the figures and verdicts are taken.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> print(abstract_page({"checks": []}).splitlines()[0])
    # The abstract, sentence by sentence
    """
    found = {entry["key"]: entry for entry in results["checks"]}
    sentences = Table(
        "",
        ("sentence, in our words", "module", "test", "figure"),
        [
            (
                s.text,
                _codes(f"deeplimit.{m}" for m in s.modules),
                _codes(f"tests/{t}" for t in s.tests),
                ", ".join(
                    f"`{key}`" + (f" ({found[key]['verdict']})" if key in found else "")
                    for key in s.checks
                ),
            )
            for s in SENTENCES
        ],
    )
    lines = [
        "# The abstract, sentence by sentence",
        "",
        "What the abstract of arXiv 2204.14126 says, where it is in this package, what tests it, "
        "and the check of `deeplimit reproduce` that puts a figure and a verdict on it. The "
        "figures below are of a full run; all of them are in `benchmarks/results/reproduce.json`.",
        "",
        *markdown_table(sentences),
        "",
        "## Checks",
    ]
    for check in CHECKS:
        entry = found.get(check.key)
        lines += ["", f"### {check.key}", "", check.sentence, ""]
        if entry is not None:
            figure = entry["figure"][:1].upper() + entry["figure"][1:]
            lines += [f"**{entry['verdict'].capitalize()}.** {figure}.", ""]
        lines += [
            f"- Measured: {check.measures}.",
            f"- Passed if: {check.criterion}.",
            f"- Label: {check.kind} ({KINDS[check.kind]}).",
            f"- Tests: `tests/reproduce/test_{check.function.__module__.rpartition('.')[2]}.py`.",
        ]
        for note in [] if entry is None else entry["notes"]:
            lines += ["", note]
    return "\n".join([*lines, ""])


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    # PYTHONPATH=src python -m deeplimit.reproduce.abstract benchmarks/results/reproduce.json
    print(abstract_page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), end="")
