"""Saved pages written for the tests, in the form of those that people save."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deeplimit.papers import Library, Listing, parse

HEAD = (
    "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\nDaily Papers\n\n"
    "byAK and the research community\n\n"
)
SUBJECTS = {
    "soup": "onions carrots broth simmer ladle thyme kettle stock garlic celery",
    "tides": "moon harbour gravity estuary current shore basin buoy sailors ebb",
    "clocks": "pendulum escapement gear spring dial chime brass hours minute winding",
}


def entry(title: str, abstract: str | None = None, facts: Sequence[str] = ()) -> str:
    """Set an entry: facts are such as "4 authors" and "Jun 15, 2023 2"."""
    parts = [title] if abstract is None else [title, abstract]
    if facts:
        parts.append("\n·\n".join([f"  • {facts[0]}", *facts[1:]]))
    return "\n\n".join(parts)


def page(entries: Iterable[str], date: str | None = "Apr 17") -> bytes:
    """Set a page."""
    head = HEAD + (f"{date}\n\n" if date else "")
    return (head + "\n\n".join(entries)).encode()


def abstract_of(subject: str, number: int) -> str:
    """Write an abstract that has most words of its subject, in an order of its own."""
    words = SUBJECTS[subject].split()
    turned = words[number % len(words) :] + words[: number % len(words)]
    return f"We study {' '.join(turned[:7])} and item{number} of {subject}."


def shelf(each: int = 8) -> Library:
    """Give a library in memory: a page for each subject, with a paper that stands on all."""
    library = Library(":memory:")
    common = entry("A paper for everybody", "General remarks on everything there is.")
    for subject in SUBJECTS:
        entries = [
            entry(f"On {subject} number {i}", abstract_of(subject, i), ["2 authors", "Jun 1, 2023"])
            for i in range(each)
        ]
        library.add(parse(page([*entries, common]), subject))
    return library


def listings(data: bytes, **settings: int) -> tuple[Listing, ...]:
    """Parse a page's listings."""
    return parse(data, "test", **settings).listings
