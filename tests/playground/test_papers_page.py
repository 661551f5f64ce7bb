"""The page of papers: what the server answers of a library, and what a browser shows of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

from deeplimit.cli import main
from deeplimit.papers import Library, Triage, parse, vectors_of
from deeplimit.papers.finding import search, similar
from deeplimit.playground.papers import flat
from deeplimit.playground.server import Playground, make_server
from papers.saved import SUBJECTS, abstract_of, entry, page
from playground.browsing import violations
from playground.chromium import Browser, Page
from playground.test_server import Client

EACH = 8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Keep a page for each subject in a file, and a paper that stands on all."""
    path = tmp_path / "papers.sqlite"
    common = entry("A paper for everybody", "General remarks on everything there is.")
    with Library(path, create=True) as library:
        for subject in SUBJECTS:
            entries = [
                entry(f"On {subject} number {i}", abstract_of(subject, i), ["2 authors", "Jun 1"])
                for i in range(EACH)
            ]
            library.add(parse(page([*entries, common]), subject))
    return path


@pytest.fixture
def address(path: Path) -> Iterator[str]:
    """Serve the playground with the library."""
    with make_server(playground=Playground(path)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def client(address: str) -> Client:
    return Client(address)


def ask(client: Client, name: str, **question: Any) -> Any:
    status, answer = client.ask(f"papers/{name}", question)
    assert status == 200, answer
    return answer


def truth(path: Path) -> Triage:
    """Rank as the command line does."""
    with Library(path) as library:
        triage = Triage(vectors_of(library.papers()))
        triage.rate_all(library.ratings())
    return triage


def on(path: Path, subject: str) -> list[int]:
    """Give the papers of one subject alone."""
    with Library(path) as library:
        return [p.id for p in library.papers() if p.pages == (subject,)]


def test_lists_what_the_library_holds(client: Client, path: Path) -> None:
    found = ask(client, "list")
    with Library(path) as library:
        papers, pages = library.papers(), library.pages()
    assert len(found["papers"]) == 3 * EACH + 1
    assert found["pages"] == [stored.name for stored in pages]
    for told, paper in zip(found["papers"], papers, strict=True):
        assert told["title"] == paper.title
        assert (told["date"], told["n_authors"]) == (paper.date, paper.n_authors)
        assert told["pages"] == list(paper.pages)
    assert found["state"]["liked"] == found["state"]["dismissed"] == []
    assert found["state"]["can_undo"] is False


def test_a_like_is_kept_and_ranks_anew(client: Client, path: Path) -> None:
    before = ask(client, "list")["state"]["order"]
    soups, tides = on(path, "soup"), on(path, "tides")
    after = ask(client, "rate", paper=tides[3], liked=True)
    after = ask(client, "rate", paper=soups[0], liked=False)
    assert after["order"] != before
    others = {*soups, *on(path, "clocks")}
    ranked = [key for key in after["order"] if key in others or key in tides]
    assert set(ranked[: EACH - 1]) == set(tides) - {tides[3]}
    assert (after["liked"], after["dismissed"]) == ([tides[3]], [soups[0]])
    triage = truth(path)
    assert triage.ratings == {tides[3]: True, soups[0]: False}
    assert after["order"] == triage.ranking()
    given = [after["probability"][str(key)] for key in triage.vectors.ids.tolist()]
    np.testing.assert_allclose(given, triage.probabilities(), rtol=1e-12)


def test_taking_back_is_as_if_it_had_not_been(client: Client, path: Path) -> None:
    first = ask(client, "rate", paper=2, liked=True)
    ask(client, "rate", paper=9, liked=False)
    undone = ask(client, "undo")
    assert undone.pop("undone") == 9
    assert undone == first
    cleared = ask(client, "rate", paper=2, liked=None)
    assert cleared["liked"] == []
    assert truth(path).ratings == {}
    ask(client, "undo")
    ask(client, "undo")
    assert ask(client, "undo")["undone"] is None


def test_reasons_add_up(client: Client, path: Path) -> None:
    for paper in (1, 2, 12):
        ask(client, "rate", paper=paper, liked=True)
    ask(client, "rate", paper=20, liked=False)
    why = ask(client, "why", paper=5)
    triage = truth(path)
    assert why["probability"] == triage.verdict(5).probability
    shares = {kind: 0.0 for kind in ("liked", "dismissed", "papers in general")}
    for reason in why["reasons"]:
        shares[reason["kind"]] += reason["share"]
    assert sum(shares.values()) == pytest.approx(1.0, abs=1e-12)
    assert shares["liked"] == pytest.approx(why["probability"], abs=1e-12)
    assert why["abstract"].startswith("We study")
    wanted = [found.paper for found in similar(triage.vectors, [5], 5)]
    assert [near["paper"] for near in why["near"]] == wanted


def test_search_is_the_librarys(client: Client, path: Path) -> None:
    found = ask(client, "search", text="pendulum and zeppelin")
    wanted = [one.paper for one in search(truth(path).vectors, "pendulum and zeppelin", 50)]
    assert wanted
    assert [one["paper"] for one in found["found"]] == wanted
    assert found["unknown"] == ["zeppelin"]


def test_the_map_keeps_subjects_together(client: Client, path: Path) -> None:
    found = ask(client, "map")
    assert found["how"] == "t-SNE"
    at = {point["paper"]: np.array([point["x"], point["y"]]) for point in found["points"]}
    assert len(at) == 3 * EACH + 1
    assert max(np.abs(place).max() for place in at.values()) == pytest.approx(1.0)
    subject = {key: name for name in SUBJECTS for key in on(path, name)}
    for key, own in subject.items():
        nearest = min(subject.keys() - {key}, key=lambda k: np.linalg.norm(at[k] - at[key]))
        assert subject[nearest] == own
    places, _ = flat(truth(path).vectors)
    np.testing.assert_array_equal(places, [at[key] for key in sorted(at)])


def test_what_other_processes_do_is_seen(client: Client, path: Path) -> None:
    stamp = ask(client, "list")["state"]["stamp"]
    with Library(path) as library:
        library.rate([4], True)
    state = ask(client, "rate", paper=5, liked=True)
    assert state["liked"] == [5, 4]
    assert state["stamp"] == stamp
    with Library(path) as library:
        library.add(parse(page([entry("News", "Onions and garlic, simmered.")]), "late"))
    found = ask(client, "list")
    assert found["state"]["stamp"] != stamp
    assert found["papers"][-1]["title"] == "News"
    assert len(ask(client, "map")["points"]) == len(found["papers"])
    assert found["state"]["order"] == truth(path).ranking()


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("rate", {}), ("rate", {"paper": 1}), ("rate", {"paper": 1, "liked": 1}),
        ("rate", {"paper": 1, "liked": "true"}), ("rate", {"paper": True, "liked": True}),
        ("rate", {"paper": "1", "liked": True}), ("rate", {"paper": 999, "liked": True}),
        ("rate", {"paper": [1], "liked": True}), ("why", {"paper": 0}), ("why", {"paper": None}),
        ("search", {}), ("search", {"text": ""}), ("search", {"text": 3}),
        ("search", {"text": "x" * 501}),
    ],
)  # fmt: skip
def test_what_does_not_suit_is_a_sentence(
    client: Client, path: Path, name: str, question: Any
) -> None:
    status, answer = client.ask(f"papers/{name}", question)
    assert status == 200
    assert answer["error"].strip()
    assert truth(path).ratings == {}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403), ({"Host": "evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 415), ({"Content-Length": "3000001"}, 413),
    ],
)  # fmt: skip
def test_nobody_else_rates(client: Client, path: Path, headers: Any, status: int) -> None:
    assert client.ask("papers/rate", {"paper": 1, "liked": True}, headers)[0] == status
    assert truth(path).ratings == {}


