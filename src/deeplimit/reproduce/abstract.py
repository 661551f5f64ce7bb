"""The table from the sentences of the abstract to modules, tests and figures, as a page."""

from __future__ import annotations

from deeplimit.reproduce.checks import CHECKS, SENTENCES
from deeplimit.reproduce.report import markdown_table
from deeplimit.reproduce.results import KINDS, Table

__all__ = ["abstract_page"]


def abstract_page() -> str:
    """Write the page ``docs/abstract.md``.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> print(abstract_page().splitlines()[0])
    # The abstract, sentence by sentence
    """
    by_key = {check.key: check for check in CHECKS}
    sentences = Table(
        "",
        ("sentence, in our words", "module", "test", "check"),
        [
            (
                s.text,
                _codes(f"deeplimit.{m}" for m in s.modules),
                _codes(f"tests/{t}" for t in s.tests),
                ", ".join(f"[{key}](#{key})" for key in s.checks),
            )
            for s in SENTENCES
        ],
    )
    lines = [
        "# The abstract, sentence by sentence",
        "",
        "What the abstract of arXiv 2204.14126 says, where it is in this package, what tests it, "
        "and the check of `deeplimit reproduce` that puts a figure and a verdict on it. This page "
        "is made from the list that the command runs "
        "(`python -m deeplimit.reproduce.abstract > docs/abstract.md`); figures of a full run are "
        "in `benchmarks/results/reproduce.json`.",
        "",
        *markdown_table(sentences),
        "",
        "## Checks",
    ]
    for key, check in by_key.items():
        lines += [
            "",
            f"### {key}",
            "",
            check.sentence,
            "",
            f"- Measured: {check.measures}.",
            f"- Passed if: {check.criterion}.",
            f"- Label: {check.kind} ({KINDS[check.kind]}).",
            f"- Tests: {_codes([f'tests/reproduce/test_{_module(check.function.__module__)}.py'])}",
        ]
    return "\n".join([*lines, ""])


def _module(name: str) -> str:
    return name.rpartition(".")[2]


def _codes(names: object) -> str:
    return ", ".join(f"`{name}`" for name in names)  # type: ignore[attr-defined]


if __name__ == "__main__":
    print(abstract_page(), end="")
