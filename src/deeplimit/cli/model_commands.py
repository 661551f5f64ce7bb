"""The commands about data: ``fit``, ``predict``, ``explain`` and ``forget``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deeplimit.cli.console import UsageError

__all__ = ["add_to"]

_FIT_EXAMPLES = """\
DATA is CSV, TSV, Parquet, Arrow (Feather) or NPZ, known by its name. Columns of
text become categories, missing cells are filled and marked, numbers are scaled.
The rule is a pool of smoothers, weighed by what each says of rows left out:
"instant" tries two or three kinds of distance, "full" more of them, in some
three times as long. "paper" is the pure system, as it is with --activation,
--exponent or --projection: without --activation the singular kernel itself, its
exponent chosen by leave-one-out; "matched" is a network whose activation has
it.

examples:
  deeplimit fit flowers.csv --target species -o flowers.safetensors
  deeplimit fit flowers.csv --target species --id plant -o flowers.safetensors \\
      --class-weight balanced --force
  deeplimit fit flowers.csv --target species -o full.safetensors --speed full
  deeplimit fit flowers.csv --target species -o net.safetensors --activation erf
  deeplimit fit flowers.csv --target species -o two.safetensors --exponent 2
"""

_PREDICT_EXAMPLES = """\
DATA needs the columns the model was fitted on, by name; others are ignored. If
it has the target too, the accuracy is told.

examples:
  deeplimit predict flowers.safetensors flowers.csv
  deeplimit predict flowers.safetensors flowers.csv --proba -o answers.csv
"""

_EXPLAIN_EXAMPLES = """\
A decision of this classifier is a sum over the examples it was fitted on. A
share is an example's part of that sum, the shares of a class add up to its
score, and the class of the largest score is the answer. The probabilities
follow from the scores: those of a pool by a power, those of a pure rule are the
scores. In a pool a share may be negative: it speaks against its class.
With --flip examples are named without which the decision would be another, all
settings staying as they are: of a pure rule the smallest set, of a pool the
first of the order of their shares, as many as it takes.

A row that the model holds speaks for itself, and by a pure rule decides alone:
ask about others.

examples:
  deeplimit explain flowers.safetensors new.csv
  deeplimit explain flowers.safetensors new.csv --rows 0,3,10-12 --top 3
  deeplimit explain two.safetensors new.csv --flip
"""

_FORGET_EXAMPLES = """\
ID is what explain calls an example: its entry in the column that --id named at
fit, or its row. The model becomes what it would be without these examples, to
the last bit. A pool is fitted anew to the rows that remain, at the next
question. A pure rule keeps what fit chose from the data, an exponent, and the
encoding of cells: the fingerprint printed is that of a classifier fitted to the
other rows as this model encodes them, with this exponent.

examples:
  deeplimit forget flowers.safetensors P007
  deeplimit forget flowers.safetensors P010 P011 -o without.safetensors
