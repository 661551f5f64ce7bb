"""Editions, mails and the feed: each paper once, everything escaped, nothing lost."""

from __future__ import annotations

import email
import re
import socket
import ssl
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from deeplimit.papers import Library, parse
from deeplimit.papers.feed import to_atom
from deeplimit.papers.issues import Entry, Issue, as_day, fresh, issue_of, issues, record
from deeplimit.papers.mail import Server, as_address, compose, send
from deeplimit.papers.sheet import facts, to_html, to_text
from papers.saved import shelf
from papers.smtp import MailServer

EVIL = '<script>alert("1")</script> & "quotes" \'x\''
ISSUE = Issue(
    "edition",
    "2026-04-17",
    (
        Entry(1, EVIL, EVIL, "2026-04", "https://github.com/a/b?c&d", "https://a.b/'x'", (EVIL,),
              5, 1, ("p",), 0.41, ((EVIL, 0.3), ("Other", 0.01)), 2, 0.1),
        Entry(2, "Bare"),
    ),
    3,
)  # fmt: skip


def test_each_paper_once() -> None:
    with shelf() as library:
        library.rate([1], True)
        seen: list[int] = []
        days = ["2026-04-17", "2026-04-18", "2026-04-19"]
        for day in days:
            issue = fresh(library, "edition", day, 10)
            record(library, issue)
            seen += [entry.paper for entry in issue.entries]
        assert len(seen) == len(set(seen)) == 24
        assert 1 not in seen
        assert fresh(library, "edition", days[0], 10).entries == ()
        # What was printed was not mailed.
        assert len(fresh(library, "mail", days[0], 10).entries) == 10
        assert [issue.day for issue in issues(library, "edition")] == days[::-1]
        assert issue_of(library, "edition", days[0]) is not None
        assert issue_of(library, "mail", days[0]) is None


def test_an_issue_stays_as_it_was_made() -> None:
    with shelf() as library:
        library.rate([1, 2, 3, 4, 5], True)
        made = fresh(library, "edition", "2026-04-17", 5)
        record(library, made)
        library.rate([made.entries[0].paper], False)
        again = issue_of(library, "edition", "2026-04-17")
        assert again is not None
        assert again.entries == made.entries
        entry = made.entries[0]
        assert entry.probability == pytest.approx(
            sum(share for _, share in entry.because) + entry.others_share
        )
        assert (len(entry.because), entry.others) == (3, 2)


def test_without_ratings_the_newest_come_first() -> None:
    lines = (
        b'{"title": "A", "date": "2024-01-01"}\n{"title": "B"}\n{"title": "C", "date": "--03-04"}\n'
        b'{"title": "D", "date": "2024-02"}'
    )
    with Library(":memory:") as library:
        library.add(parse(lines, "x"))
        issue = fresh(library, "mail", "2026-04-17", 10)
    assert [entry.title for entry in issue.entries] == ["D", "A", "B", "C"]
    assert not issue.ranked


def test_days() -> None:
    assert as_day("2026-04-17") == "2026-04-17"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", as_day(None))
    with pytest.raises(ValueError, match="no date such as"):
        as_day("17 April")
    with Library(":memory:") as library:
        for count, says in ((0, "at least 1 paper"), (1, "no papers yet")):
            with pytest.raises(ValueError, match=says):
                fresh(library, "edition", "2026-04-17", count)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_is_escaped_and_calls_nobody() -> None:
    page = to_html(ISSUE)
    read = _Tags()
    read.feed(page)
    names = {tag for tag, _ in read.tags}
    assert not names & {"script", "img", "link", "iframe", "object", "form", "base"}
    assert EVIL in read.text
    assert "url(" not in page
    assert "@import" not in page
    hrefs = [attributes["href"] for tag, attributes in read.tags if tag == "a"]
    assert hrefs == ["https://a.b/'x'", "https://github.com/a/b?c&d"]
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert "41\u00a0%" in page


def test_text_says_what_is_known() -> None:
    text = to_text(ISSUE, 60)
    assert max(len(line) for line in text.splitlines() if "://" not in line) <= 60
    assert "Papers of 17 April 2026" in text
    assert "3 more are" in " ".join(text.split())
    assert facts(ISSUE.entries[0]) == [f"{EVIL} and 4 more", "2026-04", "1 comment"]
    assert facts(ISSUE.entries[1]) == []
    assert "and 2 others" in " ".join(text.split())
    assert text.rstrip().endswith("2. Bare")


def test_feed_is_atom_and_can_be_read_again() -> None:
    feed = to_atom([ISSUE], "7d823869-f509-447e-8eb2-868d16c50410", EVIL)
    root = ElementTree.fromstring(feed)
    space = "{http://www.w3.org/2005/Atom}"
    assert root.findtext(f"{space}title") == EVIL
    entries = root.findall(f"{space}entry")
    assert [entry.findtext(f"{space}title") for entry in entries] == [EVIL, "Bare"]
    names = [entry.findtext(f"{space}id") for entry in entries]
    assert len(set(names)) == 2
    for entry in entries:  # an entry without an alternate link must have a content
        links = [link for link in entry.findall(f"{space}link") if "rel" not in link.attrib]
        assert links or entry.find(f"{space}content") is not None
    again = parse(feed.encode(), "feed").listings
    assert [listing.title for listing in again] == [EVIL, "Bare"]
    other = to_atom([ISSUE], "7d823869-f509-447e-8eb2-868d16c50411")
    assert not set(re.findall("urn:uuid:[^<]*", other)) & set(re.findall("urn:uuid:[^<]*", feed))


