"""The command ``playground``: a page that shows what depth does."""

from __future__ import annotations

import argparse
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deeplimit.cli.console import UsageError, progress, say

__all__ = ["add_to", "playground"]

_EXAMPLES = """\
The page is served from this machine to this machine alone; Ctrl-C ends it. An
export is a folder that any web server can host; what needs Python (formulas,
tables and papers of your own) says so there. A library of papers is one that
deeplimit papers read made; what is liked on the page is kept in it.

examples:
  deeplimit playground
  deeplimit playground --port 8899 --no-browser
  deeplimit playground --export site
  deeplimit playground --papers papers.sqlite
"""


def add_to(add: Callable[..., Any]) -> None:
    """Add the command to the parser."""
    made = add("playground", playground, "turn depth from 1 to infinity in a browser", _EXAMPLES)
    made.add_argument(
        "--port", type=_port, default=None, metavar="N", help="port (default: a free one)"
    )
    made.add_argument("--no-browser", action="store_true", help="open no browser")
    made.add_argument("--papers", type=Path, metavar="FILE", help="a library of papers to show")
    made.add_argument("--export", type=Path, metavar="DIR", help="write the page into a folder")


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 1 to 65535")
    return port


def playground(options: argparse.Namespace) -> int:
    """Serve the page, or write it into a folder."""
    if options.export is not None:
        if options.port is not None:
            raise UsageError("--export serves nothing, and takes no --port")
        if options.papers is not None:
            raise UsageError("an export holds no library, and takes no --papers")
        from deeplimit.playground.export import export

        count = export(options.export, progress)
        say(f"{count} files written to {options.export}; any web server can host them.")
        return 0
    from deeplimit.playground.server import Playground, make_server

    shown = options.papers
    with make_server(options.port or 0, Playground(shown)) as server:
        # The page's address, and all there is to see on the terminal.
        page = "" if shown is None else "papers.html"
        address = f"http://127.0.0.1:{server.server_port}/{page}"
        say(f"The playground is at {address} (Ctrl-C ends it).")
        if not options.no_browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say()
    return 0
