"""The pages themselves: addresses, access for all, a table of one's own, the export."""

from __future__ import annotations

import json
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.playground import export as exporting
from deeplimit.playground.named import NAMED
from playground.browsing import Open, settle, text_of, violations
from playground.chromium import Browser

pytestmark = pytest.mark.browser
BY_KEY = {named.key: named for named in NAMED}


def test_the_address_holds_what_is_set(open_page: Open) -> None:
    page = open_page("index.html")
    settle(page, "playground.set({a: 'erf', depth: 6, source: 'spiral', count: 77, seed: 4, "
                 "prior: 0.4, blur: 0.05, q: [0.1, -0.2], bayes: true})")  # fmt: skip
    page.until("location.hash.includes('erf') && location.hash.includes('spiral')")
    again = open_page(page.value("'index.html' + location.hash"))
    names = ["a", "depth", "source", "count", "seed", "prior", "blur", "q", "bayes"]
    script = f"JSON.stringify({json.dumps(names)}.map((n) => playground.state[n]))"
    assert again.value(script) == page.value(script)
    assert again.value("[...playground.data().X]") == page.value("[...playground.data().X]")


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("a=../../x&depth=-3&count=9e9&q=a_b", "a, depth, count, q"),
        ("forgotten=..&points=<b>", "forgotten, points"), ("%", "%"),
        ("ridge=NaN&kind=x&source=y", "kind, ridge, source"),
    ],
)  # fmt: skip
def test_an_address_of_nonsense_is_as_usual(open_page: Open, address: str, names: str) -> None:
    page = open_page(f"index.html#{address}")
    assert page.value("playground.data().y.length") >= 4
    assert text_of(page, "#notice").endswith(f"is as usual: {names}.")
    page.value("location.hash = '#count=50', 0")
    page.until("document.getElementById('notice').hidden")


def test_a_number_out_of_range_is_told(open_page: Open) -> None:
    page = open_page("index.html")
    page.value("document.getElementById('count').value = 100000, 0")
    page.value("document.getElementById('count').dispatchEvent(new Event('change')), 0")
    page.until("playground.data().y.length === 600")
    assert "From 4 to 600, whole: 600 was taken." in text_of(page, "#count-note")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(open_page: Open, width: int, dark: bool) -> None:
    # A pin, examples that were forgotten, a part of the address that makes no sense: all is there.
    address = "a=relu&depth=3&q=0.4_0.2&pin=1&forgotten=3.5&nonsense=1"
    page = open_page(f"index.html#{address}", width=width, dark=dark)
    page.value("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.click("#own-hermite")
    assert violations(page) == "[]"
    assert page.value("document.documentElement.scrollWidth") <= width
    page.value("playground.set({source: 'own'}), 0")
    page.until("!document.getElementById('own').hidden")
    assert violations(page) == "[]"


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False)])
def test_a_table_of_ones_own(open_page: Open, tmp_path: Path, width: int, dark: bool) -> None:
    rng = np.random.default_rng(8)
    rows = [
        f"{rng.normal(2 * k):.3f},{rng.normal():.3f},{rng.choice(list('xyz'))},{('no', 'yes')[k]}"
        for k in [0, 1] * 40
    ]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["a,b,<b>word</b>,kind", *rows]))
    page = open_page("data.html", width=width, dark=dark)
    page.give_file("#file", path)
    page.until("!document.getElementById('choose').hidden")
    assert page.value("document.getElementById('target').value") == "kind"
    page.until("document.activeElement.id === 'fit'")
    page.press("Enter")
    page.until("!document.getElementById('report').hidden")
    data = dl.read_table(path, target="kind")
    clf = dl.DeepLimitClassifier().fit(data.features, data.target)
    said = clf.leave_one_out()
    shown = page.value("document.querySelector('#figures dd').firstChild.data")
    assert abs(float(shown) - said.accuracy) < 5e-5
    page.click("#doubted tbody button")
    page.until("document.querySelector('#one h3')")
    assert "What would flip it" in text_of(page, "#one")
    page.value("document.querySelector('#one details').open = true, 0")
    assert violations(page) == "[]"
    assert page.value("document.documentElement.scrollWidth") <= width
    line = int(page.value("document.getElementById('row').value"))
    row = line - 2
    assert path.read_text().splitlines()[line - 1].startswith(f"{data.features.iloc[row, 0]:.3f},")
    # What is no number is told at the field, and the answer that stands there is not taken for it.
    edit = "document.getElementById('cell-0').focus(), document.getElementById('cell-0').select()"
    page.value(edit)
    page.type("old")
    page.press("Enter")
    page.until("document.getElementById('cell-says').textContent.includes('“old” is none')")
    assert page.value("document.activeElement.id") == "cell-0"
    assert "if it were so" not in text_of(page, "#one h3")
    page.value(edit)
    page.type("-4")
    page.press("Enter")
    page.until("document.querySelector('#one h3').textContent.includes('if it were so')")
    frame = data.features.iloc[[row]].copy()
    frame.iloc[0, 0] = -4.0
    said = clf.predict_without(frame, [row])[0]
    assert text_of(page, "#one b") == said
    assert "Without its own vote it was" in text_of(page, "#one")
    page.click("#own-vote")
    page.until("document.querySelector('#one').textContent.includes('With its own vote')")
    # What it was stands beside what it would be, both with the row's own vote.
    shown = re.search(
        r"With its own vote it was (\w+), ([\d.]+) %; if it were so: (\w+), ([\d.]+) %",
        text_of(page, "#one"),
    )
    assert shown
    for asked, name, whole in (
        (data.features.iloc[[row]], shown[1], shown[2]),
        (frame, shown[3], shown[4]),
    ):
        p = clf.predict_proba(asked)[0]
        digits = len(whole.partition(".")[2])
        assert name == clf.classes_[p.argmax()]
        assert whole == f"{100 * p.max():.{digits}f}"