def message() -> EmailMessage:
    return compose(ISSUE, "me@example.org", ["you@example.org", "her@example.org"])


def test_mail_is_text_and_page() -> None:
    read: Any = email.message_from_bytes(message().as_bytes(), policy=default)
    assert read["Subject"] == "Papers of 17 April 2026: 2 new"
    assert read["To"] == "you@example.org, her@example.org"
    text, page = (part.get_content().replace("\r\n", "\n") for part in read.iter_parts())
    assert text == to_text(ISSUE)
    assert page == to_html(ISSUE)
    assert max(map(len, message().as_bytes().splitlines())) < 999
    assert message()["Message-ID"] == message()["Message-ID"]


@pytest.mark.parametrize(
    "text",
    ["", "me", "me@", "@b", "a b@c.d", "me@example.org\nBcc: x@y.z", "me@example.org\r", "a@b@c",
     "<me@example.org>", "a,b@c.d", "ä@b.c", ".a@b.c", "a..b@c.d"],
)  # fmt: skip
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="no mail address"):
        as_address(text)


def local(server: MailServer, **settings: Any) -> Server:
    return Server("127.0.0.1", server.port, **{"security": "none", **settings})


def test_mail_is_sent() -> None:
    with MailServer() as server:
        assert send(message(), local(server, user="me", password="secret")) == []
    (mail,) = server.mails
    assert b"Subject: Papers of 17 April 2026" in mail
    said = [line.lower() for line in server.said]
    assert [line for line in said if line.startswith("rcpt")] == [
        "rcpt to:<you@example.org>",
        "rcpt to:<her@example.org>",
    ]


def test_one_recipient_refused_is_told() -> None:
    with MailServer({"<her@example.org>": "550 unknown"}) as server:
        assert send(message(), local(server)) == ["her@example.org"]
    assert len(server.mails) == 1


def test_a_server_that_hangs_up_after_taking_it_has_taken_it() -> None:
    with MailServer({"QUIT": "500 what?"}) as server:
        assert send(message(), local(server)) == []
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("replies", "settings", "says"),
    [
        ({"AUTH": "535 no"}, {"user": "me", "password": "wrong"}, "does not accept the user 'me'"),
        ({"MAIL": "550 not you"}, {}, "refuses mail from 'me@example.org': 550 not you"),
        ({"RCPT": "550 no"}, {}, "refuses every recipient: her@example.org, you@example.org"),
        ({"DATA": "554 spam"}, {}, "refuses the mail: 554 spam"),
        ({".": "552 too large"}, {}, "refuses the mail: 552 too large"),
        ({"": "554 closed"}, {}, "refuses the mail: 554 closed"),
        ({}, {"security": "starttls"}, "STARTTLS"),
        ({"EHLO": "250 here"}, {"user": "a", "password": "b"}, "AUTH"),
        ({"STARTTLS": "220 go", "EHLO": "250-here\r\n250 STARTTLS"}, {"security": "starttls"},
         "no safe connection"),
    ],
    ids=["user", "sender", "recipients", "data", "end of data", "greeting", "no starttls",
         "no login", "broken starttls"],
)  # fmt: skip
def test_what_a_server_may_say(
    replies: dict[str, str], settings: dict[str, str], says: str
) -> None:
    with MailServer(replies) as server, pytest.raises(ValueError) as caught:
        send(message(), local(server, **settings))
    assert says in str(caught.value)
    assert str(caught.value).endswith("nothing was sent or recorded.")
    assert "\n" not in str(caught.value)
    assert server.mails == []


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (socket.gaierror(-2, "Name or service not known"), "is not known"),
        (TimeoutError("timed out"), "does not answer"),
        (ConnectionRefusedError(111, "Connection refused"), "cannot be reached"),
        (ssl.SSLCertVerificationError(1, "bad"), "no safe connection"),
    ],
)
def test_a_server_that_is_not_there(
    error: OSError, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(socket, "create_connection", fail)
    with pytest.raises(ValueError, match=says):
        send(message(), Server("mail.example.org"))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"host": ""}, "no mail server is named"),
        ({"host": "a b"}, "no name of a mail server"),
        ({"host": "a\r\nb"}, "no name of a mail server"),
        ({"security": "maybe"}, "security is one of"),
        ({"port": 99_999}, "no port"),
        ({"user": "me"}, "password .* is missing"),
        ({"password": "x"}, "user .* is missing"),
        ({"security": "none", "user": "a", "password": "b"}, "not sent without encryption"),
    ],
)
def test_settings_that_do_not_suit(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Server(**{"host": "mail.example.org", **settings})


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Server("mail.example.org", user="me", password="secret"))
    assert Server("mail.example.org", security="tls").port == 465


def test_a_mail_needs_somebody_to_get_it() -> None:
    with pytest.raises(ValueError, match="who is to get"):
        compose(ISSUE, "me@example.org", [])
