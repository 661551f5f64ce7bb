"""The built documentation: whole, without a dead link, and without help from elsewhere."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import deeplimit
from documentation.conftest import build
from documentation.reading import pages_of, read_page
from test_public_api import NAMES, is_documentable, resolve

ELSEWHERE = re.compile(r"^([a-z]+:)?//|^(https?|ftp|wss?):", re.IGNORECASE)
MAIN = [
    "index",
    "choosing",
    "tables",
    "embeddings",
    "report",
    "engines",
    "papers",
    "how_it_works",
    "theory",
    "abstract",
    "comparison",
    "limits",
    "playground",
    "api",
    "architecture",
    "generated/gallery/index",
]


def target_of(identifier: str) -> object:
    """Give what an identifier of the reference names: an attribute before a module."""
    found: object = deeplimit
    path = deeplimit.__name__
    for name in identifier.split(".")[1:]:
        path += f".{name}"
        found = getattr(found, name, None) or importlib.import_module(path)
    return found


def documented(site: Path) -> dict[str, object]:
    """List what the reference has an entry for."""
    identifiers = {
        identifier
        for page in (site / "generated" / "api").glob("*.html")
        for identifier in read_page(page).ids
        if re.fullmatch(r"deeplimit(\.\w+)+", identifier)
    }
    return {identifier: target_of(identifier) for identifier in sorted(identifiers)}


def test_pages_are_there(site: Path) -> None:
    assert [name for name in MAIN if not (site / f"{name}.html").is_file()] == []


def test_no_link_is_dead(site: Path) -> None:
    dead, followed = [], 0
    for page in pages_of(site):
        for link in read_page(page).links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            followed += 1
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            anchored = parts.fragment and target.suffix == ".html" and target.is_file()
            if not target.is_file() or (
                anchored and unquote(parts.fragment) not in read_page(target).ids
            ):
                dead.append(f"{page.relative_to(site)} -> {link}")
    assert dead == []
    assert followed > 1000


def test_links_elsewhere_are_safe_to_follow(site: Path) -> None:
    outward = {link for page in pages_of(site) for link in read_page(page).links if ":" in link}
    assert {link for link in outward if re.match(r"(?!https://|mailto:)[a-z]+:", link)} == set()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in pages_of(site):
        read = read_page(page)
        assert [address for address in read.loads if ELSEWHERE.match(address)] == [], page.name
        assert "http" not in read.styles
        for address in read.loads:
            path = urlsplit(address).path
            if path and not address.startswith("data:"):
                assert (page.parent / unquote(path)).exists(), f"{page.name} loads {address}"
    for sheet in site.rglob("*.css"):
        text = sheet.read_text("utf-8")
        loaded = re.findall(r"url\(\s*[\"']?([^)\"']+)|@import\s+[\"']([^\"']+)", text)
        assert [found for pair in loaded for found in pair if ELSEWHERE.match(found)] == []


def test_every_public_name_has_an_entry(site: Path) -> None:
    entries = {id(thing) for thing in documented(site).values()}
    wanted = {path: resolve(path) for path in NAMES if is_documentable(resolve(path))}
    assert [path for path, thing in wanted.items() if id(thing) not in entries] == []


def test_every_public_method_has_an_entry(site: Path) -> None:
    entries = documented(site)
    missing = []
    for identifier, thing in entries.items():
        if not inspect.isclass(thing):
            continue
        for name, member in inspect.getmembers(thing, inspect.isroutine):
            own = (getattr(member, "__module__", None) or "").startswith("deeplimit")
            if own and not name.startswith(("_", "get_", "set_")):
                missing += [f"{identifier}.{name}"] * (f"{identifier}.{name}" not in entries)
    assert missing == []


def test_formulas_are_set(site: Path) -> None:
    formulas = 0
    for page in pages_of(site):
        read = read_page(page)
        formulas += read.tags.count("math")
        left = re.findall(r"\$\$?[^$\n]*\\[a-z]+|\\\(|\\(?:frac|sum|xi|ln|phi|alpha)\b", read.words)
        assert left == [], f"{page.name} shows TeX"
    assert read_page(site / "theory.html").tags.count("math") > 200
    assert formulas > 300


@pytest.mark.parametrize("formula", [r"\nosuchmacro", r"\frac12", r"\sqrt{2"])
def test_a_formula_that_is_not_understood_ends_the_build(
    root: Path, tmp_path: Path, formula: str
) -> None:
    source = tmp_path / "docs"
    source.mkdir()
    (source / "index.md").write_text(f"# Title\n\nA formula ${formula}$.\n")
    (source / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(root / 'docs' / '_ext')!r})\n"
        "extensions = ['myst_parser', 'mathml']\nmyst_enable_extensions = ['dollarmath']\n"
        "html_math_renderer = 'mathml'\n"
        "def setup(app): app.add_config_value('plot_gallery', True, 'html')\n"
    )
    answer = build(source, tmp_path / "pages")
    assert answer.returncode != 0
    assert "in the formula " + formula in answer.stderr
    assert "index.md:3" in answer.stderr
