"""One build of the documentation for all tests that read it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.chromium import Browser

# A warning ends the build. The gallery is laid out and not run: each example has a test of its own.
BUILD = """
import sys
from sphinx.application import Sphinx
source, target, trees = sys.argv[1:]
app = Sphinx(source, source, target, trees, "html", confoverrides={"plot_gallery": False},
             status=None, warningiserror=True)
app.build()
sys.exit(app.statuscode)
"""


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Build pages in a process of their own."""
    return subprocess.run(
        [sys.executable, "-c", BUILD, str(source), str(target), str(target.with_suffix(".trees"))],
        env={**os.environ, "MPLBACKEND": "Agg"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def copied(root: Path, to: Path) -> Path:
    """Copy what the build reads, so that it writes nothing into the repository."""
    left_out = shutil.ignore_patterns("_build", "generated", "__pycache__")
    for folder in ("docs", "examples"):
        shutil.copytree(root / folder, to / folder, ignore=left_out)
    shutil.copy(root / "pyproject.toml", to)
    (to / "src").symlink_to(root / "src")
    return to / "docs"


@pytest.fixture(scope="session")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the built pages; workers of one run share it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    with (base / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pages, done = base / "site" / "pages", base / "site" / "done"
        if not done.exists():
            shutil.rmtree(base / "site", ignore_errors=True)
            answer = build(copied(root, base / "site"), pages)
            assert answer.returncode == 0, answer.stderr
            done.touch()
    return pages


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start a browser."""
    with Browser() as made:
        yield made
