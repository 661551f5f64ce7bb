from __future__ import annotations

import numpy as np
import pytest

from deeplimit.engines.checks import (
    check_examples,
    check_excluded,
    check_places,
    check_queries,
)
from deeplimit.engines.compiled import CompiledEngine
from deeplimit.engines.reference import ReferenceEngine
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import fit_lift

ROWS = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("index", "weight", "message"),
    [
        ([0, 1], None, "a matrix of 2 examples and 2 columns is expected"),
        ([0, 1, 2], None, "class indices must lie in 0..1"),
        ([0, -1, 1], None, "class indices must lie in 0..1"),
        ([0.0, 1.0, 1.0], None, "a vector of integers"),
        ([0, 1, 1], [1.0, -1.0, 1.0], "nonnegative"),
        ([0, 1, 1], [1.0, np.nan, 1.0], "nonnegative"),
        ([0, 1, 1], [1.0], "3 sample weights"),
    ],
)
@pytest.mark.parametrize("engine", [CompiledEngine, ReferenceEngine])
def test_examples_that_do_not_fit_are_refused(engine, index, weight, message):
    with pytest.raises(ValueError, match=message):
        check_examples(ROWS, index, weight, 2, 2)
    with pytest.raises(ValueError, match=message):
        engine(fit_lift(ROWS, "euclidean"), ROWS, index, weight, 2)


@pytest.mark.parametrize("engine", [CompiledEngine, ReferenceEngine])
def test_examples_of_other_columns_than_the_lift_are_refused(engine):
    with pytest.raises(ValueError, match="3 examples and 4 columns is expected"):
        engine(fit_lift(np.zeros((3, 4)), "euclidean"), ROWS, [0, 1, 1], None, 2)


@pytest.mark.parametrize("value", [np.inf, np.nan])
@pytest.mark.parametrize("engine", [CompiledEngine, ReferenceEngine])
def test_queries_that_are_not_finite_are_refused(engine, value):
    made = engine(fit_lift(ROWS, "euclidean"), ROWS, [0, 1, 1], None, 2)
    for ask in (
        lambda Q: made.class_sums(PowerKernel(1.0), Q),
        lambda Q: made.top_contributors(PowerKernel(1.0), Q, 1),
    ):
        with pytest.raises(ValueError, match="queries must be finite"):
            ask([[value, 0.0]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "half"}, "precision must be"),
        ({"n_jobs": 0}, "n_jobs is a number of threads"),
        ({"n_jobs": "all"}, "-1 for all processors, or None; got 'all'"),
    ],
)
def test_options_of_the_loops_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        CompiledEngine(fit_lift(ROWS, "euclidean"), ROWS, [0, 1, 1], None, 2, **options)


def test_weights_are_copied():
    given = np.array([1.0, 2.0, 3.0])
    _, weight = check_examples(ROWS, [0, 0, 0], given, 1, 2)
    weight[0] = 0.0
    assert given[0] == 1.0


@pytest.mark.parametrize("exclude", [[-2, 0], [3, 0], [0], [[0, 1]]])
def test_what_no_query_can_leave_out_is_refused(exclude):
    with pytest.raises(ValueError, match=r"an example in 0\.\.2, or -1, for each of 2"):
        check_excluded(exclude, 2, 3)
    engine = CompiledEngine(fit_lift(ROWS, "euclidean"), ROWS, [0, 1, 1], None, 2)
    for ask in (
        lambda: engine.class_sums(PowerKernel(1.0), ROWS[:2], exclude),
        lambda: engine.top_contributors(PowerKernel(1.0), ROWS[:2], 1, exclude),
    ):
        with pytest.raises(ValueError, match="exclude needs"):
            ask()


@pytest.mark.parametrize("places", [[-1], [3], 5, [True, False, False], [0.0]])
@pytest.mark.parametrize("engine", [CompiledEngine, ReferenceEngine])
def test_places_where_no_example_is_are_refused(engine, places):
    with pytest.raises(ValueError, match="places of examples"):
        check_places(places, 3)
    made = engine(fit_lift(ROWS, "euclidean"), ROWS, [0, 1, 1], None, 2)
    with pytest.raises(ValueError, match="places of examples"):
        made.forget(places)
    assert made.weight is None


@pytest.mark.parametrize("shape", [(2,), (3, 1), (1, 3, 2)])
def test_queries_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="a matrix of 2 columns is expected"):
        check_queries(np.zeros(shape), 2)
    engine = CompiledEngine(fit_lift(ROWS, "euclidean"), ROWS, [0, 1, 1], None, 2)
    for ask in (engine.class_sums, lambda kernel, Q: engine.top_contributors(kernel, Q, 1)):
        with pytest.raises(ValueError, match="a matrix of 2 columns is expected"):
            ask(PowerKernel(1.0), np.zeros(shape))