def test_nothing_is_answered_to_a_get(client: Client, path: Path) -> None:
    for name in ("list", "undo", "rate?paper=1&liked=true"):
        assert client("GET", f"/api/papers/{name}")[0] == 404
    assert truth(path).ratings == {}


def test_a_library_that_is_gone_is_told(client: Client, path: Path) -> None:
    path.unlink()
    status, answer = client.ask("papers/list", {})
    assert status == 200
    assert "no library" in answer["error"]


def test_many_at_once(client: Client, path: Path) -> None:
    threads = [
        threading.Thread(target=ask, args=(client, "rate"), kwargs={"paper": k, "liked": k % 2 > 0})
        for k in range(1, 13)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert truth(path).ratings == {k: k % 2 > 0 for k in range(1, 13)}
    assert ask(client, "list")["state"]["order"] == truth(path).ranking()


def test_without_a_library_there_are_no_such_questions(served: str) -> None:
    client = Client(served)
    assert client.ask("papers/list", {})[0] == 404
    assert json.loads(client("GET", "/profiles/index.json")[2])["papers"] is False


@pytest.mark.parametrize("known", ['{"title": "only"}', '[{"title": "a b"}, {"title": "c"}]'])
def test_few_papers_have_a_map(known: str) -> None:
    with Library(":memory:") as library:
        library.add(parse(known.encode(), "few"))
        places, how = flat(vectors_of(library.papers()))
    assert how == "principal coordinates"
    assert places.shape == (known.count("title"), 2)
    assert np.isfinite(places).all()


def test_many_papers_are_laid_out_by_their_meanings(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = truth(path).vectors
    monkeypatch.setattr("deeplimit.playground.papers._MOST_MAPPED", len(vectors) - 1)
    places, how = flat(vectors)
    assert how == "principal coordinates"
    # The plane of the largest variance: scikit-learn's, up to signs and one scale.
    wanted = PCA(2).fit_transform(vectors.meanings)
    spread = places - places.mean(axis=0)
    scale = np.abs(spread).max(axis=0) / np.abs(wanted).max(axis=0)
    assert scale[0] == pytest.approx(scale[1], rel=1e-6)
    np.testing.assert_allclose(np.abs(spread), np.abs(wanted) * scale, atol=1e-8)


def test_the_command_wants_a_library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.txt").write_text("no database, but long enough to be looked at as one" * 20)
    for name, word in (("none.sqlite", "no library"), ("other.txt", "no library")):
        assert main(["playground", "--no-browser", "--papers", str(tmp_path / name)]) == 1
        said = capsys.readouterr().err
        assert word in said
        assert len(said.splitlines()) == 1
    assert main(["playground", "--papers", "x", "--export", str(tmp_path / "site")]) == 2


def opened(browser: Browser, address: str, **settings: Any) -> Page:
    shown = browser.page(address + "papers.html", **settings)
    shown.until("document.body.dataset.ready")
    return shown


def order(shown: Page) -> list[int]:
    found = shown.value("[...document.querySelectorAll('#list > li')].map((e) => e.dataset.paper)")
    return [int(key) for key in found]


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1280, True)])
def test_the_page(address: str, path: Path, browser: Browser, width: int, dark: bool) -> None:
    shown = opened(browser, address, width=width, dark=dark)
    shown.until("document.body.dataset.map === '25'")
    before = order(shown)
    assert violations(shown) == "[]"
    tides = on(path, "tides")
    # By key: the button says that it is pressed, and the rest is ranked anew.
    shown.value(f"document.querySelector('#paper-{tides[0]} .like').focus(), 0")
    shown.press("Enter")
    shown.until("document.querySelector('[data-probability]')")
    triage = truth(path)
    assert triage.ratings == {tides[0]: True}
    assert order(shown) == triage.ranking()[:20] != before[:20]
    assert shown.value("document.activeElement.className") == "like"
    shown.click(f"#paper-{order(shown)[-1]} .dismiss")
    shown.until("document.querySelectorAll('#map .cross').length === 1")
    assert shown.value("document.querySelectorAll('#map .star').length") == 1
    triage = truth(path)
    first = triage.ranking()[0]
    assert order(shown)[0] == first
    shown.click(f"#paper-{first} .why")
    shown.until("document.querySelector('.reasons')")
    parts = shown.value(
        "[...document.querySelectorAll('[data-share]')].map((e) => "
        "[e.dataset.kind, Number(e.dataset.share), parseFloat(e.textContent)])"
    )
    p = triage.verdict(first).probability
    assert sum(share for kind, share, _ in parts if kind == "liked") == pytest.approx(p)
    assert sum(share for _, share, _ in parts) == pytest.approx(1.0)
    assert all(abs(100 * share - told) <= 0.0501 for _, share, told in parts)
    told = shown.value(f"document.querySelector('#paper-{first} .chance span').textContent")
    assert abs(float(told.split("\u00a0")[0]) / 100 - p) < 0.00501
    assert violations(shown) == "[]"
    assert shown.value("document.documentElement.scrollWidth") <= width
    # The liked ones have their button pressed; taken back there, the paper is to be read again.
    shown.click("#views button:nth-child(2)")
    shown.until("document.querySelectorAll('#list > li').length === 1")
    assert shown.value("document.querySelector('.like').getAttribute('aria-pressed')") == "true"
    shown.click("#list .like")
    shown.until("document.querySelectorAll('#list > li').length === 0")
    shown.click("#undo")
    shown.until("document.querySelectorAll('#list > li').length === 1")
    assert truth(path).ratings[tides[0]] is True
    assert shown.complaints() == []
    shown.close()


