"""The command ``deeplimit``.

Nothing but the standard library is imported until a command needs more, so that ``--help`` and
``--version`` answer at once.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from deeplimit.cli.console import UsageError, one_line, tell
from deeplimit.cli.parser import build_parser

__all__ = ["main"]

#: What a shell gives for a command ended by SIGINT and by SIGPIPE.
_INTERRUPTED, _PIPE_CLOSED = 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command ``deeplimit``.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments without the program's name; by default those of the process.

    Returns
    -------
    int
        0 if all went well; 1 after an error, which is one line on standard error; 2 for wrong
        usage; 130 if interrupted; 141 if the reader of standard output went away.

    Examples
    --------
    >>> from deeplimit.cli import main
    >>> main(["inspect", "h3", "--depth", "2"])
    h3: nearest neighbour
    ...
    0
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        tell("interrupted")
        return _INTERRUPTED
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = build_parser().parse_args(arguments)
    except SystemExit as ending:  # argparse ends the process after --help and wrong usage
        return ending.code if isinstance(ending.code, int) else 2
    try:
        return int(options.run(options))
    except BrokenPipeError:
        raise
    except UsageError as error:
        tell(f"{error} (see deeplimit {options.command} --help)")
        return 2
    except Exception as error:
        # A user gets a sentence; who mends the program asks for the whole story.
        if os.environ.get("DEEPLIMIT_TRACEBACK"):
            raise
        tell(f"error: {_sentence(error)}")
        return 1


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.strerror}: {os.fspath(error.filename)!r}"
    text = one_line(_without_excerpt(str(error)))
    if isinstance(error, MemoryError):
        return f"not enough memory. {text}".rstrip()
    if text and isinstance(error, ValueError | TypeError | ImportError | OSError):
        return text
    return (
        f"{type(error).__name__}: {text}. This is a fault of deeplimit; DEEPLIMIT_TRACEBACK=1 in "
        "the environment shows where."
    )


def _without_excerpt(text: str) -> str:
    """Leave out the excerpt of a formula and the line with a caret below it."""
    kept: list[str] = []
    for line in text.splitlines():
        if line.lstrip().startswith("^") and kept:
            kept[-1] = line.lstrip()[1:]
        else:
            kept.append(line)
    return "\n".join(kept)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    tell(f"warning: {one_line(str(message))}")


def _silence_stdout() -> None:
    # What is left in the buffer would raise once more when the interpreter closes it.
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, sys.stdout.fileno())
    except (OSError, ValueError):  # no real file, in a test
        pass
    finally:
        os.close(null)
