"""Random kills of real processes; the same as `benchmarks/bench_store.py` does more often."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_nothing_acknowledged_is_lost(root: Path) -> None:
    # A process of its own forks: one that pytest has filled with threads had better not.
    answer = subprocess.run(
        [sys.executable, root / "tests" / "store" / "kills.py", "25"],
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    tally = json.loads(answer.stdout)
    assert tally["kills"] == 25
    assert tally["lost"] == 0
    assert tally["acknowledged"] > 25
    assert tally.get("killed in nothing", 0) < 25
