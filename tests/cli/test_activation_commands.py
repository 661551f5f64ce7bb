"""``inspect`` and ``design``."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import deeplimit as dl
from deeplimit import _extras
from deeplimit.activations.catalog import CATALOG


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("relu", "relu: majority vote"),
        ("3d_opt", "3d_opt: singular kernel, exponent 2: consistent in dimension 2"),
        ("h3", "h3: nearest neighbour"),
        ("sigmoid", "sigmoid: conditionally positive definite"),
        ("x", "x: identity"),
    ],
)
def test_inspect_tells_the_regime_and_shows_it(command: Any, name: str, told: str) -> None:
    answer = command("inspect", name)
    assert answer.code == 0
    assert answer.words.startswith(told)
    assert "which agrees." in answer.words
    assert max(map(len, answer.out.splitlines())) <= 80
    assert [line.split()[0] for line in answer.out.splitlines() if "gap 0.01" in line] == ["depth"]


def test_inspect_shows_every_warning(command: Any) -> None:
    answer = command("inspect", "tanh")
    warnings = dl.taxonomy("tanh").warnings
    assert warnings
    assert all(warning in answer.words for warning in warnings)


def test_inspect_at_a_given_depth(command: Any) -> None:
    (report,) = command("inspect", "gelu", "--depth", 7, "--json").json
    sweep = report["depth_sweep"]
    assert sweep["depths"][-1] == 7
    # The seventh iterate of the dual, by itself.
    dual, xi = dl.Activation("gelu").dual, np.array([0.5])
    for _ in range(7):
        xi = dual.value(xi)
    assert sweep["correlations"][-1][sweep["gaps"].index(0.5)] == pytest.approx(xi[0], abs=1e-12)


def test_a_sweep_that_does_not_agree_is_not_hidden(
    command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deeplimit.evidence import DepthSweep

    monkeypatch.setattr(DepthSweep, "agrees_with", lambda self, taxonomy: False)
    assert "which does not tell the same." in command("inspect", "gelu").words
    assert command("inspect", "gelu", "--json").json[0]["depth_sweep_agrees"] is False


def test_inspect_json_of_several(command: Any) -> None:
    reports = command("inspect", "relu", "sin(2*x)", "--json").json
    assert [report["regime"] for report in reports] == ["majority-vote", "singular-kernel"]
    assert all(report["depth_sweep_agrees"] for report in reports)
    assert reports[1]["exponent"] == pytest.approx(2.7689560196492, abs=1e-12)


def test_inspect_reads_every_name_first(command: Any) -> None:
    answer = command("inspect", "relu", "gelo")
    assert (answer.code, answer.out) == (1, "")
    assert "gelu" in answer.err


def test_names(command: Any) -> None:
    listed = [line.split()[0] for line in command("inspect", "--names").out.splitlines()[1:-2]]
    assert listed == list(CATALOG)
    assert command("inspect", "--names", "--json").json["erf"] == "erf(x)"


def test_no_activation_is_wrong_usage(command: Any) -> None:
    assert command("inspect").code == 2


@pytest.mark.parametrize("depth", ["0", "-1", "1.5", "many", "10000001"])
def test_depth_is_a_number_of_layers(command: Any, depth: str) -> None:
    assert command("inspect", "relu", f"--depth={depth}").code == 2


def test_plot(command: Any, folder: Path) -> None:
    assert command("inspect", "relu", "--plot", "p.png").code == 0
    assert (folder / "p.png").read_bytes().startswith(b"\x89PNG")
    answer = command("inspect", "h2", "sin(2*x)", "--json", "--plot", "q.svg")
    assert len(answer.json) == 2
    assert sorted(path.name for path in folder.glob("q*")) == ["q-h2.svg", "q-sin_2_x_.svg"]


def test_plot_refuses_before_the_work(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("inspect", "relu", "--plot", "p.xyz").code == 2
    answer = command("inspect", "relu", "--plot", "nowhere/p.png")
    assert (answer.code, answer.out) == (1, "")

    def absent(name: str) -> Any:
        raise ModuleNotFoundError(name=name.partition(".")[0])

    monkeypatch.setattr(_extras.importlib, "import_module", absent)
    answer = command("inspect", "relu", "--plot", "p.png")
    assert answer.code == 1
    assert 'pip install "deeplimit[plot]"' in answer.err


@pytest.mark.parametrize("dimension", ["2", "5", "10"])
def test_design_proves_itself(command: Any, dimension: str) -> None:
    answer = command("design", "--dimension", dimension)
    assert f"consistent in dimension {dimension}" in answer.words
    assert "the wanted one" in answer.words
    told = command("design", "--dimension", dimension, "--json").json
    again = dl.taxonomy(told["code"]["text"])
    assert again.exponent == pytest.approx(float(dimension), abs=1e-9)


def test_design_formats_are_the_code_alone(command: Any) -> None:
    options = ("design", "--exponent", 2.5, "--family", "two-term")
    phi = dl.design(exponent=2.5, family="two-term")
    z = np.linspace(-2.0, 2.0, 9)
    value = phi.normalized()(z)
    text = command(*options, "--format", "text").out.strip()
    np.testing.assert_allclose(dl.Activation(text)(z), value, rtol=1e-12)
    assert command(*options, "--format", "tex").out.strip() == phi.code().tex
    names: dict[str, Any] = {}
    source = command(*options, "--format", "torch").out
    exec(compile(ast.parse(source), "pasted", "exec"), names)
    pasted = names["Activation"]()(torch.as_tensor(z)).numpy()
    np.testing.assert_allclose(pasted, value, rtol=1e-12)
    for notation in ("python", "jax"):
        ast.parse(command(*options, "--format", notation).out)


def test_design_options_reach_the_design(command: Any) -> None:
    told = command("design", "--dimension", 4, "--odd", "--family", "sine", "--json").json
    assert told["parameters"]["a"] == pytest.approx(6.135393035897, abs=1e-11)
    told = command("design", "--family", "centered", "--base", "relu", "--json").json
    assert told["exponent"] == pytest.approx(1.61786624718, abs=1e-11)
    told = command("design", "--exponent", 1, "--family", "two-term", "--degree", 4, "--json").json
    assert told["parameters"]["p"] == pytest.approx(0.767591879244, abs=1e-11)
    told = command("design", "--exponent", 2, "--family", "mobius", "--slope", 4, "--json").json
    assert told["parameters"]["p"] == pytest.approx(0.25, abs=1e-15)


def test_families(command: Any) -> None:
    text = command("design", "--families").out
    heads = [line.split()[0] for line in text.splitlines() if not line.startswith(" ")]
    assert heads == [family.name for family in dl.families()]
    assert [entry["name"] for entry in command("design", "--families", "--json").json] == heads
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "give --dimension"),
        (("--dimension", "0"), 2, "no positive number"),
        (("--dimension", "nan"), 2, "no positive number"),
        (("--dimension", "2", "--exponent", "2"), 2, "not allowed with"),
        (("--dimension", "1", "--family", "three-term"), 1, "two-degrees"),
        (("--dimension", "3", "--family", "bogus"), 1, "three-term"),
        (("--dimension", "3", "--base", "relu"), 1, "takes no base"),
        (("--dimension", "3", "--family", "residual", "--format", "torch"), 1, "not one function"),
    ],
)
def test_design_errors(command: Any, arguments: tuple[str, ...], code: int, told: str) -> None:
    answer = command("design", *arguments)
    assert answer.code == code
    assert told in answer.err


def test_a_long_formula_is_cut_on_the_terminal(command: Any) -> None:
    options = ("design", "--dimension", 2, "--family", "mobius")
    short = command(*options)
    assert "--format text prints all" in short.words
    assert len(command(*options, "--format", "text").out) > 500
