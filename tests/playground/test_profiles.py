"""Profiles: what the page is told of an activation is what the library says."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.playground.named import NAMED
from deeplimit.playground.profiles import DEPTHS, ERROR, make_profile, summary
from playground.decoding import read

BY_KEY = {named.key: named for named in NAMED}
SHOWN = (
    "design_1", "design_2", "design_5", "relu", "gelu", "erf", "softplus", "cos", "square", "h2",
    "h3", "sign", "identity", "9d_opt", "sine_13.83", "relu_centred",
)  # fmt: skip


def profile(key: str, depths: tuple[int, ...] = (1, 2, 5, 12, 64)) -> dict[str, Any]:
    named = BY_KEY[key]
    made = make_profile(named.make(), key=key, title=named.title, code=named.code, depths=depths)
    # As it arrives: JSON has no infinite numbers.
    return dict(json.loads(json.dumps(made, allow_nan=False)))


def gaps(n: int = 400) -> np.ndarray:
    rng = np.random.default_rng(len(SHOWN))
    near = 10 ** rng.uniform(-15.9, 0, n)
    far = 2 - 10 ** rng.uniform(-8.5, 0, n)
    return np.concatenate([near, far, rng.uniform(0, 2, n)])


def library(table: dict[str, Any], act: dl.Activation, s: np.ndarray) -> Any:
    """Give ln|K| and the sign as the library has them."""
    if table["kind"] in ("nngp", "ntk"):
        kernel = dl.NetworkKernel(act, table["depth"], kind=table["kind"])
        assert math.isclose(kernel.log_diagonal, table["log_diagonal"])
        return kernel.log_and_sign_at_gap(s, normalize=True)
    limit = dl.LimitKernel(act)
    if table["kind"] == "tie":
        return limit.tie_break.log_and_sign_at_gap(s)
    if limit.regime == "nearest-neighbour":
        return limit.log_closeness(s), limit.sign_at_gap(s)
    log, sign = limit.log_and_sign_at_gap(s)
    return log, -sign if limit.regime == "conditionally-positive-definite" else sign


@pytest.mark.parametrize("key", SHOWN)
def test_kernels_are_the_librarys(key: str) -> None:
    made, act, s = profile(key), BY_KEY[key].make(), gaps()
    assert made["tables"]
    for table in made["tables"]:
        assert table["error"] <= ERROR, (table["kind"], table["depth"])
        log, sign = read(made, table, s)
        truth, signs = library(table, act, s)
        near = s <= 1
        scale = np.maximum(1.0, np.abs(truth[near]))
        assert np.max(np.abs(log[near] - truth[near]) / scale) <= ERROR
        assert np.array_equal(sign[near], signs[near])
        # Beyond the equator the error is that of the ratio to the opposite correlation.
        far = s > 1
        beside = np.zeros(far.sum())
        if table["kind"] != "tie" and made["regime"] != "conditionally-positive-definite":
            beside = library(table, act, 2 - s[far])[0]
        elif table["kind"] == "tie":
            beside = np.maximum(0.0, library(table, act, 2 - s[far])[0])
        if "sign" in table:
            assert np.max(np.abs(np.exp(log[far] - beside) - np.exp(truth[far] - beside))) <= ERROR
            assert np.all(signs[far] == table["sign"])
        else:
            got = sign[far] * np.exp(log[far] - beside)
            assert np.max(np.abs(got - signs[far] * np.exp(truth[far] - beside))) <= 2 * ERROR


@pytest.mark.parametrize("key", SHOWN)
def test_constants_and_words_are_the_taxonomys(key: str) -> None:
    made, t = profile(key, (1,)), dl.taxonomy(BY_KEY[key].make())
    assert made["regime"] == t.regime
    assert made["reason"] == t.reason
    assert made["warnings"] == list(t.warnings)
    told = t.to_dict()
    for name in ("A", "A1", "B1", "exponent", "dimension", "fixed_point", "degree", "rate"):
        assert made["constants"][name] == told[name]
    np.testing.assert_array_equal(made["hermite"], t.activation.hermite(16))
    np.testing.assert_allclose(
        made["dual"]["value"], t.activation.dual.value(np.array(made["dual"]["xi"]))
    )
    z = np.linspace(-made["portrait"]["reach"], made["portrait"]["reach"], 161)
    scaled = t.activation(z) / math.sqrt(t.activation.norm2)
    np.testing.assert_allclose(made["portrait"]["value"], scaled)


@pytest.mark.parametrize("named", NAMED, ids=lambda named: named.key)
def test_python_makes_the_same_activation(named: Any) -> None:
    made = eval(named.code, {"dl": dl})
    told = summary(named.key, named.title, named.code, dl.taxonomy(made))
    assert told == summary(named.key, named.title, named.code, dl.taxonomy(named.make()))


def test_keys_are_names_of_files() -> None:
    assert len(BY_KEY) == len(NAMED)
    assert all(key.replace(".", "").replace("_", "").isalnum() for key in BY_KEY)


def test_every_regime_is_offered() -> None:
    regimes = {dl.taxonomy(named.make()).regime for named in NAMED}
    assert regimes >= {
        "singular-kernel", "nearest-neighbour", "majority-vote",
        "conditionally-positive-definite", "identity",
    }  # fmt: skip


def test_a_power_that_leaves_the_nearest_alone_is_not_tabulated() -> None:
    deepest = max(t["depth"] or 0 for t in profile("h2", DEPTHS)["tables"])
    assert 2**deepest <= 5000 < 2 ** (deepest + 4)


def test_an_activation_that_jumps_has_no_ntk() -> None:
    assert {t["kind"] for t in profile("sign")["tables"]} == {"nngp", "limit"}


def test_undecided_has_no_limit() -> None:
    act = dl.Activation(lambda z: np.maximum(z, 0.0) - 0.39894)
    made = make_profile(act, key="x", title="x", code="x", depths=(1,))
    kinds = {t["kind"] for t in made["tables"]}
    assert (made["regime"] == "undecided") == ("limit" not in kinds and "tie" not in kinds)
