"""``papers``: each command as a user meets it, errors in one line, nothing lost."""

from __future__ import annotations

import email
import json
import os
import re
import shlex
from collections.abc import Callable
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Answer
from deeplimit.cli import main
from papers.saved import SUBJECTS, abstract_of, entry, page
from papers.smtp import MailServer

Run = Callable[..., Answer]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in a folder of its own; an error is one line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in [name for name in os.environ if name.startswith(("DEEPLIMIT_", "SMTP_"))]:
        monkeypatch.delenv(name)

    def made(*arguments: object) -> Answer:
        code = main(["papers", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        if code:
            assert len(err.splitlines()) == 1, err
            assert re.match(r"deeplimit( papers( \w+)?)?: ", err)
        return Answer(code, out, err)

    return made


@pytest.fixture
def shelf(run: Run) -> Run:
    """Give the command where pages have been read: ids 1 to 6 are soup, 8 to 13 tides."""
    common = entry("A paper for everybody", "General remarks on everything there is.")
    for subject in SUBJECTS:
        entries = [
            entry(f"On {subject} {i}", abstract_of(subject, i), ["2 authors", "Jun 1, 2023 1"])
            for i in range(6)
        ]
        Path(f"{subject}.txt").write_bytes(page([*entries, common]))
    assert run("read", *(f"{subject}.txt" for subject in SUBJECTS)).code == 0
    return run


def contents() -> bytes:
    return Path("papers.sqlite").read_bytes()


def test_read_tells_what_is_new(run: Run) -> None:
    Path("monday.txt").write_bytes(page([entry("First", "x", ["2 authors", "Mar 9"])]))
    Path("b.json").write_text('{"title": "first."}\n{"title": "Second"}')
    answer = run("read", "monday.txt", "b.json")
    assert "monday: 1 entry, 1 new paper" in answer.out
    assert "note: 1 dates stay without a year" in answer.words
    assert "b: 2 entries, 1 new paper" in answer.out
    assert "2 papers in papers.sqlite" in answer.out
    before = contents()
    again = run("read", "b.json", "--json")
    assert [page["state"] for page in again.json["pages"]] == ["known"]
    assert contents() == before
    assert "dates now have the year" in run("read", "--year", 2024, "monday.txt").out
    assert run("show", 1, "--json").json[0]["date"] == "2024-03-09"


def test_one_bad_file_and_nothing_is_read(shelf: Run) -> None:
    before = contents()
    Path("new.json").write_text('{"title": "New"}')
    Path("bad.bin").write_bytes(b"\x00\x01\x02")
    answer = shelf("read", "new.json", "bad.bin")
    assert answer.code == 1
    assert "'bad.bin' was not read: it is a binary file" in answer.err
    assert contents() == before
    answer = shelf("read", "none.txt")
    assert (answer.code, answer.err) == (
        1,
        "deeplimit: error: No such file or directory: 'none.txt'\n",
    )
    assert shelf("read", "--name", "x", "new.json", "bad.bin").code == 2
    assert shelf("read", "-", "-").code == 2
    assert shelf("read", "--year", "99", "new.json").code == 2


def test_audit(shelf: Run) -> None:
    answer = shelf("audit")
    assert "21 entries on 3 pages, 19 papers" in answer.out
    assert "On all 3 pages: A paper for everybody [7]" in answer.out
    assert "soup and tides share it alone." in answer.out
    assert "Told by no page: number of authors of 1" in answer.words
    told = shelf("audit", "--json").json
    assert (told["entries"], told["distinct"]) == (21, 19)
    assert ["soup", "clocks"] in told["pairs_sharing_only_these"]


def test_list_show_and_remove(shelf: Run) -> None:
    assert len(shelf("list", "--json").json) == 19
    assert [p["id"] for p in shelf("list", "--page", "tides", "--json").json] == [*range(8, 14), 7]
    assert "2 authors · 2023-06-01 · 1 comment" in shelf("list").out
    shown = shelf("show", 7, "on SOUP 2").out
    assert "[7] A paper for everybody" in shown
    assert "stands on: soup, tides, clocks" in shown
    assert "[3] On soup 2" in shown
    assert shelf("list", "--rated").out == "No papers.\n"
    assert "6 papers that stood there alone" in shelf("remove", "tides").words
    assert len(shelf("list", "--json").json) == 13


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "99"), "there is no paper 99"),
        (("show", "zebra"), "no paper's title has 'zebra'"),
        (("show", "soup"), "6 titles have 'soup': name one by its number (1, 2, 3, ...)"),
        (("list", "--page", "x"), "there is no page 'x'; there are: 'soup'"),
        (("remove", "x"), "there is no page 'x'"),
        (("triage", "--like", "99"), "there is no paper 99"),
        (("triage", "--undo"), "no rating to take back"),
        (("search", "the"), "no word to search for"),
        (("feed", "-o", "f.xml"), "no edition yet"),
        (("audit", "--library", "none"), "no library 'none'"),
        (("edition", "--date", "today"), "no date such as"),
        (("edition", "-o", "none/e.html"), "No such file or directory: 'none/e.html'"),
    ],
)
def test_errors(shelf: Run, arguments: tuple[str, ...], says: str) -> None:
    before = contents()
    answer = shelf(*arguments)
    assert answer.code == 1
    assert says in answer.err
    assert contents() == before
    assert sorted(path.suffix for path in Path().iterdir()) == [".sqlite", *[".txt"] * 3]


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("nonsense",), ("read",), ("triage", "--like", "1", "--dismiss", "1"),
        ("triage", "--undo", "--like", "1"), ("triage", "--rate", "1"), ("search", "x", "-n", "0"),
        ("edition", "-o", "e.pdf"), ("digest",), ("digest", "--send", "--preview"),
        ("digest", "-o", "d.txt"), ("digest", "--send", "--to", "a@b.c"),
        ("digest", "--send", "--security", "maybe"),
    ],
)  # fmt: skip
def test_wrong_usage(shelf: Run, arguments: tuple[str, ...]) -> None:
    before = contents()
    assert shelf(*arguments).code == 2
    assert contents() == before


