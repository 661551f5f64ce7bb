"""The built documentation in a browser: as wide as the window, readable by ear, asking nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from documentation.reading import pages_of
from playground.chromium import Browser, Page

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
WIDE = "document.documentElement.scrollWidth"
LOADED = "document.readyState === 'complete'"
READ = [
    "index",
    "how_it_works",
    "theory",
    "tables",
    "choosing",
    "comparison",
    "limits",
    "api",
    "generated/gallery/index",
    "generated/gallery/plot_three_fates",
    "generated/api/deeplimit.DeepLimitClassifier",
]


@pytest.fixture
def open_page(site: Path, browser: Browser) -> Iterator[Open]:
    """Open pages, and hold each to this: no complaint, and nothing asked of anybody else."""
    opened: list[Page] = []

    def open_it(name: str, **settings: int) -> Page:
        page = browser.page((site / f"{name}.html").as_uri(), **settings)
        opened.append(page)
        page.until(LOADED)
        return page

    yield open_it
    for page in opened:
        assert page.complaints() == []
        asked = page.requests()
        assert asked
        assert [u for u in asked if not u.startswith((site.as_uri(), "data:"))] == []
        page.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_the_window(site: Path, browser: Browser, width: int) -> None:
    too_wide = []
    page = browser.page("about:blank", width=width)
    for path in pages_of(site):
        page.send("Page.navigate", url=path.as_uri())
        page.until(f"location.href.startsWith({path.as_uri()!r}) && {LOADED}")
        if page.value(WIDE) > width:
            too_wide.append(path.relative_to(site).as_posix())
    page.close()
    assert too_wide == []


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False)])
@pytest.mark.parametrize("name", READ)
def test_axe_finds_nothing(open_page: Open, name: str, width: int, dark: bool) -> None:
    page = open_page(name, width=width, dark=dark)
    page.value((files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8") + "; 0")
    script = (
        "axe.run({resultTypes: ['violations']}).then((r) => JSON.stringify(r.violations.map("
        "(v) => [v.id, v.nodes.map((n) => n.target.join(' '))])))"
    )
    assert page.value(script) == "[]"
    assert page.value(WIDE) <= width


def test_colours_follow_the_screen(open_page: Open) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    assert open_page("index", dark=True).value(colour) != open_page("index").value(colour)


def test_boxes_that_scroll_take_the_keyboard(open_page: Open) -> None:
    page = open_page("tables", width=360)
    boxes = "[...document.querySelectorAll('.table-wrapper')]"
    assert page.value(f"{boxes}.filter((b) => b.scrollWidth > b.clientWidth).length") > 0
    assert page.value(
        f"{boxes}.every((b) => (b.scrollWidth > b.clientWidth) === (b.tabIndex === 0))"
    )
