from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from deeplimit.sums.threads import map_blocks, number_of_threads, single_threaded_blas


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_number_of_threads():
    n = os.cpu_count() or 1
    assert [number_of_threads(j) for j in (None, 1, 5)] == [1, 1, 5]
    assert number_of_threads(-1) == n
    assert number_of_threads(-2) == max(1, n - 1)
    assert number_of_threads(-1000) == 1
    for value in (0, 1.5, "all", True):
        with pytest.raises(ValueError, match=r"^n_jobs is a number of threads.*; got "):
            number_of_threads(value)
    assert number_of_threads(np.int32(2)) == 2


def test_order_is_kept_and_errors_arrive():
    def slow(i):
        time.sleep(0.002 * (5 - i))
        return i * i

    for n_jobs in (1, 3, -1):
        assert map_blocks(slow, range(5), n_jobs) == [0, 1, 4, 9, 16]
    assert map_blocks(slow, [], 4) == []
    with pytest.raises(ZeroDivisionError):
        map_blocks(lambda i: 1 // i, [1, 0], 2)


def test_threads_are_used():
    barrier = threading.Barrier(3, timeout=10)
    assert sorted(map_blocks(lambda _: barrier.wait(), range(3), 3)) == [0, 1, 2]


def test_blas_is_held_at_one_thread_and_let_go():
    before = blas_threads()
    assert before
    outer, inner = single_threaded_blas(), single_threaded_blas()
    outer.__enter__()
    inner.__enter__()
    assert set(blas_threads()) == {1}
    # The first to come may be the first to go.
    outer.__exit__(None, None, None)
    assert set(blas_threads()) == {1}
    inner.__exit__(None, None, None)
    assert blas_threads() == before
