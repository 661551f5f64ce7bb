"""Designs: the theory's figures, the proof that comes with each, ranges and errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deeplimit.activations import Activation
from deeplimit.designs import DesignedActivation, design, families
from deeplimit.regimes import taxonomy

SPHERES = range(2, 13)
PURE = [f for f in families() if not math.isnan(f.lowest)]


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("d", SPHERES)
@pytest.mark.parametrize("family", PURE, ids=lambda family: family.name)
def test_every_family_gives_the_dimension_it_can_reach(family, d, odd):
    if not family.reaches(d, odd=odd):
        with pytest.raises(ValueError, match="reach"):
            design(dimension=d, family=family.name, odd=odd)
        return
    phi = design(dimension=d, family=family.name, odd=odd)
    proof = phi.design
    assert proof.family is family
    assert proof.error <= 1e-12
    assert abs(proof.taxonomy.exponent - d) <= 1e-12
    assert proof.taxonomy.dimension == d
    assert proof.taxonomy.regime == "singular-kernel"
    assert not odd or phi.is_odd
    # The proof is no memory of the wish: classified afresh, it is the same.
    assert taxonomy(phi).exponent == proof.taxonomy.exponent


@pytest.mark.parametrize("family", ["three-term", "two-term", "sine", "exponential", "residual"])
@pytest.mark.parametrize("d", [3, 8])
def test_the_kernel_itself_agrees(family, d):
    t = design(dimension=d, family=family).design.taxonomy
    assert t.evidence.agrees_with(t)
    assert t.evidence.exponent == pytest.approx(d, rel=1e-7)


@pytest.mark.parametrize("d", [2, 3, 4.5, 12])
@pytest.mark.parametrize("family", ["three-term", "two-degrees", "two-term", "sine", "exponential"])
def test_the_function_written_out_has_the_exponent(family, d):
    if not any(f.name == family and f.reaches(d) for f in families()):
        d += 1
    phi = design(dimension=d, family=family)
    # A callable that has forgotten its formula, integrated numerically.
    plain = Activation(lambda z: phi(z), name="plain")
    assert plain.norm2 == pytest.approx(phi.norm2, rel=1e-11)
    t = taxonomy(plain if phi.is_odd else plain.centered())
    assert t.exponent == pytest.approx(d, abs=1e-9)
    assert pytest.approx(0.0, abs=1e-11) == plain.A
    z = np.linspace(-3, 3, 13)
    scope: dict[str, object] = {}
    exec(phi.design.code.python, scope)
    written = scope["activation"](z)
    np.testing.assert_allclose(written, phi(z) / math.sqrt(phi.norm2), rtol=1e-11, atol=1e-11)


def test_signed_coefficients_are_those_of_the_function():
    for family in ("sine", "exponential", "three-term", "mobius"):
        phi = design(exponent=2.0 if family == "mobius" else 4.0, family=family)
        plain = Activation(lambda z, phi=phi: phi(z))
        np.testing.assert_allclose(phi.hermite(12), plain.hermite(12), rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("family", "degree", "figures"),
    [
        (
            "two-term",
            2,
            {3: 0.610609316665, 4: 0.381966011250, 6: 0.160713244786, 8: 0.072438024517},
        ),
        ("two-term", 4, {1: 0.767591879244}),
        (
            "sine",
            None,
            {
                2: 2.676073964920,
                3: 4.394826568436,
                4: 6.135393035897,
                5: 7.948659450195,
                6: 9.838264491117,
                7: 11.799345448682,
                8: 13.825845805282,
                9: 15.912078947218,
                10: 18.053027613886,
            },
        ),
        (
            "exponential",
            None,
            {
                3: 2.521545457371,
                4: 4.622335815970,
                5: 6.620008230444,
                6: 8.614524623547,
                8: 12.713231603291,
            },
        ),
    ],
)
def test_figures_of_the_theory(family, degree, figures):
    for d, expected in figures.items():
        found = design(d, family=family, degree=degree).design.parameters
        assert found["p" if family == "two-term" else "a"] == pytest.approx(expected, abs=1e-11)


def test_three_terms():
    for d in (2, 3, 5, 10):
        a = 2.0 ** (-d / 2)
        squares = design(d).dual.coefficients(5)
        np.testing.assert_allclose(squares, [0, a, 1 - 2 * a, a, 0], rtol=0, atol=1e-15)
        assert pytest.approx(2.0, rel=1e-15) == design(d).B1
    # The authors' own activations.
    for d, name in ((2, "3d_opt"), (4, "5d_opt"), (8, "9d_opt")):
        mine, theirs = design(d), Activation(name)
        np.testing.assert_allclose(mine.hermite(4), theirs.hermite(4), rtol=0, atol=1e-15)
    odd = design(3, odd=True).dual.coefficients(4)
    assert odd[0] == odd[2] == 0.0


def test_the_families_with_a_known_limit_kernel():
    for exponent, family in ((2.0, "mobius"), (1.3, "theta"), (0.2, "theta"), (2.0, "theta")):
        for slope in (None, 1.5, 7.0):
            phi = design(exponent=exponent, family=family, slope=slope)
            assert pytest.approx(slope or 2.0, rel=1e-13) == phi.B1
            assert phi.design.error <= 1e-12
            theta = exponent / 2
            xi = np.array([0.3, 0.9, -0.4])
            kappa = ((1 - xi) ** -theta - 1) / theta
            then = ((1 - phi.dual.value(xi)) ** -theta - 1) / theta
            np.testing.assert_allclose(then, phi.A1**2 * kappa, rtol=1e-11)


def test_what_a_series_cuts_is_told_and_true():
    exact = design(2, family="mobius")
    assert "54 terms" in exact.design.note
    assert "5.6e-17" in exact.design.note
    assert exact.norm2 == 1.0
    rough = design(1, family="theta")
    assert "128 terms" in rough.design.note
    cut = 1.0 - Activation(rough.expression).norm2
    assert 1.0 - rough.norm2 == pytest.approx(cut, rel=1e-9)
    assert f"{cut:.2g}" in rough.design.note


@pytest.mark.parametrize("slope", [1.05, 1.5, 2.0, 3.0, 10.0])
@pytest.mark.parametrize("exponent", [0.1, 0.7, 1.0, 2.0])
def test_two_degrees_take_any_slope_up_to_exponent_2(exponent, slope):
    phi = design(exponent=exponent, family="two-degrees", slope=slope)
    assert pytest.approx(slope, rel=1e-13) == phi.B1
    assert phi.design.error <= 1e-11


def test_centred_activations():
    phi = design(family="centered", base="relu")
    assert phi.design.exponent is None
    assert phi.design.error == 0.0
    assert phi.design.taxonomy.exponent == pytest.approx(1.61786624718, abs=1.1e-11)
    # Scaling the argument: any exponent in between.
    for base, exponent in (("gelu", 2.0), ("gelu", 2.3), ("silu", 2.0), ("elu", 1.7)):
        phi = design(exponent=exponent, family="centered", base=base)
        assert phi.design.error <= 1e-10
        assert phi.design.parameters["stretch"] > 0
    with pytest.raises(ValueError, match=r"relu less its mean has exponents from about 1\.618"):
        design(3, family="centered", base="relu")


def test_residual_layers():
    for base, exponent in (("h2", 2.5), ("h3", 1.5), ("gelu", 2.0), ("erf", 0.82), ("sin", 1.1)):
        phi = design(exponent=exponent, family="residual", base=base)
        assert phi.design.error <= 1e-10
        assert not phi.pointwise
        assert phi.design.code is None
        tau = phi.design.parameters["tau"]
        a1, b1 = (c := Activation(base).centered()).A1 ** 2, c.B1
        assert pytest.approx((1 + tau * a1) / (1 + tau), rel=1e-14) == phi.A1**2
        assert pytest.approx((1 + tau * b1) / (1 + tau), rel=1e-14) == phi.B1
    for base, exponent in (("h2", 1.9), ("erf", 2.0), ("gelu", 1.7), ("gelu", 2.4)):
        with pytest.raises(ValueError, match=r"a skip around [\w ]+ reaches exponents from"):
            design(exponent=exponent, family="residual", base=base)
    with pytest.raises(ValueError, match="cannot be tuned"):
        design(2, family="residual", base="sign")
    assert design(3, family="residual", odd=True).is_odd


def test_the_default_family_reaches_everything():
    assert design(2).design.family.name == "three-term"
    assert design(1).design.family.name == "two-degrees"
    assert design(1, odd=True).design.family.name == "two-degrees"
    assert design(1.5, odd=True).design.family.name == "three-term"
    for exponent in (0.01, 0.02, 0.5, 2.5, 30, 100, 784, 1200):
        assert design(exponent=exponent).design.error <= 1e-9


@pytest.mark.parametrize("family", PURE, ids=lambda family: family.name)
@pytest.mark.parametrize("odd", [False, True])
def test_ranges_are_as_told(family, odd):
    low = family.lowest_odd if odd else family.lowest
    if low is None:
        with pytest.raises(ValueError, match="no odd"):
            design(2, family=family.name, odd=True)
        return
    for exponent in {low * (1 + 1e-9), low + 0.3, min(family.highest, 50.0), family.highest}:
        if exponent <= family.highest and family.reaches(exponent, odd=odd):
            assert design(exponent=exponent, family=family.name, odd=odd).design.error <= 1e-9
    for exponent in (
        low * 0.99,
        low if not family.reaches(low, odd=odd) else family.highest * 1.01,
    ):
        with pytest.raises(ValueError, match=f"{family.name} reaches exponent"):
            design(exponent=exponent, family=family.name, odd=odd)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give the dimension"),
        ({"dimension": 2, "exponent": 2}, "not both"),
        ({"dimension": 0}, "positive"),
        ({"dimension": math.nan}, "positive"),
        ({"dimension": math.inf}, "positive"),
        ({"dimension": 2, "family": "four-term"}, "there are three-term"),
        ({"dimension": 1, "family": "three-term"}, "two-degrees, two-term, theta reach exponent 1"),
        ({"dimension": 2, "family": "exponential"}, "sine, mobius, theta reach"),
        ({"dimension": 3, "family": "theta"}, r"theta reaches exponents from 0.01 to 2, got 3"),
        ({"dimension": 3, "family": "mobius"}, "exponent 2 only"),
        (
            {"dimension": 1, "family": "two-term", "degree": 3},
            "above 1 only, got 1; degree 4 would",
        ),
        ({"dimension": 3, "family": "two-term", "degree": 4, "odd": True}, "degree 4 is not odd"),
        ({"dimension": 3, "family": "two-term", "degree": 1}, "from 2 to 500"),
        ({"dimension": 900, "family": "two-term", "degree": 90}, "underflows"),
        ({"dimension": 4, "family": "two-degrees", "slope": 1.5}, "slope of 2 always does"),
        ({"dimension": 4, "family": "two-degrees", "slope": 1.0}, "above 1, got 1"),
        ({"dimension": 0.05, "family": "two-degrees", "slope": 90.0}, "a smaller slope"),
        ({"dimension": 2, "family": "mobius", "slope": 0.5}, "above 1"),
        ({"dimension": 4, "family": "sine", "slope": 2.0}, "sine takes no slope; two-degrees"),
        ({"dimension": 4, "degree": 2}, "three-term takes no degree; two-term"),
        ({"dimension": 4, "base": "relu"}, "three-term takes no base; centered, residual"),
        ({"dimension": 2, "family": "centered", "odd": True}, "not give an odd"),
        ({"dimension": 5000}, "no family reaches exponent 5000"),
    ],
)
def test_errors_say_what_would_do(arguments, message):
    with pytest.raises(ValueError, match=message):
        design(**arguments)


def test_changes_of_a_design_are_plain_activations():
    phi = design(4)
    assert isinstance(phi, DesignedActivation)
    for changed in (phi.residual(1.0), phi.scaled(2.0), phi.centered(), phi.biased(0.1)):
        assert type(changed) is Activation
        assert not hasattr(changed, "design")
    assert taxonomy(phi.scaled(-2.0)).exponent == pytest.approx(4.0, rel=1e-14)


def test_families_are_told_in_words():
    for family in families():
        assert str(family).startswith(family.name)
        assert not family.reaches(-1.0)
    assert "depend on the base" in str(families()[-1])
