"""The exported folder: complete, and in need of nobody else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from deeplimit.cli import main
from deeplimit.playground import export as module
from deeplimit.playground.export import export, static_files
from deeplimit.playground.named import NAMED
from deeplimit.playground.server import POLICY

FILES = static_files()
TEXTS = {name: content.decode("utf-8") for name, content in FILES.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("export") / "site"
    with pytest.MonkeyPatch.context() as patch:
        # Two of them will do: the others are made alike.
        patch.setattr(module, "NAMED", NAMED[1:3])
        assert export(path) == len(FILES) + 3
    return path


def test_all_is_there(folder: Path) -> None:
    for name, content in FILES.items():
        assert (folder / name).read_bytes() == content
    index = json.loads((folder / "profiles" / "index.json").read_text())
    assert index["python"] is False
    for named in NAMED[1:3]:
        made = json.loads((folder / "profiles" / f"{named.key}.json").read_text())
        assert made["key"] == named.key


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"thesis\.txt"):
        export(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_nothing_refers_elsewhere(name: str) -> None:
    # The name of the namespace of drawings is no address that anybody asks for.
    text = TEXTS[name].replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]", text)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_what_is_referred_to_exists(name: str) -> None:
    wanted = set(re.findall(r"""(?:src|href)="([^"#:]+)["#]""", TEXTS[name]))
    wanted |= set(re.findall(r"""from "\./([^"]+)";""", TEXTS[name]))
    wanted |= set(re.findall(r"""new Worker\("([^"]+)\"""", TEXTS[name]))
    if name.endswith((".html", "app.js", "worker.js")):
        assert wanted
    assert wanted <= set(FILES)


@pytest.mark.parametrize("name", [n for n in sorted(TEXTS) if n.endswith(".html")])
def test_pages_have_nothing_inline_and_say_so(name: str) -> None:
    text = TEXTS[name]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert re.findall(r"<script([^>]*)>([^<]*)</script>", text)
    assert all("src=" in tag and not body for tag, body in
               re.findall(r"<script([^>]*)>([^<]*)</script>", text))  # fmt: skip
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    # What a page cannot say of itself is who may frame it.
    assert policy + "; frame-ancestors 'none'" == POLICY


def test_scripts_make_no_markup_of_text() -> None:
    for name, text in TEXTS.items():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
        ), name


def test_the_command_exports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "NAMED", NAMED[1:2])
    assert main(["playground", "--export", str(tmp_path / "site")]) == 0
    assert f"{len(FILES) + 2} files" in capsys.readouterr().out
    assert main(["playground", "--export", str(tmp_path / "other"), "--port", "9000"]) == 2
    assert main(["playground", "--port", "0"]) == 2
