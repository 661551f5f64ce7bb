from __future__ import annotations

import numpy as np
import pytest

from deeplimit.engines.character import Character
from deeplimit.engines.profiles import profile_of
from deeplimit.sums import fit_lift
from engines.adversary import CosineKernel, OddKernel

LIFT = fit_lift(np.eye(2))


class TwoPowers:
    """The kernel s^-1 + 10 (2 - s)^-1: both ends of it are singular, and it is positive."""

    exponent = 2.0
    positive = True

    def log_at_gap(self, s):
        with np.errstate(divide="ignore"):
            return np.log(1.0 / s + 10.0 / (2.0 - s))


@pytest.mark.parametrize("kernel", [CosineKernel(), TwoPowers()])
def test_steepness_is_that_of_the_kernel(kernel):
    character = Character.of(profile_of(kernel, LIFT, degree=5, bits=4))
    t = np.logspace(-5, 0, 2000)
    for s, bound in ((t, character.steepness), (2.0 - t, character.far_steepness)):
        logs = kernel.log_at_gap(s)
        if s is t:
            slope = 2.0 * np.abs(np.gradient(logs, np.log(t))).max()
        else:
            # The leading power is that of s itself; beyond the equator the table holds the rest.
            logs = logs + getattr(kernel, "exponent", 0.0) / 2.0 * np.log(s)
            slope = 2.0 * np.abs(np.gradient(logs, np.log(t)))[t > 2.0**-12].max()
        assert slope <= 1.01 * bound
        assert bound <= 2.0 * slope + 2.5 * kernel.exponent


def test_the_table_is_at_most_one_and_says_how_much_it_varies():
    character = Character.of(profile_of(CosineKernel(), LIFT, degree=5, bits=4))
    assert np.abs(character.profile.table[:, 0]).max() == pytest.approx(1.0, abs=1e-5)
    assert character.log_unit == pytest.approx(1.0, abs=0.01)
    assert character.octaves == pytest.approx(2.0 / np.log(2.0), abs=0.1)


def test_a_change_of_sign_is_seen():
    assert Character.of(profile_of(OddKernel(), LIFT, degree=5, bits=4)).octaves == np.inf
