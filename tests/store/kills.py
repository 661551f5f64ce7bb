"""kill -9 at random moments of a writer, and a look at what the store holds then.

    python tests/store/kills.py KILLS

A process that has everything imported forks the writers, so that a kill costs milliseconds.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import time
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from deeplimit.store import ExampleStore
from deeplimit.store.manifest import read
from store.contents import Contents, Operation, contents, expected, perform

D = 8
# A writer is killed after so many lines at most, and so many seconds: about an operation.
LINES = 12
DELAY = 0.01


def write_on(folder: pathlib.Path, pipe: int, ids: list[int], seed: int) -> None:
    """Change the store until killed; tell each operation before it and its end after it."""
    draw = random.Random(seed)
    alive = list(ids)
    with ExampleStore.open(folder, "a") as store:
        next_id = read(folder).next_id
        for count in range(10**9):
            kind = draw.choice(["append", "append", "forget", "relabel", "compact"])
            some = draw.sample(alive, min(len(alive), draw.choice([1, 3, 30])))
            operation: Operation
            if kind == "append" or not some:
                n = draw.choice([1, 20, 400])
                operation = ("append", seed + count, n)
                alive += range(next_id, next_id + n)
                next_id += n
            elif kind == "forget":
                operation = ("forget", some)
                gone = set(some)
                alive = [i for i in alive if i not in gone]
            elif kind == "relabel":
                operation = ("relabel", some, seed + count)
            else:
                operation = ("compact", draw.choice([0, 65_536]))
            os.write(pipe, json.dumps(operation).encode() + b"\n")
            perform(store, operation)
            os.write(pipe, b"done\n")


def killed_writer(folder: pathlib.Path, ids: list[int], seed: int) -> list[str]:
    """Fork a writer, kill it after a random time, and give what it told."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            write_on(folder, writing, ids, seed)
        finally:  # never the parent's code
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as told:
        draw = random.Random(seed)
        lines = [told.readline() for _ in range(draw.randint(1, LINES))]
        time.sleep(draw.uniform(0.0, DELAY))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            raise RuntimeError("a writer ended before it was killed")
        return [*lines, *told]


def campaign(kills: int, folder: pathlib.Path) -> dict[str, int]:
    """Kill writers one after another; count what was under way, and what was lost."""
    tally: Counter[str] = Counter(kills=kills, lost=0, acknowledged=0)
    ExampleStore.create(folder, D).close()
    state: Contents = {}
    next_id = 0
    for kill in range(kills):
        lines = killed_writer(folder, list(state), 1000 * kill)
        flight: Contents | None = None
        after_flight = next_id
        name = "nothing"
        for line in lines:
            if line == "done\n":
                assert flight is not None
                state, next_id, flight, name = flight, after_flight, None, "nothing"
                tally["acknowledged"] += 1
            elif line.endswith("\n"):  # the last line may be cut
                operation = tuple(json.loads(line))
                flight, after_flight = expected(state, next_id, D, operation)
                name = operation[0]
        tally[f"killed in {name}"] += 1
        with ExampleStore.open(folder) as store:
            found = contents(store)
            store.verify()
        if found == flight and read(folder).next_id == after_flight:
            tally["in flight, whole"] += found != state
            state, next_id = flight, after_flight
        elif found != state:
            tally["lost"] += 1
            state, next_id = found, read(folder).next_id
    return dict(tally)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(campaign(int(sys.argv[1]), pathlib.Path(temporary, "store"))))
