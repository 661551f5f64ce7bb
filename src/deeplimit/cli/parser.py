"""The grammar of the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import deeplimit
from deeplimit.cli import (
    activation_commands,
    model_commands,
    papers_commands,
    playground_commands,
    reporting,
    study_commands,
)

__all__ = ["Parser", "build_parser"]

_ABOUT = """\
What a neural network becomes when it is infinitely wide and infinitely deep:
the regime of an activation, an activation for the dimension of your data, and
classifiers of tables that such networks are, with reasons for each decision.
"""

_EXAMPLES = """\
examples:
  deeplimit demo                      real data, in half a minute
  deeplimit inspect relu gelu         what do these become?
  deeplimit design --dimension 10     an activation that is consistent there
  deeplimit fit flowers.csv --target species -o flowers.safetensors
  deeplimit explain flowers.safetensors flowers.csv --rows 0
  deeplimit report flowers.safetensors
  deeplimit papers read monday.txt    papers: find, sort by interest, print
  deeplimit playground                see it in a browser

deeplimit COMMAND --help tells more, with examples.
"""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Examples as they are written, and room for the longest name of a command."""

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, max_help_position=26, **settings)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all errors of the command are."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", _Formatter)
        # An abbreviation that works today would mean something else after the next release.
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Write one line to standard error and end with code 2."""
        hint = f"see {self.prog} --help"
        if message.startswith("unrecognized arguments: -") and "(" in message:
            hint = "put -- in front of a formula that begins with a minus"
        print(f"{self.prog}: {' '.join(message.split())} ({hint})", file=sys.stderr)
        raise SystemExit(2)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command.

    Returns
    -------
    argparse.ArgumentParser
        What it parses has the attribute ``run``: a function from the options to an exit code.
    """
    parser = Parser(prog="deeplimit", description=_ABOUT, epilog=_EXAMPLES)
    parser.add_argument("--version", action="version", version=f"deeplimit {deeplimit.__version__}")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )

    def add(name: str, run: Callable[[argparse.Namespace], int], about: str, more: str) -> Any:
        made = commands.add_parser(name, help=about, description=f"{about}.", epilog=more)
        made.set_defaults(run=run, command=name)
        return made

    activation_commands.add_to(add)
    model_commands.add_to(add)
    reporting.add_to(add)
    study_commands.add_to(add)
    papers_commands.add_to(add)
    playground_commands.add_to(add)
    return parser