@pytest.mark.parametrize(("width", "heading"), [(360, "#one h3"), (1280, "#rows-title")])
def test_a_finding_leads_to_its_row(
    open_page: Open, tmp_path: Path, width: int, heading: str
) -> None:
    rng = np.random.default_rng(8)
    lines = ["a,kind"]
    lines += [
        f"{rng.normal(6 * (i % 2)):.3f},{('no', 'yes')[(i % 2) ^ (i == 66)]}" for i in range(150)
    ]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines))
    page = open_page("data.html", width=width)
    page.give_file("#file", path)
    page.until("!document.getElementById('choose').hidden")
    page.value("document.getElementById('fit').click(), 0")
    page.until("!document.getElementById('report').hidden")
    page.click("#findings button")
    page.until("document.querySelector('#one h3')")
    page.until(f"document.activeElement === document.querySelector('{heading}')")
    top = page.value(f"document.querySelector('{heading}').getBoundingClientRect().top")
    assert 0 <= top <= 40
    assert text_of(page, "#one h3") == "Line 68"
    # Both probabilities of the row are told apart.
    said = text_of(page, "#one")
    assert "the row taken out and all settings kept" in said
    data = dl.read_table(path, target="kind")
    left = dl.DeepLimitClassifier().fit(data.features, data.target).leave_one_out()
    p = left.probabilities[66]
    shown = re.search(r"fitted without it: this one as (\w+), ([\d.]+) %", said)
    assert shown
    assert shown[1] == ("no", "yes")[int(p.argmax())]
    assert shown[2] == f"{100 * p.max():.{len(shown[2].partition('.')[2])}f}"


@pytest.mark.parametrize(
    ("size", "words"), [(2_500_000, "“Your data” takes"), (5_700_000, "deeplimit fit takes more")]
)
def test_a_large_file_is_sent_where_it_fits(
    open_page: Open, tmp_path: Path, size: int, words: str
) -> None:
    path = tmp_path / "large.csv"
    path.write_text("1,2,a\n" * (size // 6))
    page = open_page("index.html")
    page.value("playground.set({source: 'own'}), 0")
    page.give_file("#csv", path)
    page.until("document.body.textContent.includes('larger than 2 MB')")
    said = page.value(
        "[...document.querySelectorAll('.wrong')].map((e) => e.textContent).join(' ')"
    )
    assert words in said
    assert ("Your data" in said) == (size < 2_800_000)


def test_rows_are_called_by_their_lines(open_page: Open, tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    lines = ["a,name,kind"]
    for i in range(150):
        k = (i % 2) ^ (i == 66)
        lines.append(f"{rng.normal(6 * (i % 2)):.3f},P{i:03d},{'' if i < 5 else ('no', 'yes')[k]}")
    lines.insert(20, "")
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines))
    page = open_page("data.html")
    page.give_file("#file", path)
    page.until("!document.getElementById('choose').hidden")
    page.value("document.getElementById('fit').click(), 0")
    page.until("!document.getElementById('report').hidden")
    wanted = lines.index(next(text for text in lines if ",P066," in text)) + 1
    assert "5 rows without a target were left out" in text_of(page, "#notes")
    assert text_of(page, "#findings li").startswith(f"Line {wanted} is labelled yes")
    assert text_of(page, "#doubted tbody button") == f"line {wanted}"
    page.click("#findings button")
    page.until("document.querySelector('#one h3')")
    assert text_of(page, "#one h3") == f"Line {wanted}"
    assert "P066" in text_of(page, "#one table")
    # It does not argue for its own label, nor is it offered another name.
    assert text_of(page, "#one b") == "no"
    assert "(itself)" not in text_of(page, "#one")
    fields = page.value("[...document.querySelectorAll('#what-if [name]')].map((e) => e.name)")
    assert fields == ["a"]
    page.value("document.querySelector('#one details').open = true, 0")
    page.click("#what-if [type=submit]")
    assert text_of(page, "#cell-says") == "Change a cell first."
    for line, words in (
        (1, "names of the columns"),
        (3, "Rows are on lines 7 to"),
        (21, "none of"),
    ):
        page.value(f"document.getElementById('row').value = {line}, 0")
        page.click("#show-row")
        page.until(f"document.getElementById('row-says').textContent.includes({words!r})")


def test_the_exported_page_says_what_needs_python(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "NAMED", [BY_KEY["design_2"], BY_KEY["relu"]])
    exporting.export(tmp_path / "site")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    handler = partial(Quiet, directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        page = browser.page(address + "index.html#a=relu&depth=2")
        page.until("document.body.dataset.frames")
        page.click("#own-formula")
        assert "deeplimit playground" in text_of(page, "#maker-note")
        assert page.value("document.querySelector('#formula-form button').disabled")
        assert page.complaints() == []
        page.close()
        page = browser.page(address + "data.html")
        page.until("document.body.dataset.ready")
        assert "deeplimit playground" in text_of(page, "#absent")
        assert page.value("!document.getElementById('absent').hidden")
        assert page.complaints() == []
        page.close()
        server.shutdown()


def test_motion_is_reduced_where_asked(open_page: Open) -> None:
    page = open_page("index.html", calm=True)
    page.click("#play")
    page.until("playground.state.depth === 1")
    assert page.value("document.getAnimations().length") == 0
    page.click("#play")
