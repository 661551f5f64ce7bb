"""The terminal: paragraphs, tables and JSON on standard output, the rest on standard error."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Mapping
from typing import Any

from deeplimit.documents import fold

__all__ = [
    "UsageError",
    "columns",
    "one_line",
    "paragraph",
    "print_json",
    "progress",
    "say",
    "tell",
]


class UsageError(Exception):
    """Options that do not go together: ends the command with code 2."""


def columns() -> int:
    """Give the width to write in: the terminal's, but at most 100 so that lines stay readable."""
    return max(40, min(100, shutil.get_terminal_size((80, 24)).columns))


def one_line(text: str) -> str:
    """Put text on one line."""
    return " ".join(text.split())


def say(text: str = "") -> None:
    """Print to standard output, with escapes for what its encoding does not have."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def tell(text: str) -> None:
    """Print a line about the run itself to standard error."""
    print(f"deeplimit: {text}", file=sys.stderr)


def progress(text: str) -> None:
    """Tell how a long run goes, where somebody watches: on a terminal only."""
    if sys.stderr.isatty():
        tell(text)


def paragraph(text: str, indent: str = "", hanging: str | None = None) -> str:
    """Fold text to the width of the terminal; see `deeplimit.documents.fold`."""
    return fold(text, columns(), indent, hanging)


def print_json(value: Any) -> None:
    """Print a value as JSON; infinite numbers become strings, NaN becomes null."""
    say(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if hasattr(value, "tolist"):  # an array or a scalar of NumPy, which need not be loaded here
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return value