def test_search_and_similar(shelf: Run) -> None:
    answer = shelf("search", "kettle", "zebra", "-n", 2)
    assert answer.out.startswith("in no paper: zebra\n")
    assert answer.out.count("On soup") == 2
    told = shelf("search", "kettle", "zebra", "--json").json
    assert told["unknown_words"] == ["zebra"]
    assert shelf("search", "zebra").out == "in no paper: zebra\nNothing found.\n"
    found = shelf("similar", 1, "On soup 1", "--json", "-n", 3).json
    assert found["to"] == [1, 2]
    assert all(paper["id"] in range(3, 7) for paper in found["papers"])
    assert shelf("similar", 1).code == 0


def test_triage(shelf: Run) -> None:
    assert "Nothing is rated yet" in shelf("triage").out
    answer = shelf("triage", "--like", 1, "On soup 3", "--dismiss", 8, "-n", 3)
    assert answer.out.startswith("2 liked, 1 dismissed\n")
    assert "because you liked [" in answer.words
    assert "against: papers in general" in answer.words
    told = shelf("triage", "--json").json
    assert (told["liked"], told["dismissed"]) == ([1, 4], [8])
    for paper in told["papers"]:
        shares = [reason["share"] for reason in paper["reasons"]]
        liked = [r["share"] for r in paper["reasons"] if r["kind"] == "liked"]
        assert sum(shares) == pytest.approx(1.0)
        assert sum(liked) == pytest.approx(paper["probability"])
    assert {paper["id"] for paper in told["papers"][:3]} < set(range(1, 7))
    (one,) = shelf("triage", "--why", 9, "--json").json["papers"]
    assert one["id"] == 9
    assert "taken back: the last rating of [8]" in shelf("triage", "--undo").out
    assert shelf("triage", "--clear", 1, 4, "--json").json["liked"] == []
    assert "nothing is liked yet" in shelf("triage", "--dismiss", 8).words


def test_compare(shelf: Run) -> None:
    answer = shelf("compare", "--draws", 2)
    assert answer.code == 1  # no page has ten papers and more
    assert "read more pages" in answer.err


def test_edition_and_feed(shelf: Run) -> None:
    shelf("triage", "--like", 1)
    answer = shelf("edition", "--date", "2026-04-17", "-n", 4)
    assert "4 papers in edition-2026-04-17.html (14 more are new)" in answer.words
    first, before = Path("edition-2026-04-17.html").read_text("utf-8"), contents()
    assert first.count("<article>") == 4
    again = shelf("edition", "--date", "2026-04-17", "-o", "again.html")
    assert "as it was made before" in again.words
    assert contents() == before
    assert "because you liked “On soup 0”" in Path("again.html").read_text("utf-8")
    told = shelf("edition", "--date", "2026-04-18", "-n", 99, "-o", "e.txt", "--json").json
    assert len(told["entries"]) == 14
    assert "Papers of 18 April 2026" in Path("e.txt").read_text("utf-8")
    assert "nothing new" in shelf("edition", "--date", "2026-04-19").out
    assert not Path("edition-2026-04-19.html").exists()
    assert shelf("feed", "-o", "f.xml", "-n", 16).out == "16 papers in f.xml\n"
    read = shelf("read", "f.xml", "--json").json
    assert (read["pages"][0]["entries"], read["pages"][0]["new"]) == (16, 0)


