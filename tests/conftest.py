"""House rules of the test run: nothing is skipped in silence, and draws repeat from run to run."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

# Read when SciPy is imported: without it scikit-learn's check of array dispatch skips itself.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# Test identifiers that may skip or fail as expected, each with the reason a user would accept.
ALLOWED_SKIPS: dict[str, str] = {}

# "house" repeats the same draws everywhere; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("house", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


def _shared_folder() -> Path:
    """Give the folder of shared material, be it there or not."""
    return Path(os.environ.get("DEEPLIMIT_SHARED") or ROOT.parent / "shared")


def _not_run(config: pytest.Config) -> list[str]:
    """List the tests that were skipped or expected to fail, save those allowed by name."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # a worker of a distributed run: its controller sees the same reports
        return []
    reports = [r for kind in ("skipped", "xfailed") for r in reporter.stats.get(kind, [])]
    return sorted({r.nodeid for r in reports} - ALLOWED_SKIPS.keys())


def _no_browser() -> str:
    """Say why there is no browser, or nothing if there is one."""
    try:
        importlib.import_module("playground.chromium").find()
    except RuntimeError as why:
        return str(why)
    except ModuleNotFoundError:  # these tests alone, without those of the playground
        pass
    return ""


def _absent() -> dict[str, str]:
    """Give the markers of tests that can't run here, each with what a reader needs to know."""
    folder, why = _shared_folder() / "data", _no_browser()
    absent = {}
    if not folder.is_dir():
        absent["shared"] = f"shared data: no folder {folder}"
    if why:
        absent["browser"] = why
    return absent


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"{why}: tests marked '{name}' are deselected" for name, why in _absent().items()]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for name in _absent():
        absent = [item for item in items if item.get_closest_marker(name)]
        if absent:
            config.hook.pytest_deselected(items=absent)
            items[:] = [item for item in items if not item.get_closest_marker(name)]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    blameless = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if exitstatus in blameless and _not_run(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for nodeid in _not_run(config):
        terminalreporter.write_line(
            f"NOT RUN {nodeid}: a test that does not run is a failure here", red=True
        )


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the root of the repository."""
    return ROOT


@pytest.fixture
def shared_data(request: pytest.FixtureRequest) -> Path:
    """Give the folder of shared data; its user bears the marker ``shared``."""
    if request.node.get_closest_marker("shared") is None:
        pytest.fail("a test that uses shared_data needs the marker 'shared'")
    return _shared_folder() / "data"
