from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.engines.profiles import has_profile, profile_of
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


def test_odd_kernels_turn_at_antipodes_and_others_do_not():
    turns = {
        name: profile_of(dl.LimitKernel(name), SPHERE, degree=6, bits=5).turns
        for name in ("2d_opt", "3d_opt", "tanh", "5d_opt", "9d_opt")
    }
    assert turns == {"2d_opt": True, "3d_opt": True, "tanh": True, "5d_opt": False, "9d_opt": False}


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
