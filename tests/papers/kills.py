"""kill -9 at random moments of reading pages, and a look at what the library holds then.

    python tests/papers/kills.py KILLS

A process that has everything imported forks the readers, so that a kill costs milliseconds.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from deeplimit.papers import Library, Page, parse
from papers.saved import abstract_of, entry, page

# Enough entries that a page takes some milliseconds to be kept.
ENTRIES = 150
# A reader is killed within the time that it takes, here and now, to read so many pages.
PAGES = 3


def made(number: int) -> Page:
    """Make a page: some entries are its own, the others are those of all pages."""
    entries = [
        entry(f"Paper {i if i % 3 else f'{number}-{i}'}", abstract_of("soup", i))
        for i in range(ENTRIES)
    ]
    return parse(page(entries), f"page {number}")


def read_on(path: pathlib.Path, pipe: int, number: int) -> None:
    """Read page after page until killed; tell of each when it is kept."""
    with Library(path, create=True) as library:
        while True:
            library.add(made(number))
            os.write(pipe, f"{number}\n".encode())
            number += 1


def seconds_of_a_page(folder: pathlib.Path) -> float:
    """Measure how long it takes to make a library and read a page."""
    start = time.perf_counter()
    with Library(folder / "measured.sqlite", create=True) as library:
        library.add(made(0))
    return time.perf_counter() - start


def killed_reader(path: pathlib.Path, number: int, delay: float) -> list[int]:
    """Fork a reader, kill it after a random time, and give the pages it told of."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            read_on(path, writing, number)
        finally:  # never the parent's code
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as told:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            raise RuntimeError("a reader ended before it was killed")
        return [int(line) for line in told if line.endswith("\n")]


def campaign(kills: int, folder: pathlib.Path) -> dict[str, int]:
    """Kill readers one after another; count what each left."""
    tally: Counter[str] = Counter(kills=kills, lost=0, torn=0, kept=0)
    draw, path, kept = random.Random(0), folder / "p.sqlite", 0
    longest = PAGES * seconds_of_a_page(folder)
    for _ in range(kills):
        told = killed_reader(path, kept, draw.uniform(0.0, longest))
        tally["with a journal left"] += path.with_name("p.sqlite-journal").exists()
        with Library(path, create=True) as library:
            pages = library.pages()
            papers = {paper.id: paper for paper in library.papers()}
            library.digest()
        database = sqlite3.connect(path)
        tally["damaged"] += database.execute("PRAGMA integrity_check").fetchone() != ("ok",)
        database.close()
        # All that was told of is there, and at most the one that was under way.
        tally["lost"] += len(pages) < kept + len(told)
        tally["more than was read"] += len(pages) > kept + len(told) + 1
        for number, stored in enumerate(pages):
            wanted = made(number)
            titles = [papers[key].title for key in stored.papers]
            tally["torn"] += titles != [e.title for e in wanted.listings]
        kept = tally["kept"] = len(pages)
    return dict(tally)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(campaign(int(sys.argv[1]), pathlib.Path(temporary))))
