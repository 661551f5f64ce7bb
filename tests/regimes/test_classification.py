"""The taxonomy: every named activation, the theory's figures, uncertainty, words."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from deeplimit.activations import Activation, names
from deeplimit.regimes import taxonomy

NEAREST, MAJORITY, SINGULAR, POSITIVE = (
    "nearest-neighbour",
    "majority-vote",
    "singular-kernel",
    "conditionally-positive-definite",
)

EXPECTED = {
    "identity": "identity",
    "relu": MAJORITY,
    "leaky_relu": MAJORITY,
    "prelu": MAJORITY,
    "rrelu": MAJORITY,
    "abs": MAJORITY,
    "relu6": MAJORITY,
    "elu": MAJORITY,
    "celu": MAJORITY,
    "selu": SINGULAR,
    "gelu": MAJORITY,
    "gelu_tanh": MAJORITY,
    "quick_gelu": MAJORITY,
    "silu": MAJORITY,
    "mish": MAJORITY,
    "softplus": POSITIVE,
    "sigmoid": POSITIVE,
    "log_sigmoid": POSITIVE,
    "tanh": SINGULAR,
    "softsign": SINGULAR,
    "hard_tanh": SINGULAR,
    "hard_sigmoid": POSITIVE,
    "hard_swish": MAJORITY,
    "hard_shrink": SINGULAR,
    "soft_shrink": SINGULAR,
    "tanh_shrink": SINGULAR,
    "sparse_plus": POSITIVE,
    "sparse_sigmoid": POSITIVE,
    "squareplus": POSITIVE,
    "exponential": MAJORITY,
    "erf": SINGULAR,
    "ndtr": POSITIVE,
    "sin": SINGULAR,
    "cos": POSITIVE,
    "gaussian": POSITIVE,
    "sign": SINGULAR,
    "step": MAJORITY,
    "square": MAJORITY,
    "cube": SINGULAR,
    "relu_squared": MAJORITY,
    "arctan": SINGULAR,
    "asinh": SINGULAR,
    "snake": MAJORITY,
    "2d_opt": SINGULAR,
    "3d_opt": SINGULAR,
    "5d_opt": SINGULAR,
    "9d_opt": SINGULAR,
}

#: Those whose gaps grow by exactly 1 next to 1, and so slowly that depth is needed.
CRITICAL = {"relu", "leaky_relu", "prelu", "rrelu", "abs", "exponential"}


def test_every_name_has_an_expected_regime():
    assert set(EXPECTED) == set(names())
    assert len(EXPECTED) >= 30


@pytest.mark.parametrize("name", names())
def test_regime_of_every_name_and_its_evidence(name):
    t = taxonomy(name)
    assert t.regime == EXPECTED[name]
    assert t.evidence.regime == EXPECTED[name]
    assert t.evidence.agrees_with(t)
    assert t.candidates == ()
    slow = any("only polynomially" in warning for warning in t.warnings)
    assert slow == (name in CRITICAL)


@pytest.mark.parametrize(
    ("spec", "exponent"),
    [
        ("erf", 0.8882146512837059),
        ("tanh", 0.8807036308077962),
        ("sin(x/2)", 1.012434985838011),
        ("sin", 1.185565769445566),
        ("sin(2x)", 2.76895601964922),
        ("2d_opt", 1.0),
        ("3d_opt", 2.0),
        ("5d_opt", 4.0),
        ("9d_opt", 8.0),
        ("sign", 0.0),
        ("step", None),
    ],
)
def test_exponents_of_the_theory(spec, exponent):
    t = taxonomy(spec)
    if exponent is None:
        assert t.exponent is t.dimension is None
        return
    assert t.exponent == pytest.approx(exponent, rel=1e-12)
    assert t.dimension == (pytest.approx(exponent, rel=1e-12) if exponent else None)
    assert isinstance(t.dimension, int) == (exponent in (1.0, 2.0, 4.0, 8.0))
    assert t.errors["exponent"] <= 1e-11


# Digits truncated, after "Any common activation with its mean subtracted".
@pytest.mark.parametrize(
    ("name", "exponent"),
    [
        ("relu", 1.61786624718),
        ("gelu", 2.34103737357),
        ("silu", 2.33970834882),
        ("softplus", 2.1318214034),
        ("elu", 1.71901289372),
        ("sigmoid", 0.966057743716),
    ],
)
def test_exponents_of_centred_activations(name, exponent):
    t = taxonomy(Activation(name).centered())
    assert t.regime == SINGULAR
    assert t.exponent == pytest.approx(exponent, abs=1.1e-11)


@pytest.mark.shared
def test_regimes_of_the_reference_table(shared_data):
    path = shared_data / "theory" / "reference_constants.json"
    table = json.loads(path.read_text())
    words = {"majority": MAJORITY, "singular": SINGULAR, "CPD": POSITIVE, "1-NN": NEAREST}
    for key, row in table.items():
        head, _, frequency = key.partition("_freq_")
        t = taxonomy(f"{head}({frequency}*x)" if frequency else key)
        assert t.regime == words[row["regime"].partition("(")[0]], key
        for mine, name in ((t.A, "A"), (t.A1, "A1"), (t.B1, "B1")):
            assert abs(abs(mine) - abs(float(row[name]))) <= 1e-12, (key, name)
        if row["alpha"] is not None:
            assert t.exponent == pytest.approx(float(row["alpha"]), rel=1e-12)
            assert math.exp(-t.exponent * math.log(t.B1) / 4) == pytest.approx(abs(t.A1), rel=1e-12)


@pytest.mark.parametrize(
    ("spec", "candidates"),
    [
        # A is zero in the figures, not by structure.
        (lambda z: z * z - 1.0, (NEAREST, MAJORITY)),
        ("relu(x) - 0.3989422804014327", (SINGULAR, MAJORITY)),
        # A' is.
        (lambda z: z**3 - 3.0 * z, (NEAREST, SINGULAR)),
        # B' is 1 in the figures: a bias of just that variance.
        (Activation("tanh").biased(Activation("tanh").B1 - 1.0), (MAJORITY, POSITIVE)),
        (Activation("erf").biased(0.2257000037856908), (MAJORITY, POSITIVE)),
    ],
)
def test_what_rests_on_figures_is_undecided(spec, candidates):
    t = taxonomy(spec)
    assert t.regime == "undecided"
    assert t.candidates == candidates
    assert "to within its error" in t.reason
    assert t.exponent is t.dimension is t.rate is t.fixed_point is None
    assert t.evidence.agrees_with(t)


def test_centring_makes_it_certain():
    phi = Activation(lambda z: np.maximum(z, 0.0) - 0.3989422804014327, name="phi")
    assert taxonomy(phi).regime == "undecided"
    assert "centered()" in taxonomy(phi).reason
    t = taxonomy(phi.centered())
    assert (t.regime, t.A, t.errors["A"]) == (SINGULAR, 0.0, 0.0)
    assert t.exponent == pytest.approx(1.61786624718, abs=1e-10)


def test_a_mean_just_above_its_error_is_a_mean():
    t = taxonomy("tanh(x) + 0.000000001")
    assert t.regime == MAJORITY
    mean = 1e-9 / math.sqrt(0.3942944903978412)
    assert abs(t.A - mean) <= 1e-5 * mean
    assert 0.0 < t.fixed_point < 1e-15
    assert t.evidence.agrees_with(t)


def test_no_mean_needs_no_certainty_when_the_slope_rules_it_out():
    # A = 0 would imply B' >= 1.
    c = taxonomy("cos(x)")
    assert (c.regime, c.B1 < 1.0) == (POSITIVE, True)


def test_selu_stands_for_the_equation_its_constants_solve():
    t = taxonomy("selu")
    assert (t.A, t.errors["A"], t.regime) == (0.0, 0.0, SINGULAR)
    assert t.activation.hermite(1)[0] == pytest.approx(0.0, abs=1e-15)
    # As a mere formula the same function has a mean of unknown size.
    assert taxonomy(Activation("selu").formula).regime == "undecided"
    assert taxonomy(Activation("selu").stretched(1.5)).regime == MAJORITY


def test_bias_and_skip_change_the_fate():
    erf = Activation("erf")
    assert taxonomy(erf.biased(0.2)).regime == MAJORITY
    assert taxonomy(erf.biased(0.3)).regime == POSITIVE
    assert "variance below B' - 1 = 0.2257" in " ".join(taxonomy(erf).warnings)
    assert taxonomy(Activation("h2").residual(1.0)).regime == SINGULAR
    tau = 0.5
    t = taxonomy(erf.residual(tau))
    a1, b1 = erf.A1**2, erf.B1
    expected = 2 * math.log((1 + tau) / (1 + tau * a1)) / math.log((1 + tau * b1) / (1 + tau))
    assert t.exponent == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("tau", [1e-3, 1e-6, 1e-9])
def test_a_layer_next_to_the_identity_keeps_its_exponent(tau):
    t = taxonomy(Activation("h2").residual(tau))
    expected = 2 * math.log1p(tau) / math.log1p(tau / (1 + tau))
    assert t.exponent == pytest.approx(expected, rel=1e-13)
    assert t.evidence.agrees_with(t)


def test_the_identity_only_is_the_identity():
    for spec in ("x", "-3x", lambda z: 2.0 * z):
        assert taxonomy(spec).regime == "identity"
    # Rounded, A'² and B' are 1 here too.
    t = taxonomy("x + 0.000000001*x^3")
    assert t.regime == SINGULAR
    # c_3 of x^3 is 6^(1/2): alpha = 2 a_3 / 2 a_3.
    assert t.exponent == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("spec", ["3", "2 + 0*x", lambda z: np.full_like(z, -1.5)])
def test_a_constant_is_a_vote_of_all(spec):
    t = taxonomy(spec)
    assert (t.regime, t.fixed_point, t.rate) == (MAJORITY, None, 0.0)
    assert "constant" in t.reason
    assert t.evidence.agrees_with(t)


def test_warnings_name_what_matters():
    def told(spec):
        return " ".join(taxonomy(spec).warnings)

    assert "antipodes vote against" in told("3d_opt")
    assert "antipodes" not in told("5d_opt")
    assert "no whole number" in told("erf")
    assert "no whole number" not in told("5d_opt")
    assert "oscillates" in told("sine_13.825845805282")
    assert "oscillates" not in told("3d_opt")
    assert "local in no dimension" in told("sign")
    assert "nearest up to sign" in told("h2")
    assert "votes against its label" in told("h3")
    assert "up to sign" not in told(Activation.from_hermite([0, 0, 1, 3]))
    assert "correlation of 0.859" in told(Activation.from_hermite([0, 0, 1, 3]))
    assert "n*s^-0.5" in told("relu")
    assert "n*s^-1" in told("exponential")
    assert "slowly" in told("relu6")
    assert "ridge" in told("sigmoid")
    for spec in ("erf", "h2"):
        assert "Orthogonal points have weight 0" in told(spec)
    assert told("gelu") == ""


@pytest.mark.parametrize(
    "spec", ["sign", "gelu", "h2", "relu", "x", "relu(x) - 0.3989422804014327"]
)
def test_it_is_told_in_words_and_in_json(spec):
    t = taxonomy(spec, evidence=True)
    assert "evidence" in vars(t)
    told = json.loads(json.dumps(t.to_dict(), allow_nan=False))
    assert told["regime"] == t.regime
    assert "activation" not in told
    text = str(t)
    assert t.regime.replace("-", " ") in text
    assert t.reason in text
    assert all(warning in text for warning in t.warnings)


def test_evidence_is_lazy_and_made_once():
    t = taxonomy("erf")
    assert "evidence" not in vars(t)
    assert t.evidence is t.evidence
