"""The file: papers merged, ids that stay, pages in whole or not at all, clear errors."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from deeplimit.papers import Library, Listing, audit_of, parse
from deeplimit.papers.merging import merge
from papers.saved import entry, page, shelf


def add(library: Library, name: str, *entries: dict[str, object]) -> None:
    library.add(parse("\n".join(map(json.dumps, entries)).encode(), name))


def test_reading_again_changes_nothing(tmp_path: Path) -> None:
    data = page([entry("First", "x", ["2 authors", "Mar 9"]), entry("Second", "y")])
    path = tmp_path / "p.sqlite"
    with Library(path, create=True) as library:
        assert library.add(parse(data, "one")).state == "read"
        library.rate([2], True)
        before, content = library.digest(), path.read_bytes()
        again = library.add(parse(data, "other name"))
        assert (again.page, again.state, again.new) == ("one", "known", 0)
        assert (library.digest(), path.read_bytes()) == (before, content)
    with Library(path, create=True) as library:
        assert library.digest() == before
    assert path.read_bytes() == content


def test_ids_stay_and_are_never_used_again() -> None:
    with Library(":memory:") as library:
        add(library, "a", {"title": "A"}, {"title": "B"})
        add(library, "b", {"title": "B"}, {"title": "C"})
        assert [(p.id, p.title) for p in library.papers()] == [(1, "A"), (2, "B"), (3, "C")]
        library.rate([3], True)
        assert library.remove("b") == 1
        assert library.ratings() == {}
        add(library, "c", {"title": "D"})
        assert [(p.id, p.title) for p in library.papers()] == [(1, "A"), (2, "B"), (4, "D")]
        with pytest.raises(ValueError, match="no page 'x'; there are: 'a', 'c'"):
            library.remove("x")


def test_papers_of_one_title_are_two_and_a_repeated_entry_is_one() -> None:
    soup = "Onions are simmered with broth, thyme and a little wine."
    moon = "Orbits of satellites around planets without an atmosphere."
    with Library(":memory:") as library:
        add(
            library, "a",
            {"title": "Notes", "abstract": soup}, {"title": "Notes", "abstract": moon},
            {"title": "NOTES.", "abstract": soup},
        )  # fmt: skip
        add(library, "b", {"title": "Notes", "abstract": moon})
        assert [(p.id, p.listings, p.pages) for p in library.papers()] == [
            (1, 2, ("a",)), (2, 2, ("a", "b"))
        ]  # fmt: skip
        assert library.pages()[0].papers == (1, 2, 1)


def test_a_number_joins_what_titles_do_not() -> None:
    with Library(":memory:") as library:
        add(library, "a", {"title": "Old title", "arxiv_id": "2204.14126"})
        add(library, "b", {"title": "New title", "arxiv_id": "2204.14126v3"})
        add(library, "c", {"title": "New title"})
        (paper,) = library.papers()
        assert (paper.title, paper.pages) == ("Old title", ("a", "b", "c"))
        assert paper.link == "https://arxiv.org/abs/2204.14126"


def test_other_bytes_under_a_known_name_are_another_page() -> None:
    with Library(":memory:") as library:
        for title in "ABC":
            add(library, "today", {"title": title})
        assert [p.name for p in library.pages()] == ["today", "today (2)", "today (3)"]


def test_year_of_a_page_read_before() -> None:
    data = page([entry("First", "x", ["2 authors", "Mar 9"])])
    with Library(":memory:") as library:
        library.add(parse(data, "one"))
        assert library.papers()[0].date == "--03-09"
        assert library.add(parse(data, "one", year=2024)).state == "dated"
        assert library.papers()[0].date == "2024-03-09"
        assert library.add(parse(data, "one", year=2024)).state == "known"
        assert library.add(parse(data, "one")).state == "known"
        assert library.papers()[0].date == "2024-03-09"


def test_merging_takes_what_is_surest() -> None:
    heard = [
        ("a", Listing("T", "short", date="2025-03-09", year_from="inferred", comments=2)),
        ("b", Listing("T", "longer", n_authors=3, date="2024-03-09", year_from="page")),
        ("c", Listing("T", comments=5, code="https://github.com/a/b", date="2023-03-09",
                      year_from="given")),
    ]  # fmt: skip
    paper = merge(1, heard)
    assert (paper.abstract, paper.n_authors, paper.comments) == ("longer", 3, 5)
    assert (paper.date, paper.year_from) == ("2024-03-09", "page")
    assert paper.disagreements == ()


def test_disagreements_are_told() -> None:
    entries = [
        ("a", Listing("T", n_authors=3, date="2024-03-09", year_from="page")),
        ("b", Listing("T", n_authors=4, date="2024-03", year_from="page")),
        ("c", Listing("T", date="2023-01-01", year_from="page")),
    ]
    assert merge(1, entries).disagreements == ("number of authors", "date")
    assert merge(1, entries[::2]).disagreements == ("date",)
    assert merge(1, entries[:2]).disagreements == ("number of authors",)


def test_ratings_and_undo() -> None:
    with shelf() as library:
        start = library.digest()
        library.rate([1, 2], True)
        one = library.digest()
        library.rate([1, 3], False)
        assert library.ratings() == {2: True, 1: False, 3: False}
        library.rate([3], False)  # a click that changes nothing is none to take back
        assert library.undo() == 3
        assert library.undo() == 1
        assert library.digest() == one
        library.rate([2], None)
        assert library.undo() == 2
        assert library.digest() == one
        assert [library.undo() for _ in range(3)] == [2, 1, None]
        assert library.digest() == start


def test_rating_is_all_or_nothing() -> None:
    with shelf() as library:
        with pytest.raises(ValueError, match="no paper 999; nothing"):
            library.rate([1, 999], True)
        assert library.ratings() == {}


def test_a_page_that_fails_in_the_middle_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    with shelf() as library:
        before = library.digest()
        monkeypatch.setattr(
            "deeplimit.papers.library.title_key", lambda title: 1 / ("5" not in title)
        )
        with pytest.raises(ZeroDivisionError):
            library.add(parse(page([entry(f"New {i}", "x") for i in range(9)]), "new"))
        monkeypatch.undo()
        assert library.digest() == before
        library.add(parse(page([entry("New 5", "x")]), "new"))
        assert library.papers()[-1].title == "New 5"


def test_audit_counts() -> None:
    with shelf(8) as library:
        found = audit_of(library.pages(), library.papers())
    assert (found.entries, found.distinct) == (27, 25)
    assert [p.title for p in found.everywhere] == ["A paper for everybody"]
    assert found.only_these == (("soup", "tides"), ("soup", "clocks"), ("tides", "clocks"))
    assert found.on_pages == {1: 24, 3: 1}
    told = found.to_dict()
    assert [p["shared"] for p in told["pages"]] == [[9, 1, 1], [1, 9, 1], [1, 1, 9]]
    assert told["missing"]["number of authors"] == 1
    json.dumps(told)


def test_no_library_and_what_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="papers read FILE makes one"):
        Library(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()
    with pytest.raises(FileNotFoundError, match="no folder"):
        Library(tmp_path / "none" / "p.sqlite", create=True)
    with pytest.raises(FileNotFoundError, match="no library"):
        Library(tmp_path, create=True)
    (tmp_path / "text").write_text(
        "a story that is long enough to be read as a header of a file\n" * 9
    )
    with pytest.raises(ValueError, match="it is no library of papers"):
        Library(tmp_path / "text")
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE page (id)")
    database.close()
    with pytest.raises(ValueError, match="something else"):
        Library(other, create=True)


def test_an_empty_file_becomes_a_library(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    path.touch()  # what is left of one that was killed as it was made
    with Library(path) as library:
        assert library.papers() == []


def test_a_newer_library_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    Library(path, create=True).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(ValueError, match="newer deeplimit"):
        Library(path)


def test_a_damaged_library_is_told(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    with Library(path, create=True) as library:
        library.add(parse(page([entry(f"T{i}", "x " * 200) for i in range(50)]), "a"))
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(ValueError, match="cannot be used"), Library(path) as library:
        library.papers()


def test_two_writers_wait_for_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deeplimit.papers.file._BUSY_SECONDS", 0.05)
    path = tmp_path / "p.sqlite"
    with Library(path, create=True) as one, Library(path) as other:
        add(one, "a", {"title": "A"})
        with one.changing():
            with pytest.raises(ValueError, match="another process is changing it"):
                add(other, "b", {"title": "B"})
            assert [p.title for p in other.papers()] == ["A"]
        add(other, "b", {"title": "B"})
        assert [p.title for p in one.papers()] == ["A", "B"]
