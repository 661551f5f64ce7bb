"""The field on real tables: methods beside one another on the same splits of many sets.

    python benchmarks/tables.py --sets FOLDER --results FILE [--methods a,b] [--splits N] [--jobs J]
    python benchmarks/tables.py --results FILE --summary [--each] [--picture FILE]

Every result is one line of JSON in FILE, written at once, so that the same command after a kill
goes on where it was. A result belongs to its key: the set's content, the split, the method with its
settings, and the conditions (`--cap`, `--noise`, `--irrelevant`, `--labels`, ...). Library versions
and the machine are recorded and are no part of the key: `--again a,b` computes methods anew, and
the latest line of a result counts. A method that fails leaves a line with the reason.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import platform
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tables_methods import LATER, registry, versions
from tables_sets import Conditions, TableSet, find_sets, make_split

THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA")


@dataclass(frozen=True)
class Task:
    table: TableSet
    split: int
    method: str
    conditions: Conditions
    trials: int

    @property
    def key(self) -> str:
        settings = registry(self.trials)[self.method].settings
        told = [self.table.name, self.table.digest, self.split, self.method, settings]
        text = json.dumps([*told, asdict(self.conditions)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def head(self) -> dict[str, Any]:
        """Give what a line says whether or not the method succeeds."""
        return {
            "key": self.key,
            "set": self.table.name,
            "split": self.split,
            "method": self.method,
            "settings": registry(self.trials)[self.method].settings,
            "conditions": asdict(self.conditions),
        }


def machine() -> dict[str, Any]:
    """Name the processor, since times are of it."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return {"cpu": name, "cores": os.cpu_count(), "python": platform.python_version()}


def compute(task: Task) -> dict[str, Any]:
    """Fit and judge one method on one split; a failure is a result with its reason."""
    import numpy as np
    from tables_scores import baseline, measures, spread

    method = registry(task.trials)[task.method]
    part = make_split(task.table, task.split, task.conditions)
    # Labels without a gap, whatever the split left: some libraries ask for it.
    known, y = np.unique(part.y_train, return_inverse=True)
    line = task.head() | {
        "rows": len(y),
        "test_rows": len(part.y_test),
        "columns": part.train.shape[1],
        "categories": int((part.train.dtypes == "category").sum()),
        "classes": part.classes,
        "baseline": baseline(part.y_train, part.y_test, part.classes),
    }
    try:
        line["versions"] = versions(method)
        _warm(task.method, task.trials)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            wall, start = time.perf_counter(), time.process_time()
            model = method.make(task.split)
            model.fit(part.train, y)
            line["fit_seconds"] = time.process_time() - start
            line["fit_wall_seconds"] = time.perf_counter() - wall
            start = time.process_time()
            predicted = np.asarray(model.predict(part.test)).astype(int)
            line["predict_seconds"] = time.process_time() - start
            shares = None
            if method.probabilities:
                start = time.process_time()
                shares = model.predict_proba(part.test)
                line["probability_seconds"] = time.process_time() - start
                shares = spread(shares, known, part.classes)
        line["warnings"] = sorted({one.category.__name__ for one in caught})
        line |= measures(known[predicted], shares, part.y_test)
        if isinstance(chosen := getattr(model, "chosen_", None), dict):
            line["chosen"] = chosen
    except Exception as error:  # whatever a library raises is its result here
        line["failure"] = f"{type(error).__name__}: {error}"[:500]
    return line


_warmed: set[str] = set()


def _warm(name: str, trials: int) -> None:
    """Load and compile what the first fit of a process does, on a toy, before the clock starts."""
    import numpy as np
    import pandas as pd

    if name in _warmed:
        return
    _warmed.add(name)
    rng = np.random.default_rng(0)
    toy = pd.DataFrame(rng.standard_normal((60, 3)), columns=["a", "b", "c"])
    y = np.arange(60) % 3
    # What fails on the toy will fail on the set, and is recorded there.
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        model = registry(min(trials, 2))[name].make(0).fit(toy, y)
        model.predict(toy), model.predict_proba(toy)


def work(pipe: Connection) -> None:
    """Answer tasks until there are none; one thread, so that processes do not take each other's."""
    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Libraries loaded from here on read these; the limit is for those that are loaded.
    os.environ |= {f"{name}_NUM_THREADS": "1" for name in THREADS}
    with threadpool_limits(1), contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            pipe.send(compute(pipe.recv()))


