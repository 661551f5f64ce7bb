"""The report of a run: outcomes, and the ways to write them down."""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from deeplimit import __version__
from deeplimit.reproduce.checks import CHECKS
from deeplimit.reproduce.page import page
from deeplimit.reproduce.results import KINDS, Check, Result, Table
from deeplimit.reproduce.settings import Settings

__all__ = ["Outcome", "Report", "run"]


@dataclass(frozen=True)
class Outcome:
    """A check with its result.

    Attributes
    ----------
    check : Check
    result : Result
    seconds : float

    Examples
    --------
    >>> from deeplimit.reproduce import run
    >>> outcome = run(quick=True, checks=["designs"]).outcomes[0]
    >>> outcome.check.kind, outcome.verdict
    ('proved', 'pass')
    """

    check: Check
    result: Result
    seconds: float

    @property
    def verdict(self) -> str:
        """Give "pass", "fail" or "not run"."""
        passed = self.result.passed
        return "not run" if passed is None else ("pass" if passed else "fail")


@dataclass(frozen=True)
class Report:
    """What a run found.

    Attributes
    ----------
    outcomes : tuple of Outcome
    quick : bool
        Whether it was a quick run.
    seconds : float
    environment : dict of str to str
        Versions of what was used.

    Examples
    --------
    >>> from deeplimit.reproduce import run
    >>> print(run(quick=True, checks=["designs"]).summary)
    A quick run with few seeds: of 1 checks 1 passed.
    """

    outcomes: tuple[Outcome, ...]
    quick: bool
    seconds: float
    environment: dict[str, str]

    title = "What infinitely wide and infinitely deep networks are, checked"

    @property
    def passed(self) -> bool:
        """Whether no check failed and at least one passed."""
        verdicts = [o.verdict for o in self.outcomes]
        return "fail" not in verdicts and "pass" in verdicts

    @property
    def summary(self) -> str:
        """Count the verdicts, in a sentence."""
        verdicts = [o.verdict for o in self.outcomes]
        counts = ", ".join(
            f"{verdicts.count(v)} {words}"
            for v, words in (("pass", "passed"), ("fail", "failed"), ("not run", "not run"))
            if v in verdicts
        )
        kind = "A quick run with few seeds" if self.quick else "A full run"
        return f"{kind}: of {len(verdicts)} checks {counts}."

    def to_dict(self) -> dict[str, Any]:
        """Give every figure, ready for JSON.

        Returns
        -------
        dict
            Numbers that are not finite are None.
        """
        return {
            "title": self.title,
            "passed": self.passed,
            "quick": self.quick,
            "seconds": round(self.seconds, 1),
            "environment": dict(self.environment),
            "checks": [
                {
                    "key": o.check.key,
                    "sentence": o.check.sentence,
                    "measures": o.check.measures,
                    "criterion": o.check.criterion,
                    "label": o.check.kind,
                    "verdict": o.verdict,
                    "figure": o.result.figure,
                    "notes": list(o.result.notes),
                    "data": _plain(o.result.data),
                    "seconds": round(o.seconds, 1),
                }
                for o in self.outcomes
            ],
        }

    def to_markdown(self) -> str:
        """Write the report as Markdown.

        Returns
        -------
        str
        """
        lines = [f"# {self.title}", "", self.summary, ""]
        rows = [(o.check.key, o.verdict, o.check.kind, f"{o.seconds:.1f}") for o in self.outcomes]
        lines += markdown_table(Table("", ("check", "verdict", "label", "seconds"), rows))
        for o in self.outcomes:
            check, result = o.check, o.result
            figure = result.figure[:1].upper() + result.figure[1:]
            lines += ["", f"## {check.sentence}", ""]
            lines += [f"**{o.verdict.capitalize()}** ({check.kind}, {o.seconds:.1f} s). {figure}."]
            lines += ["", f"Measured: {check.measures}. Passed if: {check.criterion}."]
            for note in result.notes:
                lines += ["", note]
            for table in result.tables:
                lines += ["", f"*{table.title}*", "", *markdown_table(table)]
        lines += ["", "## Labels", ""]
        lines += [f"- **{kind}**: {words}" for kind, words in KINDS.items()]
        about = "; ".join(f"{k} {v}" for k, v in self.environment.items())
        lines += ["", f"Made with {about}, in {self.seconds:.0f} s.", ""]
        return "\n".join(lines)

    def to_html(self) -> str:
        """Write the report as one page of HTML that needs no other file and no script.

        Returns
        -------
        str
        """
        return page(self)

    def write(self, folder: str | os.PathLike[str]) -> None:
        """Write ``reproduce.json``, ``reproduce.md`` and ``reproduce.html``.

        Parameters
        ----------
        folder : path
            Where; made if it is not there.
        """
        where = Path(folder)
        where.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        (where / "reproduce.json").write_text(text + "\n", encoding="utf-8")
        (where / "reproduce.md").write_text(self.to_markdown(), encoding="utf-8")
        (where / "reproduce.html").write_text(self.to_html(), encoding="utf-8")


def run(
    quick: bool = False,
    output: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
    checks: Sequence[str] | None = None,
) -> Report:
    """Check each sentence of the paper's abstract.

    Parameters
    ----------
    quick : bool, default=False
        Under a minute, with fewer seeds, points and depths, instead of a quarter of an hour.
    output : path, optional
        Folder to write the report to, as JSON, Markdown and HTML.
    progress : callable, optional
        Is told in a line what is going on.
    checks : sequence of str, optional
        Keys of the checks to run; all by default.

    Returns
    -------
    Report
        Outcomes of the checks in their order, and what they were made with.

    Raises
    ------
    ValueError
        If there is no check of a given key.

    References
    ----------
    .. [1] A. Radhakrishnan, M. Belkin, C. Uhler, "Wide and deep neural networks achieve optimality
       for classification", arXiv 2204.14126.

    Examples
    --------
    >>> from deeplimit.reproduce import run
    >>> report = run(quick=True, checks=["designs"])
    >>> report.passed, [o.verdict for o in report.outcomes]
    (True, ['pass'])
    """
    keys = [check.key for check in CHECKS]
    wanted = keys if checks is None else list(checks)
    if unknown := set(wanted) - set(keys):
        raise ValueError(f"no check {sorted(unknown)[0]!r}; there are {', '.join(keys)}.")
    settings = Settings(quick=quick, progress=progress)
    outcomes = []
    begin = time.perf_counter()
    for check in CHECKS:
        if check.key not in wanted:
            continue
        settings.tell(f"{check.key}: {check.measures}")
        start = time.perf_counter()
        result = check.function(settings)
        outcomes.append(Outcome(check, result, time.perf_counter() - start))
        settings.tell(f"{check.key}: {outcomes[-1].verdict}; {result.figure}")
    report = Report(tuple(outcomes), quick, time.perf_counter() - begin, _environment(settings))
    if output is not None:
        report.write(output)
    return report


def markdown_table(table: Table) -> list[str]:
    """Write a table as lines of Markdown."""
    rows = [list(table.columns), ["---"] * len(table.columns), *table.texts()]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def _environment(settings: Settings) -> dict[str, str]:
    names = ("numpy", "scipy", "scikit-learn")
    return {
        "deeplimit": __version__,
        "Python": platform.python_version(),
        **{name: version(name) for name in names},
        "threads": str(settings.n_jobs),
    }


def _plain(value: Any) -> Any:
    """Turn containers and numbers into what strict JSON can hold."""
    if hasattr(value, "items"):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
