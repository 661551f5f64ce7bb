"""What the project's own files promise one another."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from packaging.requirements import Requirement

import deeplimit
from deeplimit._extras import Extra, available, require

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
TARGETS = ["help", "run", "test", "lint", "bench", "docs", "clean"]
REQUIREMENTS = sorted(
    {
        text
        for group in (PROJECT["dependencies"], *EXTRAS.values())
        for text in group
        if Requirement(text).name != PROJECT["name"]
    }
)


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def project_files() -> list[Path]:
    """List the files that are tracked or would be, deleted ones left out."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in names.split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> dict[str, str]:
    found = {}
    for path in project_files():
        try:
            found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a picture or an array
            continue
    return found


def test_version_is_one() -> None:
    assert deeplimit.__version__ == PROJECT["version"]


def test_changes_tell_of_the_version() -> None:
    sections = re.split(r"^## ", read("CHANGES.md"), flags=re.MULTILINE)[1:]
    newest = sections[0]
    assert newest.split()[0] == PROJECT["version"]
    assert re.search(r"^- \w", newest, flags=re.MULTILINE)


@pytest.mark.parametrize("command", ["make run", "make test"])
def test_readme_names_the_command(command: str) -> None:
    assert f"`{command}`" in read("README.md") or re.search(
        rf"^\s*(\$ )?{command}\b", read("README.md"), flags=re.MULTILINE
    )


def test_no_path_of_a_machine() -> None:
    pattern = re.compile(r"(?<![\w.])/(work|farm|root|home|Users)/")
    found = {name for name, text in texts().items() if pattern.search(text)}
    assert found == set()


def test_no_package_index_is_named() -> None:
    options = re.compile("--(extra-)?" + "index-url|--find" + "-links|--trusted" + "-host")
    found = {name for name, text in texts().items() if options.search(text)}
    assert found == set()


def test_modules_stay_short() -> None:
    lengths = {name: len(text.splitlines()) for name, text in texts().items() if "src/" in name}
    assert {name: n for name, n in lengths.items() if n >= 450} == {}


def test_extras_named_in_errors_exist() -> None:
    named = {
        extra
        for text in texts().values()
        for group in re.findall(r"deeplimit\[([a-z, ]+)\]", text)
        for extra in group.replace(" ", "").split(",")
    }
    assert named
    assert named <= set(EXTRAS)
    assert set(get_args(Extra)) == set(EXTRAS) - {"all", "test", "bench", "docs"}


def test_all_holds_every_extra_for_users() -> None:
    (everything,) = EXTRAS["all"]
    assert Requirement(everything).extras == set(get_args(Extra))


@pytest.mark.parametrize("text", REQUIREMENTS)
def test_requirement_is_bounded_explained_and_pinned(text: str) -> None:
    requirement = Requirement(text)
    operators = {specifier.operator for specifier in requirement.specifier}
    assert operators == {">=", "<"}
    bounds = text.removeprefix(requirement.name)
    rows = re.findall(
        rf"^\| {re.escape(requirement.name)} \| `(.*?)` \| (.+?) \|$",
        read("docs/architecture.md"),
        flags=re.MULTILINE,
    )
    assert [row[0] for row in rows] == [bounds]
    assert len(rows[0][1].split()) >= 3
    pins = re.findall(
        rf"^{re.escape(requirement.name)}==(\S+)$",
        read("constraints.txt"),
        flags=re.MULTILINE | re.IGNORECASE,
    )
    assert len(pins) == 1
    assert pins[0] in requirement.specifier


def test_make_tells_its_targets() -> None:
    told = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"make (\w+)", told) == TARGETS


def test_continuous_integration_runs_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text()


def test_require_gives_the_module() -> None:
    assert require("json.decoder", extra="fast", purpose="a test").__name__ == "json.decoder"
    assert available("json.decoder")
    assert not available("a_module_nobody_wrote.inner")


def test_require_tells_absent_from_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_broken_module.py").write_text("import a_module_nobody_wrote\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=r"is not installed: pip install \"deeplimit\[plot\]\""):
        require("a_module_nobody_wrote.inner", extra="plot", purpose="a picture")
    with pytest.raises(ImportError, match=r"fails to load \(No module named"):
        require("a_broken_module", extra="plot", purpose="a picture")


class TestConftest:
    """The rules of ``conftest.py``, seen from outside in a run of their own."""

    @pytest.fixture
    def run(self, tmp_path: Path) -> Any:
        (tmp_path / "tests").mkdir()
        shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
        (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = shared: reads shared data\n")

        def run(body: str, *options: str, shared: Path) -> subprocess.CompletedProcess[str]:
            (tmp_path / "tests" / "test_it.py").write_text(f"import pytest\n{body}\n")
            return subprocess.run(
                [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
                cwd=tmp_path,
                env={**os.environ, "DEEPLIMIT_SHARED": str(shared)},
                capture_output=True,
                text=True,
                check=False,
            )

        return run

    @pytest.mark.parametrize("workers", ["0", "1"])
    def test_what_does_not_run_fails(self, run: Any, tmp_path: Path, workers: str) -> None:
        (tmp_path / "tests" / "test_module.py").write_text(
            "import pytest\npytest.skip('no reason', allow_module_level=True)\n"
        )
        body = """
def test_fine(): pass
def test_skip(): pytest.skip('no reason')
@pytest.mark.xfail
def test_xfail(): assert False
"""
        answer = run(body, "-n", workers, shared=tmp_path)
        assert answer.returncode == pytest.ExitCode.TESTS_FAILED, answer.stdout
        assert re.findall(r"^NOT RUN (\S+):", answer.stdout, flags=re.MULTILINE) == [
            "tests/test_it.py::test_skip",
            "tests/test_it.py::test_xfail",
            "tests/test_module.py",
        ]

    def test_shared_data_absent_deselects_with_a_line(self, run: Any, tmp_path: Path) -> None:
        body = "def test_b(): pass\n@pytest.mark.shared\ndef test_a(shared_data): assert 0"
        answer = run(body, shared=tmp_path)
        assert answer.returncode == 0, answer.stdout
        assert "1 passed, 1 deselected" in answer.stdout
        assert answer.stdout.count("tests marked 'shared' are deselected") == 1

    def test_shared_data_present_is_used(self, run: Any, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        body = "@pytest.mark.shared\ndef test_a(shared_data): assert shared_data.is_dir()"
        assert run(body, shared=tmp_path).returncode == 0
        assert run(body.partition("\n")[2], shared=tmp_path).returncode == 1
