"""Processes killed while they read: each page is in whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_fifty_kills(root: Path) -> None:
    # A process of its own forks: one that pytest has filled with threads had better not.
    answer = subprocess.run(
        [sys.executable, root / "tests" / "papers" / "kills.py", "50"],
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    tally = json.loads(answer.stdout)
    assert tally.pop("kills") == 50
    # Some were killed in the middle of a page, and some pages got through.
    assert tally.pop("with a journal left") > 0
    assert tally.pop("kept") > 0
    assert tally == {"lost": 0, "torn": 0, "damaged": 0, "more than was read": 0}
