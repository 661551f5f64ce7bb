"""What people come to do on the playground, by key and by mouse."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import deeplimit as dl
from playground.browsing import Open, choose, data_of, focus_on, map_box, text_of

pytestmark = pytest.mark.browser


def test_every_control_is_reached_by_key(open_page: Open) -> None:
    page = open_page("index.html")
    page.value("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    controls = (
        "[...document.querySelectorAll('a, button, input, select, summary, [tabindex]')]"
        ".filter((e) => !e.disabled && e.checkVisibility() && e.tabIndex >= 0)"
    )
    count = page.value(f"{controls}.length")
    assert count > 30
    missed = []
    # What is drawn anew meanwhile, as the reasons are with the first picture, takes another round.
    for _ in range(3):
        for _ in range(count + 5):
            page.press("Tab")
            page.value("(document.activeElement.dataset.seen = 'yes', 0)")
        missed = page.value(f"{controls}.filter((e) => !e.dataset.seen).map((e) => e.outerHTML)")
        if not missed:
            break
    assert missed == []


def test_task_an_activation_for_five_dimensions(open_page: Open) -> None:
    page = open_page("index.html#a=relu")
    focus_on(page, "wanted")
    page.press("5")
    # First the key, then Python's tables: two waits say which of them it was that took long.
    page.until("document.getElementById('wanted').value === '5'")
    page.until("playground.profile().key === 'design_5'", 300)
    assert text_of(page, "#regime .name") == "Singular kernel"
    assert "In 5 dimensions that is consistent" in text_of(page, "#regime")
    assert "(on this plane, of 2 dimensions, it does not)" in text_of(page, "#regime")
    # The others are not gone: the page says how many there are, and gives them back.
    options = "document.querySelectorAll('#activation option').length"
    count = page.value(options)
    shown = re.fullmatch(r"(\d+) of (\d+) shown\.", text_of(page, "#filter-says"))
    assert shown
    assert int(shown[1]) == count < int(shown[2])
    page.click("#show-all")
    assert page.value(options) == int(shown[2])
    assert page.value("document.getElementById('activation').value") == "design_5"
    assert page.value("document.getElementById('filter').hidden")


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
    box = map_box(page)
    page.point_at(box[0] + 0.3 * box[2], box[1] + 0.4 * box[3])
    page.until("playground.state.q && Math.abs(playground.state.q[0] + 0.38) < 0.05")
    page.until("document.querySelector('#votes tbody tr td').textContent.startsWith('#')")
    shown = page.value(
        "[...document.querySelectorAll('#votes tbody tr')].map((r) => r.cells[1].textContent)"
    )
    total = sum(float(s.replace("−", "-").split("\u00a0")[0]) for s in shown)
    assert abs(total - 100) < 0.1


def test_task_forget_and_bring_back(open_page: Open) -> None:
    page = open_page("index.html#q=0.5_0.25")
    first = text_of(page, "#votes tbody tr td span")
    before = page.value("playground.data().y.length")
    focus_on(page, "map")
    page.press("Enter")
    page.until(f"playground.data().y.length === {before - 1}")
    page.until(
        f"document.querySelector('#votes tbody td span').textContent !== {json.dumps(first)}"
    )
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
    choose(page, "source", "own")
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
    box = map_box(page)
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


def test_a_shape_is_drawn_where_it_is_clicked(open_page: Open) -> None:
    page = open_page("index.html")
    choose(page, "source", "own")
    box = map_box(page)
    places = [(0.3, 0.3), (0.36, 0.26), (0.26, 0.38), (0.9, 0.8)]
    for k, (a, b) in enumerate(places):
        page.click_at(box[0] + a * box[2], box[1] + b * box[3])
        page.until(f"playground.data().y.length === {k + 1}")
    wanted = [[3 * a - 1.5, 1.5 - 3 * b] for a, b in places]
    np.testing.assert_allclose(data_of(page)[0], wanted, atol=3 * 1.5 / box[2])
    # The part that is seen changes when it is asked to, and not before.
    page.click("#fit-view")
    page.until("playground.state.box === null")
    page.until("location.hash.includes('points=') && !location.hash.includes('view=')")
    # Where a click is to look, none is added.
    page.click("#brush label:last-child")
    box = map_box(page)
    page.click_at(box[0] + 0.5 * box[2], box[1] + 0.5 * box[3])
    page.until("playground.state.pinned")
    assert page.value("playground.data().y.length") == 4


def test_a_click_holds_the_pointer(open_page: Open) -> None:
    page = open_page("index.html")
    box = map_box(page)
    x, y = box[0] + 0.3 * box[2], box[1] + 0.4 * box[3]
    page.click_at(x, y)
    page.until("playground.state.pinned")
    q = page.value("playground.state.q")
    # On its way to a button the mouse crosses the map.
    for step in range(1, 6):
        page.point_at(x + 0.1 * step * box[2], y)
    page.until("document.getElementById('reading').textContent.startsWith('Pinned at')")
    assert page.value("playground.state.q") == q
    first = text_of(page, "#votes tbody tr td span")
    page.click("#votes tbody button")
    page.until(f"document.getElementById('forgotten').textContent.includes({json.dumps(first)})")
    # What is forgotten last was at the pin, and the pin is in the address.
    page.until("location.hash.includes('pin=1')")
    again = open_page(page.value("'index.html' + location.hash"))
    assert again.value("playground.state.pinned") is True
    assert again.value("playground.state.q") == q
    # By the pin, by a key or by a button it ends.
    page.click(f"#forgotten-list button[aria-label='Bring example {first[1:]} back']")
    page.until("document.getElementById('forgotten').hidden")
    page.press("Escape")
    page.until("!playground.state.pinned")
    box = map_box(page)
    page.point_at(box[0] + 0.6 * box[2], box[1] + 0.6 * box[3])
    page.until(f"playground.state.q[0] !== {q[0]}")
    for way in ("click", "key", "button"):
        box = map_box(page)
        page.click_at(box[0] + 0.5 * box[2], box[1] + 0.5 * box[3])
        page.until("playground.state.pinned")
        if way == "click":
            page.click_at(box[0] + 0.5 * box[2], box[1] + 0.5 * box[3])
        elif way == "key":
            focus_on(page, "map")
            page.press(" ")
        else:
            page.click("#unpin")
        page.until("!playground.state.pinned")


def test_a_choice_survives_what_cannot_have_it(open_page: Open) -> None:
    page = open_page("index.html#a=relu&depth=256&kind=ntk")
    for key, kind, depth in (("sign", "nngp", 256), ("h2", "ntk", 12), ("gelu", "ntk", 256)):
        choose(page, "activation", key)
        page.until(f"playground.profile().key === {json.dumps(key)}")
        page.until(f"playground.state.kind === {json.dumps(kind)}")
        assert page.value("playground.state.depth") == depth
        assert ("has no NTK" in text_of(page, "#verdict")) == (kind == "nngp")
    for source, prior in (("dirichlet", 0.4), ("circles", 0.55)):
        choose(page, "source", source)
        assert page.value("playground.state.prior") == prior
    page.value("playground.set({prior: 0.3}), 0")
    for source, prior in (("dirichlet", 0.4), ("moons", 0.3)):
        choose(page, "source", source)
        assert page.value("playground.state.prior") == prior


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
    assert "40 examples: a across, c up; the classes are those of kind. Left out: b." in text_of(
        page, "#csv-note"
    )
    assert text_of(page, "#legend") == "no (20)yes (20)"
    for bad, word in (
        ("a\n1\n", "columns"),
        ("a,b,c\n1,2,x\n1,x\n", "Line 3"),
        ("1,2,x\n3,4,x\n", "one value"),
        ("x,y,kind\n\n1,2,a\n2,three,b\n3,4,a\n5,6,b\n", "Line 4: y is “three”"),
        ("x,y,kind\n1,2,a\n2,,b\n3,4,a\n", "Line 3: y is empty"),
        ("x,y,kind\n1,2,a\n2,3,\n3,4,b\n", "Line 3 has no class"),
    ):
        path.write_text(bad)
        page.give_file("#csv", path)
        page.until(f"document.getElementById('csv-note').textContent.includes({json.dumps(word)})")
        assert "still those from before" in text_of(page, "#csv-note")
    assert page.value("playground.data().y.length") == 40
    # The names of the classes go with the points: in the address, and where more are added.
    page.until("location.hash.includes('name=yes')")
    again = open_page(page.value("'index.html' + location.hash"))
    assert text_of(again, "#legend") == "no (20)yes (20)"
    assert '"no", "yes"' in text_of(again, "#code")
    again.click("#brush label:nth-child(3)")
    focus_on(again, "map")
    again.press("Enter")
    again.until("playground.data().y.length === 41")
    assert text_of(again, "#legend") == "no (20)yes (20)C (1)"
    assert "40" not in text_of(again, "#csv-note")
    # Python would put C first: then the classes are numbers, and a comment tells their names.
    again.until(
        "document.getElementById('code').textContent.includes('# 0 is no, 1 is yes, 2 is C')"
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x;y;kind\n1,23;4,5;a\n-0,5;3;b\n", [1.23, 4.5, -0.5, 3]),
        ("1,23\t4,5\ta\n,5\t3,1\tb\n", [1.23, 4.5, 0.5, 3.1]),
        ("x;y;kind\n1,234;4,500;a\n2,000;3,125;b\n", [1.234, 4.5, 2, 3.125]),
        ("x;y;z;kind\n1.2;4;1,5;a\n2;3;2,5;b\n", [1.2, 4, 2, 3]),
        ("x,y,kind\n1,23,a\n2,5,b\n", [1, 23, 2, 5]),
    ],
)
def test_decimal_commas_are_read(
    open_page: Open, tmp_path: Path, text: str, wanted: list[float]
) -> None:
    path = tmp_path / "two.csv"
    path.write_text(text)
    page = open_page("index.html#source=own")
    page.give_file("#csv", path)
    page.until("playground.data().y.length === 2")
    np.testing.assert_array_equal(data_of(page)[0].ravel(), wanted)
    said = "decimal commas" in text_of(page, "#csv-note")
    assert said == (not any(row in text for row in ("1.2;4", "1,23,a")))


def test_commas_of_thousands_are_no_decimal_ones(open_page: Open, tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text("x;y;kind\n999;1;a\n1,234;2;b\n1,500;3;b\n8;4;a\n")
    page = open_page("index.html#source=own")
    page.give_file("#csv", path)
    page.until("document.getElementById('csv-note').textContent.includes('no number')")
    assert "x is “1,234”, which is no number; nor is one more of its cells." in text_of(
        page, "#csv-note"
    )


def test_keys_that_pass_by_ask_for_nothing(open_page: Open) -> None:
    page = open_page("index.html#a=relu")
    # Without a pause: one call.
    said = page.value(
        "['erf', 'gelu', 'design_3'].map((a) => { playground.set({a}); "
        "return document.getElementById('verdict').textContent; })"
    )
    assert said == [f"Loading {n} …" for n in ("erf", "GELU", "designed for 3 dimensions")]
    page.until("playground.profile().key === 'design_3'", 300)
    asked = {u.rpartition("/")[2] for u in page.requests() if "/profiles/" in u}
    assert asked == {"index.json", "relu.json", "design_3.json"}


def test_what_needs_a_known_law_says_so(open_page: Open) -> None:
    page = open_page("index.html")
    told = (
        "['show-bayes', 'learn'].map((id) => { const e = document.getElementById(id); "
        "const n = document.getElementById(e.getAttribute('aria-describedby')); "
        "return [e.disabled, n.checkVisibility(), n.textContent.includes('law is known')]; })"
    )
    assert page.value(told) == [[False, False, True]] * 2
    choose(page, "source", "own")
    assert page.value(told) == [[True, True, True]] * 2


def test_task_type_a_formula(open_page: Open) -> None:
    page = open_page("index.html")
    focus_on(page, "own-formula")
    page.press("Enter")
    page.type("sin(2x)")
    page.press("Enter")
    page.until("playground.profile().key === 'f:sin(2x)'")
    assert "2.76895601" in page.value("JSON.stringify(playground.profile().constants)")
    assert "own: sin(2x)" in text_of(page, "#activation")


def test_a_formula_that_is_none_gets_a_sentence(open_page: Open) -> None:
    page = open_page("index.html")
    page.click("#own-formula")
    for formula, words in (
        ("gelo", "Did you mean gelu"), ("5", "is a constant"), ("", "Type a formula"),
    ):  # fmt: skip
        page.value("document.getElementById('formula').value = '', 0")
        page.click("#formula")
        page.type(formula)
        page.press("Enter")
        page.until(f"document.getElementById('maker-note').textContent.includes({words!r})")
    page.until("!document.body.classList.contains('stale')")
    assert page.value("playground.profile().key") == "design_2"
    # All functions there are stand apart.
    page.value("playground.set({a: 'f:foo(x)'}), 0")
    page.until(
        "document.getElementById('maker-note').textContent.endsWith(\"unknown name 'foo'.\")"
    )
    assert "logaddexp" in text_of(page, "#maker-more p")
    page.value("playground.set({a: 'f:sin(2x)'}), 0")
    page.until("document.getElementById('maker-more').hidden")
    page.until("playground.profile().key === 'f:sin(2x)'")


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


def test_the_way_to_the_limit_is_told_in_numbers(open_page: Open) -> None:
    page = open_page("index.html#a=relu&depth=16&start=0.5&q=0.31_0.12&count=80")
    X, y = data_of(page)
    x = 0.5
    for _ in range(16):
        x = float(dl.Activation("relu").dual.value(np.array([x]))[0])
    here = page.value(
        "(() => { const a = playground.ask(0.31, 0.12); return a.shares[a.winner]; })()"
    )
    winner = page.value("playground.ask(0.31, 0.12).winner")
    clf = dl.DeepLimitClassifier("relu", projection="hemisphere").fit(X, y)
    far = clf.predict_proba([[0.31, 0.12]])[0][winner]
    words = text_of(page, "#pace")
    told = re.search(r"(\w) has ([\d.]+) % at this depth and ([\d.]+) % in the limit", words)
    assert told
    assert told[1] == "AB"[winner]
    np.testing.assert_allclose(
        [float(told[2]), float(told[3])], [100 * here, 100 * far], atol=0.051
    )
    assert f"A correlation of 0.5 is {x:.3g} after 16 layers, and 1 in the limit" in words
    # The limit itself is where correlations go, and no number of layers.
    page.value("playground.set({depth: Infinity}), 0")
    page.until("document.getElementById('start-says').textContent === '0.5 → 1'")