"""


def add_to(add: Callable[..., Any]) -> None:
    """Add the commands of this module to the parser."""
    fit = add(
        "fit", _run("fit"), "fit a classifier to a table and write it to a file", _FIT_EXAMPLES
    )
    fit.add_argument("data", type=Path, metavar="DATA", help="table to learn from")
    fit.add_argument("--target", metavar="COL", help="column to predict (NPZ: y)")
    fit.add_argument(
        "-o", "--output", type=Path, required=True, metavar="MODEL", help="file to write"
    )
    fit.add_argument(
        "--speed",
        choices=("auto", "instant", "full", "paper"),
        default="auto",
        help="how much is tried (default: auto, which is instant)",
    )
    fit.add_argument(
        "--time-limit",
        type=_seconds,
        metavar="S",
        help="seconds after which nothing more is tried for the pool",
    )
    fit.add_argument("--verbose", action="store_true", help="tell what has been tried")
    fit.add_argument("--activation", metavar="A", help="name, formula, or 'matched'")
    fit.add_argument(
        "--exponent", type=_exponent, metavar="E", help="a number, 'auto' (default) or 'dimension'"
    )
    fit.add_argument("--id", metavar="COL", help="column that names the rows, not a feature")
    fit.add_argument("--class-weight", choices=("balanced",), help="weigh all classes alike")
    fit.add_argument(
        "--projection",
        choices=("auto", "hemisphere", "stereographic", "normalize", "none", "euclidean"),
        default="auto",
        help="how rows get onto the sphere (default: auto)",
    )
    fit.add_argument(
        "--kind",
        type=_kind,
        action="append",
        default=[],
        metavar="COL=KIND",
        help="numeric, categorical, boolean, date or duration, if not as it looks; repeatable",
    )
    fit.add_argument(
        "--drop-missing-target", action="store_true", help="leave out rows without a target"
    )
    _add_header(fit)
    fit.add_argument("--force", action="store_true", help="replace MODEL if it exists")
    fit.add_argument("--json", action="store_true", help="print JSON")

    predict = add(
        "predict", _run("predict"), "predict the classes of a table's rows", _PREDICT_EXAMPLES
    )
    _add_model_and_data(predict)
    predict.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="CSV to write (default: to the terminal)"
    )
    predict.add_argument("--proba", action="store_true", help="add the probability of each class")
    predict.add_argument("--force", action="store_true", help="replace OUT if it exists")
    predict.add_argument("--json", action="store_true", help="print JSON")

    explain = add(
        "explain",
        _run("explain"),
        "tell which examples decide a row, and by how much",
        _EXPLAIN_EXAMPLES,
    )
    _add_model_and_data(explain)
    explain.add_argument(
        "--top", type=_count, default=5, metavar="K", help="examples to name for each (default: 5)"
    )
    explain.add_argument(
        "--rows",
        type=_rows,
        metavar="LIST",
        help="rows from 0, as 0,3,10-12 (default: first three)",
    )
    explain.add_argument(
        "--flip", action="store_true", help="tell without which examples it would be otherwise"
    )
    explain.add_argument("--json", action="store_true", help="print JSON")

    forget = add(
        "forget", _run("forget"), "take examples out of a model, exactly", _FORGET_EXAMPLES
    )
    forget.add_argument("model", type=Path, metavar="MODEL", help="file that fit wrote")
    forget.add_argument("ids", nargs="+", metavar="ID", help="examples to forget")
    forget.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="file to write (default: MODEL itself)"
    )
    forget.add_argument("--force", action="store_true", help="replace OUT if it exists")
    forget.add_argument("--json", action="store_true", help="print JSON")


def _add_header(parser: Any) -> None:
    parser.add_argument(
        "--header", choices=("yes", "no"), help="whether a text file begins with column names"
    )


def _add_model_and_data(parser: Any) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help="file that fit wrote")
    parser.add_argument("data", type=Path, metavar="DATA", help="table of rows")
    _add_header(parser)


def _run(command: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        # The numerical libraries are loaded here and not for --help.
        from deeplimit.cli import forgetting, modelling

        if command == "fit":
            _check_fit(options)
        module = forgetting if command == "forget" else modelling
        code: int = getattr(module, command)(options)
        return code

    return run


def _check_fit(options: argparse.Namespace) -> None:
    pure = [name for name in ("activation", "exponent") if getattr(options, name) is not None]
    if options.projection != "auto":
        pure.append("projection")
    if pure and options.speed in ("instant", "full"):
        raise UsageError(
            f"--{pure[0]} belongs to the pure system: not with --speed {options.speed}"
        )
    if options.time_limit is not None and (pure or options.speed == "paper"):
        raise UsageError("--time-limit is for a pool: a pure rule tries nothing")
    if options.exponent is not None and options.activation not in (None, "matched"):
        raise UsageError("an activation has an exponent of its own: not with --exponent")
    if options.projection == "euclidean" and options.activation is not None:
        raise UsageError("a network lives on the sphere: no --projection euclidean")


def _exponent(text: str) -> str | float:
    if text in ("auto", "dimension"):
        return text
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number, 'auto' or 'dimension'")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number of seconds")
    return value


def _kind(text: str) -> tuple[str, str]:
    name, found, kind = text.rpartition("=")
    if not found or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not COL=KIND")
    return name, kind


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)


def _rows(text: str) -> list[range]:
    """Read ``0,3,10-12``."""
    found = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        ends = (first, last if dash else first)
        if not all(end.isascii() and end.isdigit() for end in ends):
            raise argparse.ArgumentTypeError(f"{text!r} is no list of rows such as 0,3,10-12")
        rows = range(int(ends[0]), int(ends[1]) + 1)
        if not rows:
            raise argparse.ArgumentTypeError(f"{part!r} ends before it begins")
        found.append(rows)
    return found
