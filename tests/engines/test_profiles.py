from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.designs import design
from deeplimit.engines.profiles import DEGREE, double_profile, has_profile, profile_of
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import fit_lift

SPHERE = fit_lift([[0.6, 0.8], [1.0, 0.0]])
# The table of the kernel itself, that double precision looks up.
WHOLE = {"degree": DEGREE, "bits": 9, "whole": True}


def evaluate(profile, s):
    """Look K up in the table, as the engines do."""
    t, far = (s, 0) if s <= 1.0 else (2.0 - s, len(profile.table) // 2)
    mantissa, exponent = np.frexp(t)
    octave, place = exponent - 1 - profile.low, 2 * mantissa - 1.0
    row = int(octave * 2**profile.bits + np.floor(place * 2**profile.bits))
    v = place * 2**profile.bits % 1.0
    row, v = (0, 0.0) if row < 0 else (row, v)
    p = np.polynomial.polynomial.polyval(v, profile.table[row + far])
    return p * (2 * s) ** (-profile.exponent / 2)


@pytest.mark.parametrize(
    "kernel",
    [
        dl.LimitKernel("3d_opt"),
        dl.LimitKernel("9d_opt"),
        dl.LimitKernel("sine_13.825845805282"),
        dl.LimitKernel("tanh"),
        dl.NetworkKernel("relu", 3),
        dl.NetworkKernel("erf", 2, kind="nngp"),
    ],
    ids=str,
)
@pytest.mark.parametrize("form", [WHOLE, {"degree": 6, "bits": 7}], ids=["whole", "power"])
def test_a_table_is_its_kernel(kernel, form):
    profile = profile_of(kernel, SPHERE, **form)
    assert profile.error < 1e-11
    assert profile.exponent == (0.0 if "whole" in form else getattr(kernel, "exponent", 0.0))
    gaps = np.concatenate([np.logspace(-15, 0, 61), 2.0 - np.logspace(-3, 0, 31)])
    for s in gaps:
        log, sign = kernel.log_and_sign_at_gap(s)
        exact = float(sign * np.exp(log))
        size = float(np.exp(kernel.log_at_gap(min(s, 0.9))))
        assert evaluate(profile, s) == pytest.approx(exact, rel=1e-10, abs=1e-9 * size)


def test_the_pure_power_needs_no_table():
    profile = profile_of(PowerKernel(3.5), fit_lift([[0.0], [5.0]], "euclidean"), degree=3, bits=5)
    assert (profile.exponent, profile.table) == (3.5, None)


def test_kernels_turn_where_antipodes_are_singular_or_zero():
    turns = {
        name: profile_of(dl.LimitKernel(name), SPHERE, degree=6, bits=5).turns
        for name in ("2d_opt", "3d_opt", "tanh", "5d_opt", "9d_opt")
    }
    assert turns == {"2d_opt": True, "3d_opt": True, "tanh": True, "5d_opt": True, "9d_opt": False}


@dataclasses.dataclass
class Jumps:
    positive: bool = True

    def log_at_gap(self, s):
        return np.where(np.asarray(s) < 0.37, 1.0, 0.0)


@dataclasses.dataclass
class Power:
    """A power whose exponent nobody states."""

    degree: float = -1.25
    positive: bool = True

    def log_at_gap(self, s):
        with np.errstate(divide="ignore"):
            return self.degree * np.log(2.0 * np.asarray(s))


def test_the_exponent_is_found_where_it_is_not_stated():
    profile = profile_of(Power(), SPHERE, degree=6, bits=5)
    assert profile.exponent == pytest.approx(2.5)
    assert profile.error < 1e-12


def test_what_has_no_table_is_refused():
    assert not has_profile(Jumps(), SPHERE)
    assert has_profile(dl.LimitKernel("5d_opt"), SPHERE)
    assert has_profile(dl.LimitKernel(design(30, odd=True)), SPHERE)
    assert not has_profile(dl.LimitKernel(design(22)), SPHERE)
    assert not has_profile(dl.NetworkKernel("5d_opt", 300, kind="nngp"), SPHERE)
    with pytest.raises(ValueError, match="off the sphere the fast engines know the pure power"):
        profile_of(dl.LimitKernel("erf"), fit_lift([[0.0]], "euclidean"), degree=6, bits=5)
    with pytest.raises(ValueError, match="too wide a range"):
        deep = dl.NetworkKernel("5d_opt", 300, kind="nngp")
        profile_of(deep, SPHERE, degree=6, bits=5)


def test_a_steep_kernel_has_a_table_that_begins_later():
    kernel = dl.LimitKernel(design(20, odd=True))
    profile = double_profile(kernel, SPHERE)
    assert (profile.exponent, profile.low > -52, profile.error < 1e-10) == (0.0, True, True)
    s = 2.0 ** (profile.low + 1.5)
    assert 1e75 < evaluate(profile, s) < 1e90
    assert evaluate(profile, s) == pytest.approx(np.exp(kernel.log_at_gap(s)), rel=1e-10)
    # A power of the gap is taken where the table would have to begin too late.
    power = profile_of(Power(-60.0), SPHERE, **WHOLE)
    assert (power.exponent, power.low) == (120.0, -52)


def test_finer_pieces_are_taken_where_they_have_to_be():
    assert double_profile(dl.LimitKernel("tanh"), SPHERE).bits == 9
    found = double_profile(dl.LimitKernel(design(20, odd=True)), SPHERE)
    assert found.bits == 10
    assert found.error < 1e-10


def test_errors_of_steep_kernels_are_told_beside_what_is_near():
    # Near a right angle this kernel is small beside what it is half an octave off.
    kernel = dl.LimitKernel(design(15))
    profile = double_profile(kernel, SPHERE)
    s = np.random.default_rng(0).uniform(0.7, 1.3, 2000)
    logs, signs = kernel.log_and_sign_at_gap(s)
    exact = signs * np.exp(logs)
    size = np.maximum(np.abs(exact), np.exp(kernel.log_at_gap(np.minimum(s, 2.0 - s) * 0.92)))
    found = np.array([evaluate(profile, gap) for gap in s])
    assert np.max(np.abs(found - exact) / size) < 2.0 * profile.error < 1e-10


def test_steepness_is_the_exponent_and_what_the_table_adds():
    assert profile_of(PowerKernel(3.5), SPHERE, degree=3, bits=5).steepness == 3.5
    for kernel, low, high in (
        (dl.LimitKernel("5d_opt"), 4.0, 4.5),
        (dl.NetworkKernel("relu", 3), 0.5, 0.7),
        (Power(), 2.49, 2.51),
        (Steep(), 3.9, 4.1),
    ):
        assert low < profile_of(kernel, SPHERE, degree=6, bits=5).steepness < high


@dataclasses.dataclass
class Steep:
    """Finite at a gap of 0, and a power of exponent 4 from a gap of 1e-4 on."""

    positive: bool = True

    def log_at_gap(self, s):
        return -2.0 * np.log(1e-4 + np.asarray(s))


def test_signs_are_told():
    signed = {
        kernel: profile_of(kernel, SPHERE, degree=6, bits=5).signed
        for kernel in (dl.LimitKernel("tanh"), dl.NetworkKernel("relu", 1))
    }
    assert all(signed.values())
    assert not profile_of(dl.NetworkKernel("relu", 3), SPHERE, degree=6, bits=5).signed


@pytest.mark.parametrize("name", ["2d_opt", "9d_opt", "tanh"])
def test_a_table_passes_through_the_zero_at_right_angles(name):
    kernel = dl.LimitKernel(name)
    profile = profile_of(kernel, SPHERE, degree=6, bits=5)
    assert evaluate(profile, 1.0) == 0.0
    for s in 1.0 + np.array([-1e-3, -1e-6, -1e-9, 1e-9, 1e-6, 1e-3]):
        log, sign = kernel.log_and_sign_at_gap(s)
        assert evaluate(profile, s) == pytest.approx(float(sign * np.exp(log)), rel=1e-6)
