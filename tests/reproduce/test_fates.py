from __future__ import annotations

import numpy as np
import pytest

from deeplimit.activations import Activation
from deeplimit.reproduce import fates
from deeplimit.reproduce.machines import gaps_between
from deeplimit.reproduce.problems import PROBLEMS
from deeplimit.reproduce.settings import Settings


def test_common_activations_meet_their_fates() -> None:
    result = fates.check_common(Settings(quick=True))
    assert result.passed, result.figure
    relu = result.data["relu"]["share_majority"]
    assert relu[0] < 0.9 < relu[-1] == 1.0


def test_a_relu_network_that_stays_shallow_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    real = fates.NetworkKernel
    monkeypatch.setattr(fates, "NetworkKernel", lambda name, depth: real(name, min(depth, 10)))
    result = fates.check_common(Settings(quick=True))
    assert result.passed is False
    assert result.data["relu"]["share_majority"][-1] < 1.0


def test_bordered_system_is_the_plain_one_while_that_can_be_solved() -> None:
    sample = PROBLEMS["R⁹"].draw(15, 8, 0)
    gram = gaps_between(sample.train, sample.train)
    cross = gaps_between(sample.test, sample.train)
    phi = Activation("sigmoid")
    near, far = (fates._gaps_at_depth(phi, g, 2) for g in (gram, cross))
    scale = phi.B1**2
    got = fates._interpolate(near / scale, scale, sample.train_labels, far / scale)
    want = (1.0 - far) @ np.linalg.solve(1.0 - near, sample.train_labels)
    np.testing.assert_allclose(got, want, rtol=1e-6)
