"""The commands that show the system at work: ``demo`` and ``reproduce``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deeplimit.cli.console import print_json, progress, say

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
        "-o", "--output", type=Path, default=Path("run"), metavar="DIR", help="folder (default: run)"
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
    from deeplimit.demo import run

    demonstration = run(options.output, progress=progress)
    if options.json:
        print_json(demonstration.to_dict())
    else:
        say(demonstration.to_text())
    return 0


def _reproduce(options: argparse.Namespace) -> int:
    os.environ.setdefault("MPLBACKEND", "Agg")
    from deeplimit.reproduce import run

    report = run(quick=options.quick, output=options.output, progress=progress)
    if options.json:
        print_json(report.to_dict())
    else:
        say(report.to_markdown())
        if options.output is not None:
            say(f"\nreport written to {options.output}")
    return 0 if report.passed else 1
