"""One server and one browser for all tests of the playground."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from deeplimit.playground.server import Playground, make_server
from playground.chromium import Browser


@pytest.fixture(scope="session")
def served() -> Iterator[str]:
    """Serve the playground; give its address, ending in a slash."""
    with make_server(playground=Playground()) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start a browser."""
    with Browser() as made:
        yield made
