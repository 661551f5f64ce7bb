"""Ways to look at a page in the browser, for the tests by topic."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files

import numpy as np
import pytest

from playground.chromium import Page

Open = Callable[..., Page]


def settle(page: Page, script: str) -> None:
    """Do something, and wait for the picture that follows."""
    before = page.value("document.body.dataset.frames")
    page.value(f"({script}, 0)")
    page.until(f"document.body.dataset.frames !== {json.dumps(before)}")


def data_of(page: Page) -> tuple[np.ndarray, np.ndarray]:
    X = page.value("[...playground.data().X]")
    return np.array(X).reshape(-1, 2), np.array(page.value("[...playground.data().y]"))


def text_of(page: Page, selector: str) -> str:
    text: str = page.value(f"document.querySelector({json.dumps(selector)}).textContent")
    return text.replace("−", "-").replace("\u00a0", " ")


def choose(page: Page, name: str, value: str) -> None:
    """Choose in a list, as a click would."""
    page.value(
        f"(() => {{ const s = document.getElementById({json.dumps(name)}); "
        f"s.value = {json.dumps(value)}; s.dispatchEvent(new Event('change')); }})()"
    )


def map_box(page: Page) -> list[float]:
    """Scroll the map into view; give its left, top, width and height."""
    box: list[float] = page.value(
        "(() => { const m = document.getElementById('map'); m.scrollIntoView({block: 'center'}); "
        "const b = m.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()"
    )
    return box


def focus_on(page: Page, name: str) -> None:
    """Reach a control by the tab key alone."""
    for _ in range(120):
        if page.value("document.activeElement?.id") == name:
            return
        page.press("Tab")
    pytest.fail(f"no way to {name} by the tab key")


def axe() -> str:
    """Give axe-core, which looks for what keeps people out."""
    try:
        return (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    except ModuleNotFoundError:
        pytest.fail("axe-core-python is not installed: it belongs to the extra test")


def violations(page: Page) -> str:
    page.value(axe() + "; 0")
    script = (
        "axe.run({resultTypes: ['violations']}).then((r) => JSON.stringify(r.violations.map("
        "(v) => [v.id, v.nodes.map((n) => n.target.join(' '))])))"
    )
    return str(page.value(script))
