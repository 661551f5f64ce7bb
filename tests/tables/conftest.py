from __future__ import annotations

import subprocess
import sys

import pytest

PROLOGUE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pandas", "pyarrow"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture
def run_without_extra():
    """Run code in an interpreter that has neither pandas nor pyarrow; return what it prints."""

    def run(code: str) -> str:
        command = [sys.executable, "-c", PROLOGUE + code]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