def test_search_and_map_lead_to_the_paper(address: str, path: Path, browser: Browser) -> None:
    shown = opened(browser, address)
    shown.until("document.body.dataset.map === '25'")
    shown.value("document.getElementById('words').focus(), 0")
    shown.type("pendulum")
    shown.press("Enter")
    shown.until("document.querySelectorAll('#map .dim').length > 0")
    assert order(shown) == [f.paper for f in search(truth(path).vectors, "pendulum", 50)][:20]
    # A paper that is not among what was found is opened in the whole list.
    last = on(path, "soup")[-1]
    box = shown.value(
        f"(() => {{ const e = document.getElementById('point-{last}'); "
        "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect(); "
        "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
    )
    shown.point_at(*box)
    shown.until(f"document.getElementById('tip').textContent === 'On soup number {EACH - 1}'")
    shown.click_at(*box)
    shown.until(f"document.querySelector('#paper-{last} .reasons')")
    assert shown.value("document.activeElement.className") == "why"
    # By key: an arrow goes on to another one, Enter opens it.
    shown.value("document.getElementById('map').focus(), 0")
    held = "document.getElementById('map').getAttribute('aria-activedescendant')"
    first = shown.value(held)
    assert first == f"point-{last}"
    for key in ("ArrowUp", "ArrowLeft", "ArrowDown", "ArrowRight"):
        shown.press(key)
    now = shown.value(held)
    shown.press("Enter")
    shown.until(f"document.querySelector('#{now.replace('point', 'paper')} .reasons')")
    assert shown.complaints() == []
    shown.close()


def test_the_way_to_the_papers_is_shown_where_there_are_some(
    address: str, served: str, browser: Browser
) -> None:
    hidden = "document.querySelector('nav [href=\"papers.html\"]').hidden"
    for start, wanted in ((address, False), (served, True)):
        shown = browser.page(start + "data.html")
        shown.until("document.body.dataset.ready")
        assert shown.value(hidden) is wanted
        shown.close()
    shown = opened(browser, served)
    assert shown.value("document.getElementById('shelf').hidden")
    said = shown.value("document.getElementById('absent').checkVisibility()")
    assert said
    assert "--papers" in shown.value("document.getElementById('absent').textContent")
    assert violations(shown) == "[]"
    assert shown.complaints() == []
    shown.close()
