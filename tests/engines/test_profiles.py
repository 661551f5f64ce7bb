from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.engines.profiles import has_profile, polynomial_of, profile_of
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import fit_lift

SPHERE = fit_lift([[0.6, 0.8], [1.0, 0.0]])


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
def test_a_table_is_its_kernel(kernel):
    profile = profile_of(kernel, SPHERE, degree=6, bits=5)
    assert profile.error < 1e-11
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
class Unstated:
    """A power whose exponent nobody states."""

    positive: bool = True

    def log_at_gap(self, s):
        with np.errstate(divide="ignore"):
            return -1.25 * np.log(2.0 * np.asarray(s))


def test_the_exponent_is_found_where_it_is_not_stated():
    profile = profile_of(Unstated(), SPHERE, degree=6, bits=5)
    assert profile.exponent == pytest.approx(2.5)
    assert profile.error < 1e-12


def test_what_has_no_table_is_refused():
    assert not has_profile(Jumps(), SPHERE)
    assert has_profile(dl.LimitKernel("5d_opt"), SPHERE)
    assert not has_profile(dl.NetworkKernel("5d_opt", 300, kind="nngp"), SPHERE)
    with pytest.raises(ValueError, match="off the sphere the fast engines know the pure power"):
        profile_of(dl.LimitKernel("erf"), fit_lift([[0.0]], "euclidean"), degree=6, bits=5)
    with pytest.raises(ValueError, match="too wide a range"):
        deep = dl.NetworkKernel("5d_opt", 300, kind="nngp")
        profile_of(deep, SPHERE, degree=6, bits=5)


def test_steepness_is_the_exponent_and_what_the_table_adds():
    assert profile_of(PowerKernel(3.5), SPHERE, degree=3, bits=5).steepness == 3.5
    for kernel, low, high in (
        (dl.LimitKernel("5d_opt"), 4.0, 4.5),
        (dl.NetworkKernel("relu", 3), 0.5, 0.7),
        (Unstated(), 2.49, 2.51),
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


def test_a_polynomial_knows_its_error_where_the_kernel_is_small():
    # In float32, relative to what is near: 1e8 at a gap of 0, and 1 at a gap of 1.
    assert polynomial_of(Steep(), SPHERE, degree=12).error > 1e-3
    assert polynomial_of(dl.NetworkKernel("relu", 3), SPHERE, degree=12).error < 1e-6
    assert polynomial_of(dl.NetworkKernel("erf", 3), SPHERE, degree=12) is None
    assert polynomial_of(dl.NetworkKernel("relu", 1), SPHERE, degree=12) is None
