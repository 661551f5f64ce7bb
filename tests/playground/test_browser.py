"""The pages as a browser shows them: numbers, keys, mouse, address, and nobody else's help."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.playground import export as exporting
from deeplimit.playground.named import NAMED
from playground.chromium import Browser, Failed, Page

pytestmark = pytest.mark.browser
BY_KEY = {named.key: named for named in NAMED}
Open = Callable[..., Page]


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


QUERIES = np.random.default_rng(5).uniform(-1.2, 1.8, (12, 2)).round(4)


def answers(page: Page) -> list[dict[str, Any]]:
    script = (
        f"{json.dumps(QUERIES.tolist())}.map(([x, y]) => {{ const a = playground.ask(x, y); "
        "return {winner: a.winner, shares: [...a.shares], output: a.output ? [...a.output] : null, "
        "votes: a.votes.slice(0, 5)}; })"
    )
    return list(page.value(script))


LIMITS = ("design_2", "design_5", "9d_opt", "erf", "relu", "gelu", "square", "h2", "h3", "sign")


@pytest.mark.parametrize("key", LIMITS)
def test_limits_are_the_librarys(open_page: Open, key: str) -> None:
    for share in (0.6, 0.5):
        page = open_page(f"index.html#a={key}&count=90&prior={share}&flip=0")
        X, y = data_of(page)
        clf = dl.DeepLimitClassifier(BY_KEY[key].make(), projection="hemisphere").fit(X, y)
        found = answers(page)
        np.testing.assert_allclose(
            [a["shares"] for a in found], clf.predict_proba(QUERIES), atol=1e-6
        )
        assert [a["winner"] for a in found] == clf.predict(QUERIES).tolist()
        if clf.kernel_.regime == "singular-kernel":
            parts = clf.contributions(QUERIES, top=5)
            assert [[v["i"] for v in a["votes"]] for a in found] == parts.indices.tolist()
            shares = [[v["share"] for v in a["votes"]] for a in found]
            np.testing.assert_allclose(shares, parts.shares, atol=1e-6)


@pytest.mark.parametrize(
    ("key", "depth", "kind", "ridge"),
    [
        ("design_2", 1, "ntk", 0.001), ("design_2", 12, "nngp", 0.001), ("relu", 3, "ntk", 0.001),
        ("relu", 64, "nngp", 0.1), ("gelu", 8, "ntk", 0.01), ("softplus", 5, "ntk", 0.001),
        ("h2", 3, "ntk", 0.001), ("h2", 12, "ntk", 0.001), ("sign", 4, "nngp", 1),
        ("design_10", 20, "ntk", 0.001),
    ],
)  # fmt: skip
def test_finite_depths_are_the_librarys(
    open_page: Open, key: str, depth: int, kind: str, ridge: float
) -> None:
    page = open_page(
        f"index.html#a={key}&depth={depth}&kind={kind}&ridge={ridge}&count=80&source=three"
    )
    assert page.value("playground.state.depth") == depth
    X, y = data_of(page)
    clf = dl.NetworkKernelClassifier(
        BY_KEY[key].make(), depth=depth, kind=kind, ridge=ridge, projection="hemisphere"
    ).fit(X, y)
    found = answers(page)
    output = np.array([a["output"] for a in found])
    np.testing.assert_allclose(output, clf.decision_function(QUERIES), atol=1e-6)
    assert [a["winner"] for a in found] == clf.predict(QUERIES).tolist()
    # Shares are those of the machine for uncentred indicators, cut off at 0; deep networks have
    # values beyond any number, and shares all the same.
    rows = clf.lift_.transform(clf._rows)
    own = clf.kernel_(rows, normalize=True)
    c = np.linalg.solve(own + ridge * np.eye(len(own)), np.eye(3)[y])
    s = np.sum((clf.lift_.transform(QUERIES)[:, None] - rows) ** 2, axis=2) / 2
    log, sign = clf.kernel_.log_and_sign_at_gap(s, normalize=True)
    gains = np.maximum((sign * np.exp(log - log.max(axis=1, keepdims=True))) @ c, 0)
    shares = np.array([a["shares"] for a in found])
    np.testing.assert_allclose(shares, gains / gains.sum(axis=1, keepdims=True), atol=1e-6)


def test_duplicates_and_hits(open_page: Open) -> None:
    points = "0.5_0.25_0!0.5_0.25_1!0.5_0.25_1!-1_0_0!0.2_-0.4_1!1_1_0"
    page = open_page(f"index.html#source=own&points={points}&q=0.5_0.25")
    X, y = data_of(page)
    assert len(X) == 6
    clf = dl.DeepLimitClassifier(dl.design(dimension=2), projection="hemisphere").fit(X, y)
    found = page.value("[...playground.ask(0.5, 0.25).shares]")
    np.testing.assert_allclose(found, clf.predict_proba([[0.5, 0.25]])[0], atol=1e-9)
    assert "exactly here" in text_of(page, "#reading")
    settle(page, "playground.set({depth: 4})")
    machine = dl.NetworkKernelClassifier(
        dl.design(dimension=2), depth=4, ridge=0.001, projection="hemisphere"
    ).fit(X, y)
    q = [[0.4, 0.2]]
    out = page.value("[...playground.ask(0.4, 0.2).output]")
    assert abs(out[1] - out[0] - machine.decision_function(q)[0]) < 1e-6


def test_what_stands_there_is_what_python_says(open_page: Open) -> None:
    page = open_page("index.html#q=0.31_0.12&count=100")
    X, y = data_of(page)
    clf = dl.DeepLimitClassifier(dl.design(dimension=2), projection="hemisphere").fit(X, y)
    p = clf.predict_proba([[0.31, 0.12]])[0]
    shown = page.value("[...document.querySelectorAll('[data-share]')].map(e => e.textContent)")
    np.testing.assert_allclose([float(s.split("\u00a0")[0]) / 100 for s in shown], p, atol=1e-6)
    settle(page, "playground.set({depth: 3})")
    machine = dl.NetworkKernelClassifier(
        dl.design(dimension=2), depth=3, ridge=0.001, projection="hemisphere"
    ).fit(X, y)
    value = machine.decision_function([[0.31, 0.12]])[0]
    assert abs(float(text_of(page, "#output")) - value) < 1e-6


@pytest.mark.parametrize(
    "address",
    [
        "q=0.31_0.12", "a=design_5&source=three&q=0.1_0.2", "a=relu&depth=3&q=0.5_0.2",
        "a=softplus&q=0.5_0.2&count=40", "a=relu_centred&depth=inf&q=0.5_0.2", "a=h2&q=0.9_0.1",
        "a=identity&q=0.5_0.2&depth=inf",
    ],
)  # fmt: skip
def test_copied_python_runs_and_agrees(open_page: Open, address: str) -> None:
    page = open_page(f"index.html#{address}&flip=0.1")
    code = page.value("document.getElementById('code').textContent")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = page.value(
        "(() => { const a = playground.ask(...playground.state.q); return {w: a.winner, "
        "s: [...a.shares], o: a.output ? [...a.output] : null}; })()"
    )
    line = next(text for text in run.stdout.splitlines() if text.startswith("class:"))
    numbers = [float(v) for v in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", line)]
    assert numbers[0] == found["w"]
    if "shares:" in line:
        wanted = found["s"]
    elif "scores:" in line:
        mean = sum(numbers[1:]) / len(numbers[1:])
        numbers[1:] = [v - mean for v in numbers[1:]]
        wanted = found["o"]
    else:
        wanted = found["o"] if len(found["o"]) > 2 else [found["o"][1] - found["o"][0]]
    np.testing.assert_allclose(numbers[1:], wanted, atol=1e-6)


def test_pictures_agree_with_the_numbers(open_page: Open) -> None:
    page = open_page("index.html#count=300")
    for key, depth in (
        ("design_2", "Infinity"), ("gelu", "Infinity"), ("h2", "Infinity"), ("relu", "5"),
        ("softplus", "Infinity"), ("h2", "10"), ("design_3", "1"),
    ):  # fmt: skip
        wrong = page.value(f"""(async () => {{
            const {{ band, prepare }} = await import("./frame.js");
            const {{ ask, fitModel }} = await import("./model.js");
            const source = await import("./source.js");
            const p = await source.profile("{key}");
            const set = {{depth: {depth}, kind: "ntk", ridge: 0.001}};
            const model = fitModel(p, playground.data(), set);
            const size = 60, view = {{x0: -1.7, x1: 2.7, y0: -1.95, y1: 2.45}};
            const {{ shares, winners }} = band(prepare(model), view, size, 0, size);
            let wrong = 0;
            for (let k = 0; k < size * size; k++) {{
                const x = view.x0 + ((k % size) + 0.5) / size * 4.4;
                const y = view.y1 - (Math.floor(k / size) + 0.5) / size * 4.4;
                const found = ask(model, x, y);
                const gap = Math.abs(found.shares[0] - found.shares[1]);
                if (winners[k] !== found.winner && gap > 0.02) wrong += 1;
                if (!found.exact && Math.abs(shares[2 * k] - found.shares[0]) > 0.05) wrong += 1;
            }}
            return wrong;
        }})()""")
        # Next to an example a share may jump between two pixels.
        assert wrong <= 60 * 60 * 0.01, (key, depth)


def focus_on(page: Page, name: str) -> None:
    """Reach a control by the tab key alone."""
    for _ in range(120):
        if page.value("document.activeElement?.id") == name:
            return
        page.press("Tab")
    pytest.fail(f"no way to {name} by the tab key")


def test_every_control_is_reached_by_key(open_page: Open) -> None:
    page = open_page("index.html")
    page.value("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    wanted = set(
        page.value(
            "[...document.querySelectorAll('a, button, input, select, summary, [tabindex]')]"
            ".filter((e) => !e.disabled && e.checkVisibility() && e.tabIndex >= 0)"
            ".map((e, k) => { e.dataset.k = k; return k; })"
        )
    )
    assert len(wanted) > 30
    seen: set[int] = set()
    for _ in range(len(wanted) + 5):
        page.press("Tab")
        k = page.value("document.activeElement?.dataset.k ?? null")
        if k is not None:
            seen.add(int(k))
    assert wanted <= seen


def test_task_an_activation_for_five_dimensions(open_page: Open) -> None:
    page = open_page("index.html#a=relu")
    # A busy browser sometimes does not hear the letter: then one chooses again, from the top.
    for _ in range(8):
        focus_on(page, "wanted")
        page.press("Home")
        page.press("5")
        with contextlib.suppress(Failed):
            page.until("playground.profile().key === 'design_5'", 10.0)
            break
    assert text_of(page, "#regime .name") == "Singular kernel"
    assert "In 5 dimensions that is consistent" in text_of(page, "#regime")


def test_task_relu_ends_in_the_majority(open_page: Open) -> None:
    page = open_page("index.html#a=relu&depth=2&flip=0")
    assert "2 hidden layers" in text_of(page, "#verdict")
    focus_on(page, "depth")
    page.press("End")
    page.until("document.getElementById('verdict').textContent.startsWith('Majority vote')")
    page.until("Math.abs(playground.ask(0, 0).shares[0] - 88 / 160) < 1e-9")
    assert page.value(
        "[[-1, 2], [2, -1], [0, 0], [1, 1]].every(([x, y]) => playground.ask(x, y).winner === 0)"
    )


def test_task_which_example_decides(open_page: Open) -> None:
    page = open_page("index.html")
    box = page.value(
        "(() => { const m = document.getElementById('map'); m.scrollIntoView({block: 'center'}); "
        "const b = m.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()"
    )
    page.point_at(box[0] + 0.3 * box[2], box[1] + 0.4 * box[3])
    page.until("playground.state.q && Math.abs(playground.state.q[0] + 0.38) < 0.05")
    page.until("document.querySelector('#votes tbody tr td').textContent.startsWith('#')")
    shown = page.value(
        "[...document.querySelectorAll('#votes tbody tr')].map((r) => r.cells[2].textContent)"
    )
    total = sum(float(s.replace("−", "-").split("\u00a0")[0]) for s in shown)
    assert abs(total - 100) < 0.1


def test_task_forget_and_bring_back(open_page: Open) -> None:
    page = open_page("index.html#q=0.5_0.25")
    first = text_of(page, "#votes tbody tr td")
    before = page.value("playground.data().y.length")
    focus_on(page, "map")
    page.press("Enter")
    page.until(f"playground.data().y.length === {before - 1}")
    page.until(f"document.querySelector('#votes tbody td').textContent !== {json.dumps(first)}")
    assert first in text_of(page, "#forgotten")
    X, y = data_of(page)
    clf = dl.DeepLimitClassifier(dl.design(dimension=2), projection="hemisphere").fit(X, y)
    page.until("playground.model().n === playground.data().y.length")
    found = page.value("[...playground.ask(0.5, 0.25).shares]")
    np.testing.assert_allclose(found, clf.predict_proba([[0.5, 0.25]])[0], atol=1e-6)
    page.click("#votes tbody button")
    page.until(f"playground.data().y.length === {before - 2}")
    page.click("#recall")
    page.until(f"playground.data().y.length === {before}")


def test_task_points_of_ones_own(open_page: Open) -> None:
    page = open_page("index.html")
    page.value("const s = document.getElementById('source'); s.value = 'own'; "
               "s.dispatchEvent(new Event('change')), 0")  # fmt: skip
    page.until("playground.data().y.length === 0")
    focus_on(page, "map")
    page.press("Enter")
    page.press("ArrowRight", times=8)
    page.press("Enter")
    page.until("playground.data().y.length === 2")
    page.click("#brush label:nth-child(2)")
    focus_on(page, "map")
    page.press("ArrowUp", times=6)
    page.press("Enter")
    page.until("playground.data().y.length === 3")
    box = page.value(
        "(() => { const b = document.getElementById('map').getBoundingClientRect(); "
        "return [b.left, b.top, b.width, b.height]; })()"
    )
    page.click_at(box[0] + 0.2 * box[2], box[1] + 0.2 * box[3])
    page.until("playground.data().y.length === 4")
    assert page.value("[...playground.data().y]") == [0, 0, 1, 1]
    # The address follows with some delay.
    page.until("location.hash.split('points=')[1]?.split('&')[0].split(/!|%21/).length === 4")
    again = open_page(page.value("'index.html' + location.hash"))
    assert again.value("[...playground.data().y]") == [0, 0, 1, 1]
    page.click("#clear")
    page.until("playground.data().y.length === 0")
    assert "no examples" in text_of(page, "#reading")


def test_task_load_a_csv(open_page: Open, tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    rng = np.random.default_rng(2)
    rows = [
        f"{rng.normal(k):.3f},word,{rng.normal(-k):.3f},{('no', 'yes')[k]}" for k in [0, 1] * 20
    ]
    path.write_text("\n".join(["a,b,c,kind", *rows]))
    page = open_page("index.html#source=own")
    page.give_file("#csv", path)
    page.until("playground.data().y.length === 40")
    assert "40 examples: a across, c up, class kind" in text_of(page, "#csv-note")
    assert text_of(page, "#legend") == "no (20)yes (20)"
    for bad, word in (
        ("a\n1\n", "columns"),
        ("a,b,c\n1,2,x\n1,x\n", "Line 3"),
        ("1,2,x\n3,4,x\n", "one value"),
    ):
        path.write_text(bad)
        page.give_file("#csv", path)
        page.until(f"document.getElementById('csv-note').textContent.includes({json.dumps(word)})")
    assert page.value("playground.data().y.length") == 40


def test_task_type_a_formula(open_page: Open) -> None:
    page = open_page("index.html")
    focus_on(page, "own-formula")
    page.press("Enter")
    page.type("sin(2x)")
    page.press("Enter")
    page.until("playground.profile().key === 'f:sin(2x)'")
    assert "2.76895601" in page.value("JSON.stringify(playground.profile().constants)")
    assert "own: sin(2x)" in text_of(page, "#activation")


def test_a_formula_that_is_none_gets_a_sentence(
    open_page: Open, browser: Browser, served: str
) -> None:
    page = browser.page(served + "index.html")
    page.until("document.body.dataset.frames")
    page.click("#own-formula")
    page.type("gelo")
    page.press("Enter")
    page.until("document.getElementById('maker-note').textContent.includes('Did you mean gelu')")
    assert page.value("playground.profile().key") == "design_2"
    page.close()


def test_task_draw_coefficients(open_page: Open) -> None:
    page = open_page("index.html")
    page.click("#own-hermite")
    page.value("document.querySelectorAll('#hermite-bars input')[1].focus(), 0")
    page.press("Home")
    page.press("ArrowUp", times=30)
    page.click("#hermite-form button")
    page.until("playground.profile().key.startsWith('c:0,0.5,0.8,0.6')")
    assert text_of(page, "#regime .name") == "Singular kernel"


def test_task_measure_against_bayes(open_page: Open) -> None:
    page = open_page("index.html#a=h2&count=20")
    page.click("#learn")
    page.until("document.getElementById('learn-note').textContent.includes('best possible')", 300)
    figures = [float(v) for v in re.findall(r"(\d+\.\d) %", text_of(page, "#learn-note"))]
    rule, nearest, majority, bayes = figures
    # On the hemisphere the limit of h2 is all but the nearest neighbour.
    assert abs(rule - nearest) < 2
    assert majority < nearest < bayes <= 100


def test_play_turns_the_depth(open_page: Open) -> None:
    page = open_page("index.html")
    page.click("#play")
    page.until("playground.state.depth === 3", 20)
    page.click("#play")
    assert page.value("document.getElementById('play').getAttribute('aria-pressed')") == "false"


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
    "address",
    [
        "a=../../x&depth=-3&count=9e9&q=a_b",
        "forgotten=..&points=<b>",
        "%",
        "ridge=NaN&kind=x&source=y",
    ],
)
def test_an_address_of_nonsense_is_as_usual(browser: Browser, served: str, address: str) -> None:
    page = browser.page(f"{served}index.html#{address}")
    page.until("document.body.dataset.frames")
    assert page.value("playground.data().y.length") >= 4
    page.close()


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


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(open_page: Open, width: int, dark: bool) -> None:
    page = open_page("index.html#a=relu&depth=3", width=width, dark=dark)
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
    row = int(page.value("document.getElementById('row').value"))
    page.value(
        "document.getElementById('cell-0').focus(), document.getElementById('cell-0').select()"
    )
    page.type("-4")
    page.press("Enter")
    page.until("document.querySelector('#one h3').textContent.includes('if it were so')")
    frame = data.features.iloc[[row]].copy()
    frame.iloc[0, 0] = -4.0
    p = clf.predict_proba(frame)[0].max()
    assert f"{100 * p:.2f} %" in text_of(page, "#one")


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