class Worker:
    """A process, the task it has, and since when."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.task: Task | None = None
        self.since = 0.0

    def give(self, task: Task) -> None:
        self.task, self.since = task, time.monotonic()
        self.pipe.send(task)

    def end(self, kindly: bool) -> None:
        """End the process: by closing its pipe where it waits for a task, else at once."""
        self.pipe.close()
        if kindly:
            self.process.join(10.0)
        self.process.kill()
        self.process.join()


def run(tasks: list[Task], jobs: int, limit: float) -> Iterator[dict[str, Any]]:
    """Give the results in the order they are ready. A process that dies or hangs is a failure."""
    waiting = tasks[::-1]
    workers: list[Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                workers.append(Worker())
                workers[-1].give(waiting.pop())
            ready = wait([one.pipe for one in workers], timeout=1.0)
            for one in list(workers):
                task = one.task
                assert task is not None
                reason = None
                if time.monotonic() - one.since > limit:
                    reason = f"It took longer than {limit:g} s."
                elif one.pipe in ready:
                    try:
                        yield one.pipe.recv()
                    except (EOFError, OSError):
                        one.process.join(5.0)
                        reason = f"The process ended with code {one.process.exitcode}."
                else:
                    continue
                if reason is not None:
                    yield _died(task, reason)
                if reason is not None or not waiting:
                    one.end(kindly=reason is None)
                    workers.remove(one)
                else:
                    one.give(waiting.pop())
    finally:
        for one in workers:
            one.end(kindly=False)


def _died(task: Task, reason: str) -> dict[str, Any]:
    from tables_scores import baseline

    part = make_split(task.table, task.split, task.conditions)
    base = baseline(part.y_train, part.y_test, part.classes)
    return task.head() | {"baseline": base, "failure": reason}


def read_results(path: Path) -> list[dict[str, Any]]:
    """Read the lines of a file; the last one may be cut by a kill, and is left out."""
    lines = []
    if path.exists():
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                line = json.loads(text)
                line["set"], line["split"], line["method"], line["key"]
            except (ValueError, KeyError, TypeError):
                print(f"{path}, line {number} is no result and is left out.", file=sys.stderr)
                continue
            lines.append(line)
    return lines


def append(path: Path, line: dict[str, Any]) -> None:
    """Write one line at once, after ending one that a kill cut."""
    text = json.dumps(line, allow_nan=False) + "\n"
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                text = "\n" + text
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def plan(arguments: argparse.Namespace, conditions: Conditions) -> list[Task]:
    """List what is to be computed, the longest first, so that none is left alone at the end."""
    methods = registry(arguments.trials)
    done = {}
    for line in read_results(arguments.results):
        done[line["key"]] = "failure" in line
    tasks = []
    for table in find_sets(arguments.sets, arguments.only):
        for split in range(arguments.first, arguments.first + arguments.splits):
            for name in arguments.methods:
                task = Task(table, split, name, conditions, arguments.trials)
                failed = done.get(task.key)
                if (
                    failed is None
                    or name in arguments.again
                    or (failed and arguments.retry_failures)
                ):
                    tasks.append(task)
    size = {task.table.name: task.table.cells for task in tasks}
    return sorted(tasks, key=lambda t: -methods[t.method].weight * size[t.table.name])


def names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def parser() -> argparse.ArgumentParser:
    told = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = told.add_argument
    add("--results", type=Path, required=True, help="JSON-lines file of results, made or gone on")
    add("--sets", type=Path, help="folder of NAME.npz (X, y) and index.json")
    add("--only", type=names, default=(), help="these sets alone: a,b")
    add("--methods", type=names, help=f"of {', '.join(registry(1))}; default all but the last two")
    add("--splits", type=int, default=1, help="number of stratified 70/30 splits, seeds 0, 1, ...")
    add("--first", type=int, default=0, help="seed of the first split")
    add("--cap", type=int, default=4000, help="training rows at most")
    add("--noise", type=float, default=0.0, help="share of training labels replaced")
    add("--irrelevant", type=int, default=0, help="Gaussian columns appended to standardised ones")
    add("--labels", type=int, default=0, help="training rows of each class, 0 for all")
    add("--one-hot", action="store_true", help="leave categories as 0/1 columns of the file")
    add("--trials", type=int, default=12, help="configurations tried for lightgbm and xrfm")
    add("--jobs", type=int, default=1, help="processes, of one thread each")
    add("--limit", type=float, default=3600.0, help="seconds for one result, else it has failed")
    add("--again", type=names, default=(), help="methods to compute anew")
    add("--retry-failures", action="store_true", help="compute failures anew")
    add("--summary", action="store_true", help="print the tables from the results alone")
    add("--against", default="lightgbm", help="method that the others are compared with")
    add("--each", action="store_true", help="with --summary: accuracies on each set as well")
    add("--picture", type=Path, help="with --summary: the critical-difference diagram (png, svg)")
    return told


def main(given: list[str] | None = None) -> int:
    command = parser()
    arguments = command.parse_args(given)
    known = registry(arguments.trials)
    unknown = set((arguments.methods or ()) + arguments.again) - set(known)
    if unknown:
        command.error(f"no method {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    conditions = Conditions(
        cap=arguments.cap,
        noise=arguments.noise,
        irrelevant=arguments.irrelevant,
        labels=arguments.labels,
        one_hot=arguments.one_hot,
    )
    if not arguments.summary:
        if arguments.sets is None:
            command.error("give the folder of sets by --sets, or --summary for what is there")
        arguments.methods = arguments.methods or tuple(n for n in known if n not in LATER)
        # So that a polite kill ends the processes too.
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            compute_all(arguments, conditions)
        finally:
            signal.signal(signal.SIGTERM, before)
    from tables_summary import summary

    print(summary(read_results(arguments.results), asdict(conditions), arguments))
    return 0


def compute_all(arguments: argparse.Namespace, conditions: Conditions) -> None:
    tasks = plan(arguments, conditions)
    where = machine()
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    for number, line in enumerate(run(tasks, arguments.jobs, arguments.limit), 1):
        append(arguments.results, line | {"machine": where, "jobs": arguments.jobs})
        told = line.get("failure") or f"{line['accuracy']:.4f} in {line['fit_seconds']:.2f} s"
        print(
            f"[{number}/{len(tasks)}, {time.monotonic() - started:.0f} s] "
            f"{line['set']} {line['split']} {line['method']}: {told}",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
