from __future__ import annotations

import numpy as np
import pytest

from deeplimit.engines.digits import at_once, close, image_size, steepest, weights_fit
from deeplimit.sums import PartialSums, fit_lift


@pytest.mark.parametrize(
    ("weight", "single", "double"),
    [
        (None, True, True),
        ([0.0, 0.0], True, True),
        ([0.0, 1e-15, 1e3], True, True),
        ([1e-15, 1e15], False, True),
        ([1e-30, 1e-30], False, True),
        ([1e30, 1e30], False, True),
        ([1e-150, 1e150], False, False),
        ([1e-250], False, False),
    ],
)
def test_weights_that_a_precision_can_tell(weight, single, double):
    given = None if weight is None else np.array(weight)
    assert (weights_fit(given, "single"), weights_fit(given, "double")) == (single, double)


def test_more_columns_allow_less_steepness():
    limits = [steepest("single", d) for d in (1, 30, 100, 500, 1000)]
    assert limits[:2] == [32.0, 32.0]
    assert sorted(limits, reverse=True) == limits
    assert 11 < limits[-1] < limits[2] < 32
    assert steepest("double", 1000) == np.inf


def test_tasks_of_many_classes_are_small():
    assert [at_once(cells) for cells in (0, 1, 100_000, 10**9)] == [256, 256, 40, 8]


def test_images_of_a_lift_that_rounds_have_a_norm_of_their_own():
    rows = [[0.6, 0.8], [1.0, 0.0]]
    assert image_size(fit_lift(rows, "none"), "double") == 0.0
    assert image_size(fit_lift(rows, "euclidean"), "single") == 0.0
    assert image_size(fit_lift(rows, "hemisphere"), "double") == 2.0
    assert image_size(fit_lift(rows, "hemisphere"), "single") == 2.0**-28


def test_close_is_within_the_error_of_single_precision():
    logs = np.log([[1.0, 1.0 + 1e-6], [1.0, 1.01]])
    assert close(PartialSums.empty(2, 2).add(logs, None, [0, 1])).tolist() == [True, False]
