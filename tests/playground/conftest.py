"""One server and one browser for all tests of the playground."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from deeplimit.playground.server import Playground, make_server
from playground.browsing import Open
from playground.chromium import Browser, Page


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


@pytest.fixture
def open_page(served: str, browser: Browser) -> Iterator[Open]:
    """Open pages, and hold each to this: no complaint, and nothing asked of anybody else."""
    opened: list[Page] = []

    def open_it(path: str = "index.html", **settings: Any) -> Page:
        page = browser.page(served + path, **settings)
        opened.append(page)
        page.until("document.body && (document.body.dataset.frames || document.body.dataset.ready)")
        return page

    yield open_it
    for page in opened:
        assert page.complaints() == []
        asked = page.requests()
        assert asked
        assert [u for u in asked if not u.startswith((served, "blob:" + served, "data:"))] == []
        page.close()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Try what fails in the browser once more: on a busy machine it may miss a key or a click.

    What is wrong with the page is wrong the second time, too.
    """
    if item.get_closest_marker("browser") is None:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed for report in reports):
        item._initrequest()  # type: ignore[attr-defined]
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
