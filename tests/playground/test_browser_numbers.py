"""What the pages say, in numbers: those of the library, as a browser shows them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.playground.named import NAMED
from playground.browsing import Open, data_of, settle, text_of
from playground.chromium import Page

pytestmark = pytest.mark.browser
BY_KEY = {named.key: named for named in NAMED}
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


@pytest.mark.parametrize("address", ["depth=inf", "a=relu&depth=3", "a=softplus"])
def test_copied_python_has_the_names_of_the_file(open_page: Open, address: str) -> None:
    points = "0.5_0.25_0!0.1_0.7_1!0.9_0.3_1!-1_0_0!0.2_-0.4_1!1_1_0"
    page = open_page(f"index.html#{address}&source=own&points={points}&name=a%22b&name=yes&q=0.3_0")
    code = page.value("document.getElementById('code').textContent")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    winner = page.value("playground.ask(...playground.state.q).winner")
    name = ('a"b', "yes")[winner]
    assert f"class: {name} " in run.stdout


def test_the_strongest_pull_may_lose(open_page: Open) -> None:
    page = open_page("index.html#a=relu&depth=3&q=0.5_0.2")
    told = set()
    for x, y in [(0.1 * k, 0.05 * k) for k in range(-5, 12)]:
        page.value(f"playground.set({{q: [{x:.2f}, {y:.2f}]}}), 0")
        first = page.value(
            f"(() => {{ const a = playground.ask({x:.2f}, {y:.2f}); const v = a.votes[0]; "
            "return (v.share > 0) === (playground.data().y[v.i] === a.winner); })()"
        )
        # In a vote of two classes the strongest is for the winner, or all the rest is against it.
        assert ("outweighs it" in text_of(page, "#reading")) == (not first)
        assert "Score of B minus score of A" in text_of(page, "#reading")
        assert re.search(r"strongest pull: #\d+ \([AB]\)\.", text_of(page, "#brief"))
        told.add(first)
    assert told == {True, False}


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


def test_a_boundary_is_one_line(open_page: Open) -> None:
    page = open_page("index.html")
    closed, points, segments, broken = page.value("""(async () => {
        const { chains, contour } = await import("./picture.js");
        const ring = contour((r, j) => (r - 20) ** 2 + (j - 20) ** 2 - 150, 40);
        const lines = chains(ring);
        const [first, last] = [lines[0][0], lines[0].at(-1)];
        const closed = Math.hypot(first[0] - last[0], first[1] - last[1]);
        // Where nothing is known, nothing is drawn.
        const part = (r, j) => (j < 20 ? NaN : (r - 20) ** 2 + (j - 20) ** 2 - 150);
        const half = chains(contour(part, 40));
        const broken = half.flat(2).every((v) => Number.isFinite(v));
        return [lines.length === 1 && closed, lines[0].length, ring.length / 4, broken];
    })()""")
    assert closed < 1e-6
    assert points == segments + 1
    assert broken is True
