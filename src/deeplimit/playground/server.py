"""The playground's server: on this machine alone, a fixed set of files and a few questions."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deeplimit.playground.answers import own_profile
from deeplimit.playground.export import as_json, index, profile_of, static_files
from deeplimit.playground.named import NAMED
from deeplimit.playground.papers import Shelf
from deeplimit.playground.reports import Reports, table_columns

__all__ = ["POLICY", "Playground", "make_server"]

#: What the page may do: its own scripts, styles and answers, and nothing else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "json": "application/json",
}
_LARGEST, _SECONDS = 3_000_000, 30.0

Answer = Callable[[Mapping[str, Any]], dict[str, Any]]


class Playground:
    """What the server serves: files by name, profiles made when first asked for, and answers.

    Parameters
    ----------
    papers : path-like, optional
        A library of papers, for the page of papers.

    Raises
    ------
    ValueError
        If there is no such library, or no paper in it.
    """

    def __init__(self, papers: Path | str | None = None) -> None:
        self.files = static_files()
        self._named = {named.key: named for named in NAMED}
        self._profiles: dict[str, bytes] = {}
        reports = Reports()
        self.answers: dict[str, Answer] = {
            "profile": own_profile,
            "columns": table_columns,
            "table": reports.fit,
            "row": reports.row,
        }
        self._has_papers = papers is not None
        if papers is not None:
            self.answers.update(Shelf(papers).answers)
        # One thing at a time: answers use all there is of the processor, and share what they hold.
        self._working = threading.Lock()

    @cached_property
    def _index(self) -> bytes:
        return as_json(index(python=True, papers=self._has_papers))

    def page(self, path: str) -> tuple[bytes, str] | None:
        """Give a file of the page and its type.

        Parameters
        ----------
        path : str
            Of the address, beginning with a slash.

        Returns
        -------
        (bytes, str) or None
            None if there is no such file.
        """
        name = path.removeprefix("/") or "index.html"
        if name in self.files:
            return self.files[name], _TYPES[name.rpartition(".")[2]]
        key = name.removeprefix("profiles/").removesuffix(".json")
        if name != f"profiles/{key}.json":
            return None
        with self._working:
            if key == "index":
                return self._index, _TYPES["json"]
            if key not in self._named:
                return None
            if key not in self._profiles:
                self._profiles[key] = as_json(profile_of(self._named[key]))
            return self._profiles[key], _TYPES["json"]

    def answer(self, name: str, question: Mapping[str, Any]) -> bytes:
        """Answer a question.

        Parameters
        ----------
        name : str
            Which kind.
        question : mapping
            The question.

        Returns
        -------
        bytes
            JSON.

        Raises
        ------
        ValueError
            If the question does not suit.
        """
        with self._working:
            return as_json(self.answers[name](question))


def make_server(port: int = 0, playground: Playground | None = None) -> ThreadingHTTPServer:
    """Make the server, bound to 127.0.0.1.

    Parameters
    ----------
    port : int, default=0
        Where it listens; 0 is any free one, and ``server.server_port`` says which.
    playground : Playground, optional
        What it serves.

    Returns
    -------
    http.server.ThreadingHTTPServer
        ``serve_forever`` starts it.

    Raises
    ------
    OSError
        If the port is taken.

    Examples
    --------
    >>> with make_server() as server:
    ...     server.server_address[0]
    '127.0.0.1'
    """
    served = playground or Playground()

    class Handler(_Handler):
        playground = served

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    return server


class _Refused(Exception):
    """A request that is not answered, with the status and a sentence."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    playground: Playground
    server_version, sys_version = "deeplimit", ""
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS
    # Head and body are written one after the other: the body is not to wait for the head's receipt.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal belongs to who started it."""

    def do_GET(self) -> None:
        """Send a file."""
        self._guarded(self._get)

    def do_HEAD(self) -> None:
        """Send what would be sent before a file."""
        self._guarded(self._get)

    def do_POST(self) -> None:
        """Answer a question."""
        self._guarded(self._post)

    def _guarded(self, act: Callable[[], tuple[bytes, str]]) -> None:
        try:
            self._check_host()
            body, kind = act()
        except _Refused as refused:
            self.close_connection = True
            self._send(refused.status, as_json({"error": str(refused)}), _TYPES["json"])
        except OSError:
            self.close_connection = True
        except Exception as error:
            # The page gets a sentence, as the command line does; nothing of the inside goes out.
            text = f"{type(error).__name__}: this is a fault of deeplimit."
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, as_json({"error": text}), _TYPES["json"])
        else:
            self._send(HTTPStatus.OK, body, kind)

    def _check_host(self) -> None:
        """Refuse what another site sends through a browser, whatever name it has given us."""
        port = self.connection.getsockname()[1]
        ours = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if host.lower() not in ours:
            raise _Refused(HTTPStatus.FORBIDDEN, "this server answers to 127.0.0.1 alone.")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise _Refused(HTTPStatus.FORBIDDEN, "this server answers to its own page alone.")

    def _get(self) -> tuple[bytes, str]:
        found = self.playground.page(urlsplit(self.path).path)
        if found is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "there is no such page.")
        return found

    def _post(self) -> tuple[bytes, str]:
        name = urlsplit(self.path).path.removeprefix("/api/")
        if name not in self.playground.answers or self.path != f"/api/{name}":
            raise _Refused(HTTPStatus.NOT_FOUND, "there is no such question.")
        # Other sites can send forms and plain text without asking, but no JSON.
        if self.headers.get_content_type() != "application/json":
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "questions are JSON.")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "a question says how long it is.")
        if len(length) > 12 or int(length) > _LARGEST:
            limit = f"{_LARGEST // 1_000_000} MB"
            raise _Refused(HTTPStatus(413), f"a question has at most {limit}.")
        body = self.rfile.read(int(length))
        try:
            question = json.loads(body)
        except (ValueError, RecursionError):
            raise _Refused(HTTPStatus.BAD_REQUEST, "the question is no JSON.") from None
        if not isinstance(question, dict):
            raise _Refused(HTTPStatus.BAD_REQUEST, "a question is an object.")
        try:
            return self.playground.answer(name, question), _TYPES["json"]
        except (ValueError, TypeError, ImportError) as error:
            # A sentence is an answer, too: a browser would log any other status as a fault.
            text = str(error).splitlines()[0] if str(error) else type(error).__name__
            return as_json({"error": text}), _TYPES["json"]

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        try:
            self.send_response(status)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        except OSError:  # who asked has gone
            self.close_connection = True
