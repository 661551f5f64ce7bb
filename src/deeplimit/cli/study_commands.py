"""The commands that show the system at work: ``demo`` and ``reproduce``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplimit.cli.console import columns, paragraph, print_json, progress, say

if TYPE_CHECKING:
    from deeplimit.reproduce import Report

__all__ = ["add_to"]

_DEMO_EXAMPLES = """\
Two data sets that come with scikit-learn; nothing is downloaded. Half a minute.

examples:
  deeplimit demo
  deeplimit demo -o pictures
"""

_REPRODUCE_EXAMPLES = """\
The exit code is 0 if every claim holds and 1 if one does not.

examples:
  deeplimit reproduce --quick
  deeplimit reproduce --quick -o report --json
"""


def add_to(add: Callable[..., Any]) -> None:
    """Add the commands of this module to the parser."""
    demo = add(
        "demo",
        _demo,
        "show it on real data: accuracy beside others', reasons, pictures",
        _DEMO_EXAMPLES,
    )
    demo.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("run"),
        metavar="DIR",
        help="folder (default: run)",
    )
    demo.add_argument("--json", action="store_true", help="print JSON")
    reproduce = add(
        "reproduce",
        _reproduce,
        "check the claims of arXiv 2204.14126 with figures and verdicts",
        _REPRODUCE_EXAMPLES,
    )
    reproduce.add_argument("--quick", action="store_true", help="smaller, in under a minute")
    reproduce.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder for the report")
    reproduce.add_argument("--json", action="store_true", help="print JSON")


def _demo(options: argparse.Namespace) -> int:
    os.environ.setdefault("MPLBACKEND", "Agg")
    # On data this small the threads of OpenMP cost more than they save, the more so where other
    # programs are at work: three times as long was seen.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from deeplimit.demo import run

    demonstration = run(options.output, progress=progress)
    if options.json:
        print_json(demonstration.to_dict())
    else:
        say(demonstration.to_text(columns()))
    return 0 if demonstration.passed else 1


def _reproduce(options: argparse.Namespace) -> int:
    os.environ.setdefault("MPLBACKEND", "Agg")
    from deeplimit.reproduce import run

    report = run(quick=options.quick, output=options.output, progress=progress)
    if options.json:
        print_json(report.to_dict())
    else:
        say(_verdicts(report))
        if options.output is not None:
            say(f"\nThe report, with all figures, is in {options.output}.")
    return 0 if report.passed else 1


def _verdicts(report: Report) -> str:
    lines = []
    for outcome in report.outcomes:
        check, result = outcome.check, outcome.result
        lines.append(paragraph(f"{outcome.verdict.upper()}: {check.sentence}", "", "  "))
        lines.append(paragraph(f"{result.figure[:1].upper()}{result.figure[1:]}.", "  "))
        lines += [paragraph(note, "  ") for note in result.notes if outcome.verdict != "pass"]
        lines.append("")
    lines.append(paragraph(f"{report.summary} It took {report.seconds:.0f} seconds."))
    return "\n".join(lines)
