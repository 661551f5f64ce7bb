"""The command ``report``: a model's card, on the terminal, as a page or in Markdown."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deeplimit.cli.console import UsageError, columns, say

__all__ = ["add_to", "report"]

_EXAMPLES = """\
The card says what the model is made of, how good it is on examples left out,
whether its probabilities hold, where it is weak, and what is odd about its
data. Examples are named by their places among the rows that fit was given, from
0. A page is one file that needs nothing else.

examples:
  deeplimit report flowers.safetensors
  deeplimit report flowers.safetensors -o flowers.html
"""

_ENDINGS = (".html", ".htm", ".md", ".txt")


def add_to(add: Callable[..., Any]) -> None:
    """Add the command to the parser."""
    made = add("report", report, "write the card of a model: quality, weak spots, data", _EXAMPLES)
    made.add_argument("model", type=Path, metavar="MODEL", help="file that fit wrote")
    made.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="page (.html), Markdown (.md) or text (.txt) to write (default: to the terminal)",
    )
    made.add_argument("--force", action="store_true", help="replace OUT if it exists")


def report(options: argparse.Namespace) -> int:
    """Write the card of a model."""
    # The numerical libraries are loaded here and not for --help.
    from deeplimit.cli.model_files import open_model, refuse_to_overwrite

    output: Path | None = options.output
    if output is not None:
        if output.suffix.lower() not in _ENDINGS:
            raise UsageError(f"{output.name!r} ends in none of {', '.join(_ENDINGS)}")
        refuse_to_overwrite(output, options.force, options.model)
    classifier = open_model(options.model).classifier
    if not hasattr(classifier, "report"):
        raise ValueError(f"a {type(classifier).__name__} has no card.")
    card = classifier.report()
    if output is None:
        say(card.document.to_text(columns()))
        return 0
    if output.suffix.lower() in (".html", ".htm"):
        text = card.to_html()
    else:
        text = card.to_markdown() if output.suffix.lower() == ".md" else f"{card}\n"
    output.write_text(text, encoding="utf-8")
    say(f"card written to {output}")
    return 0
