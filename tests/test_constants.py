"""The constants of the theory for common activations, to twelve digits."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from deeplimit.activations import Activation

GELU = 1 / 3 + 1 / (2 * math.pi * math.sqrt(3))

# E φ², and E φ, E φ', E φ'² after normalising: quadratures over the smooth pieces in 40 digits.
FACTS = {
    "relu6": (0.49999999807527048, 0.56418958441254648, 0.70710678115229119, 1.0000000018762838),
    "elu": (0.64494541749292386, 0.19987994381382056, 0.94831599488099835, 1.0359047186043473),
    "selu": (1.0, 0.0, 0.98523111618579641, 1.0715749924557993),
    "silu": (0.35577551981735216, 0.34640675543502321, 0.83826623516554558, 1.066634241241915),
    "mish": (0.45234219237588277, 0.35744393995873297, 0.83820669200290809, 1.0591180005951458),
    "softplus": (
        0.92124590885930028,
        0.83980633060836665,
        0.52093341776765085,
        0.31845898368369314,
    ),
    "sigmoid": (0.29337903585809296, 0.92311427266930271, 0.38146952206417318, 0.15282701171559375),
    "tanh": (0.39429449039784117, 0.0, 0.96460868937372471, 1.1778072323041796),
    "softsign": (0.1830140212665475, 0.0, 0.96482881783605367, 1.2440103706075867),
    "hard_tanh": (0.5160585509617133, 0.0, 0.95032844575912576, 1.3228915417927743),
    "hard_sigmoid": (
        0.2776390910565126,
        0.94892021236477949,
        0.31545277377036301,
        0.099779837692410538,
    ),
    "hard_swish": (
        0.33156737513790769,
        0.28866143207671368,
        0.86832860638327081,
        1.0813232665894298,
    ),
    "hard_shrink": (0.96914040421627327, 0.0, 0.98444928981449993, math.inf),
    "soft_shrink": (0.41927852005066776, 0.0, 0.95298639260223451, 1.4717545687229655),
    "tanh_shrink": (0.18288347119352352, 0.0, 0.92200543364447451, 1.3833501824571111),
    "sparse_plus": (
        0.5248435053873499,
        0.63817129133480371,
        0.69016843142940519,
        0.72214790475630332,
    ),
    "squareplus": (1.5, 0.90574415921383225, 0.40824829046386302, 0.19287692357064851),
    "gelu_tanh": (
        0.42519371103309945,
        0.43252888503585232,
        0.76679026083307346,
        1.0720239602214323,
    ),
    "quick_gelu": (
        0.42195280689698081,
        0.43463624339231528,
        0.76972938114941571,
        1.0654016115808394,
    ),
    "arctan": (0.44970091643490216, 0.0, 0.97775432870966459, 1.1118500801907506),
    "asinh": (0.63315890000495336, 0.0, 0.99236801813666899, 1.0355687054445084),
    "snake": (1.3073742912101815, 0.37810965894649903, 0.87458098293137017, 1.1472095472351051),
    # By hand.
    "relu": (0.5, 1 / math.sqrt(math.pi), math.sqrt(0.5), 1.0),
    "abs": (1.0, math.sqrt(2 / math.pi), 0.0, 1.0),
    "square": (3.0, math.sqrt(1 / 3), 0.0, 4 / 3),
    "relu_squared": (1.5, math.sqrt(1 / 6), 2 / math.sqrt(3 * math.pi), 4 / 3),
    "sign": (1.0, 0.0, math.sqrt(2 / math.pi), math.inf),
    "cos": ((1 + math.exp(-2)) / 2, 1 / math.sqrt(math.cosh(1)), 0.0, math.tanh(1)),
    "sin": ((1 - math.exp(-2)) / 2, 0.0, 1 / math.sqrt(math.sinh(1)), 1 / math.tanh(1)),
    "exp": (math.exp(2), math.exp(-0.5), math.exp(-0.5), 1.0),
    "erf": (
        2 / math.pi * math.asin(2 / 3),
        0.0,
        math.sqrt(2 / 3 / math.asin(2 / 3)),
        2 / math.sqrt(5) / math.asin(2 / 3),
    ),
    "gelu": (
        GELU,
        0.5 / math.sqrt(math.pi * GELU),
        0.5 / math.sqrt(GELU),
        (1 / 3 + 2 / (3 * math.sqrt(3) * math.pi)) / GELU,
    ),
}
#: How the file of shared constants calls what we call otherwise.
SHARED_NAMES = {
    "leaky_relu_0.01": "leaky_relu",
    "sin_freq_0.5": "sin(0.5*x)",
    "sin_freq_1": "sin",
    "sin_freq_2": "sin(2*x)",
    "cos_freq_1": "cos",
}


def check(activation: Activation, name: str, found: float, true: float) -> None:
    if math.isinf(true) or true == 0.0:
        assert found == true
        return
    assert found == pytest.approx(true, rel=1e-12), name
    # The bound that comes with a constant holds, up to rounding.
    assert abs(found - true) <= activation.errors[name] + 4e-15 * abs(true), name


@pytest.mark.parametrize("name", FACTS)
def test_facts(name: str) -> None:
    activation = Activation(name)
    for key, true in zip(("norm2", "A", "A1", "B1"), FACTS[name], strict=True):
        check(activation, key, getattr(activation, key), true)


def clean(value: str | float) -> float:
    """Read a number; below 1e-40 stands what the precision of the reference left of a zero."""
    number = float(value)
    return 0.0 if abs(number) < 1e-40 else number


@pytest.mark.shared
def test_shared_reference_constants(shared_data: Path) -> None:
    table = json.loads((shared_data / "theory" / "reference_constants.json").read_text())
    assert len(table) >= 19
    for shared_name, facts in table.items():
        activation = Activation(SHARED_NAMES.get(shared_name, shared_name))
        for key in ("norm2", "A", "A1", "B1"):
            check(activation, key, getattr(activation, key), clean(facts[key]))
        found = activation.dual.coefficients(len(facts["a"]))
        for k, true in enumerate(map(clean, facts["a"])):
            assert found[k] == pytest.approx(true, rel=1e-12, abs=1e-15), (shared_name, k)
            if true == 0.0:
                assert found[k] <= 1e-28
        squares = activation.hermite(len(facts["a"])) ** 2
        assert squares == pytest.approx(found, rel=1e-11, abs=1e-15)
