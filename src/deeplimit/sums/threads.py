"""Threads over blocks of work, with results that do not depend on how many there are."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from numbers import Integral
from typing import Any, TypeVar

__all__ = ["map_blocks", "number_of_threads", "single_threaded_blas"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_lock = threading.Lock()
_users = 0
_limiter: Any = None


@cache
def _controller() -> Any:
    # A dependency of scikit-learn, without types.
    return importlib.import_module("threadpoolctl").ThreadpoolController()


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold the matrix product at one thread: its rounding depends on how it is split.

    The limit is the process's. It falls with the first user and is lifted with the last, so that
    users which overlap in time leave the number of threads as they found it.

    Yields
    ------
    None
        The limit holds meanwhile.
    """
    global _users, _limiter
    with _lock:
        if _users == 0:
            _limiter = _controller().limit(limits=1, user_api="blas")
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _limiter.restore_original_limits()


def number_of_threads(n_jobs: int | None) -> int:
    """Read `n_jobs` in scikit-learn's manner.

    Parameters
    ----------
    n_jobs : int or None
        Number of threads; None means 1, -1 all processors, -2 all but one.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        If `n_jobs` is 0, or no integer.

    Examples
    --------
    >>> number_of_threads(None), number_of_threads(3)
    (1, 3)
    """
    if n_jobs is None:
        return 1
    if not isinstance(n_jobs, Integral) or isinstance(n_jobs, bool) or n_jobs == 0:
        raise ValueError(
            f"n_jobs is a number of threads, -1 for all processors, or None; got {n_jobs!r}."
        )
    threads = int(n_jobs)
    return threads if threads > 0 else max(1, (os.cpu_count() or 1) + 1 + threads)


def map_blocks(
    function: Callable[[Item], Result], items: Sequence[Item], n_jobs: int | None
) -> list[Result]:
    """Apply a function to each item, in threads, and keep the order of the items.

    Parameters
    ----------
    function : callable
        What to apply.
    items : sequence
        To what.
    n_jobs : int or None
        Number of threads, as `number_of_threads` reads it.

    Returns
    -------
    list
        The results in order.

    Raises
    ------
    ValueError
        If `n_jobs` is 0.

    Examples
    --------
    >>> map_blocks(abs, [-1, 2, -3], n_jobs=2)
    [1, 2, 3]
    """
    threads = min(number_of_threads(n_jobs), len(items))
    with single_threaded_blas():
        if threads <= 1:
            return [function(item) for item in items]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(function, items))