def test_digest_written(shelf: Run) -> None:
    before = contents()
    assert "19 new papers" in shelf("digest", "--preview", "-n", 19).out
    assert contents() == before
    who = ("--from", "me@example.org", "--to", "you@example.org")
    assert "7 papers written to d.eml" in shelf("digest", *who, "-o", "d.eml", "-n", 7).out
    read: Any = email.message_from_bytes(Path("d.eml").read_bytes(), policy=default)
    assert read["To"] == "you@example.org"
    assert "12 new papers" in shelf("digest", "--preview", "-n", 19).out
    assert "12 papers" in shelf("digest", *who, "-o", "d.eml", "-n", 99).out
    assert "nothing new" in shelf("digest", *who, "-o", "none.eml").out
    assert not Path("none.eml").exists()


def test_digest_sent_once(shelf: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    who = ("--from", "me@example.org", "--to", "you@example.org", "--send", "--security", "none")
    with MailServer() as server:
        monkeypatch.setenv("DEEPLIMIT_SMTP_HOST", "127.0.0.1")
        sent = shelf("digest", *who, "--port", server.port, "-n", 10)
        assert "10 papers sent to you@example.org (9 more are new)" in sent.words
        assert shelf("digest", *who, "--port", server.port, "-n", 10, "--json").json["left"] == 0
        assert "nothing new" in shelf("digest", *who, "--port", server.port).out
    assert len(server.mails) == 2
    titles = re.findall(rb"On [a-z]+ \d", b"".join(m.split(b"<!doctype")[0] for m in server.mails))
    assert len(titles) == len(set(titles)) == 18


@pytest.mark.parametrize(
    ("replies", "arguments", "says"),
    [
        ({"AUTH": "535 no"}, ("--user", "me"), "does not accept the user 'me'"),
        ({"RCPT": "550 no"}, (), "refuses every recipient"),
        ({"DATA": "554 spam"}, (), "554 spam"),
    ],
)
def test_digest_refused_leaves_no_trace(
    shelf: Run,
    monkeypatch: pytest.MonkeyPatch,
    replies: dict[str, str],
    arguments: tuple[str, ...],
    says: str,
) -> None:
    who = ("--from", "me@example.org", "--to", "you@example.org", "--send", "--security", "none")
    if arguments:
        monkeypatch.setenv("DEEPLIMIT_SMTP_PASSWORD", "secret")
    before = contents()
    with MailServer(replies) as server:
        answer = shelf("digest", *who, "--host", "127.0.0.1", "--port", server.port, *arguments)
    assert answer.code == 1
    assert says in answer.err
    assert "secret" not in answer.err
    assert contents() == before


def test_digest_settings(shelf: Run) -> None:
    before = contents()
    good = ("--from", "me@example.org", "--to", "you@example.org", "--send")
    for arguments, says in (
        (good, "no mail server is named"),
        ((*good, "--host", "a b"), "no name of a mail server"),
        ((*good, "--host", "mail.example.org", "--user", "me"), "password"),
        (("--from", "me", "--to", "a@b.c", "--send", "--host", "h"), "no mail address"),
        (("--from", "a@b.c", "--to", "a@b.c\nBcc: d@e.f", "-o", "d.eml"), "no mail address"),
    ):
        answer = shelf("digest", *arguments)
        assert answer.code == 1
        assert says in answer.err
    assert contents() == before
    assert not Path("d.eml").exists()


def test_library_elsewhere(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.json").write_text('{"title": "A"}')
    run("read", "a.json", "--library", "mine.sqlite")
    assert not Path("papers.sqlite").exists()
    monkeypatch.setenv("DEEPLIMIT_LIBRARY", "mine.sqlite")
    assert json.loads(run("list", "--json").out)[0]["title"] == "A"


def commands(run: Run) -> list[str]:
    return re.findall(r"^    (\w+) +\S", run("--help").out, flags=re.MULTILINE)


def test_help_of_each_command_fits_a_terminal(run: Run) -> None:
    assert len(commands(run)) == 12
    for name in commands(run):
        answer = run(name, "--help")
        assert answer.code == 0
        assert "--library FILE" in answer.out
        assert max(map(len, answer.out.splitlines())) <= 80


def test_examples_of_each_command_work(run: Run) -> None:
    entries = [entry(f"On {s} {i}", abstract_of(s, i)) for s in SUBJECTS for i in range(40)]
    entries[0] = entry("Grokking at the edge", "Of numbers.")
    for name, part in (("monday", entries[:60]), ("old", entries[60:])):
        Path(f"{name}.txt").write_bytes(page(part))
    Path("references.bib").write_text("@misc{a, title = {A title}}")
    Path("answer.xml").write_text(
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>T</title></entry></feed>'
    )
    tried = 0
    for name in commands(run):
        told = run(name, "--help").out.partition("examples:\n")[2].replace("\\\n", " ")
        for line in told.splitlines():
            words = shlex.split(line)
            if words and "--send" not in words:  # there is no server to send it to
                assert words[:3] == ["deeplimit", "papers", name]
                answer = run(*words[2:])
                assert answer.code == 0, (line, answer.err)
                tried += 1
    assert tried >= 12
