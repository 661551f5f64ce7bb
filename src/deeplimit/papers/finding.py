"""Papers found by words and meaning, and papers like others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deeplimit.kernels.power import PowerKernel
from deeplimit.papers.vectors import Vectors

__all__ = ["Found", "search", "similar"]

Floats = NDArray[np.float64]

# Several papers are asked like examples of one class: near ones count more than far ones.
_KERNEL = PowerKernel(16.0)


@dataclass(frozen=True)
class Found:
    """A paper that was found.

    Parameters
    ----------
    paper : int
        Its id.
    closeness : float
        1 less the gap of words and meaning together: 1 is the same text, 0 has nothing in common.

    Examples
    --------
    >>> from deeplimit.papers.finding import Found
    >>> Found(7, 0.5).paper
    7
    """

    paper: int
    closeness: float


def search(vectors: Vectors, text: str, count: int = 10) -> list[Found]:
    """Find the papers nearest to a text, by its words and by what they mean.

    Words that stand in no paper are left out of the question; `Vectors.known_words` tells them.

    Parameters
    ----------
    vectors : Vectors
        The papers.
    text : str
        The question.
    count : int, default=10
        How many at most.

    Returns
    -------
    list of Found
        The nearest first, equal ones by id; only what has something in common with the question.

    Raises
    ------
    ValueError
        If the question has no word.

    Examples
    --------
    >>> from deeplimit.papers import Library, parse, vectors_of
    >>> from deeplimit.papers.finding import search
    >>> known = b'[{"title": "deep trees"}, {"title": "deep graphs"}, {"title": "onion soup"}]'
    >>> with Library(":memory:") as library:
    ...     _ = library.add(parse(known, "mine"))
    ...     vectors = vectors_of(library.papers())
    >>> [found.paper for found in search(vectors, "Soup")]
    [3]
    """
    known, unknown = vectors.known_words(text)
    if not known and not unknown:
        raise ValueError(f"{text!r} has no word to search for (words such as 'the' are none).")
    if not known:
        return []
    words, meanings = vectors.place_text(text)
    return _nearest(vectors, vectors.both_gaps(words, meanings), count, ())


def similar(vectors: Vectors, ids: Sequence[int], count: int = 10) -> list[Found]:
    """Find the papers nearest to others.

    To several papers the gap is the power mean of the gaps that the kernel makes of them: it is
    near to a set what is near to one of it.

    Parameters
    ----------
    vectors : Vectors
        The papers.
    ids : sequence of int
        To which, at least one.
    count : int, default=10
        How many at most.

    Returns
    -------
    list of Found
        The nearest first, equal ones by id.

    Raises
    ------
    ValueError
        If there is no such paper, or none is given.

    Examples
    --------
    >>> from deeplimit.papers import Library, parse, vectors_of
    >>> from deeplimit.papers.finding import similar
    >>> known = b'[{"title": "deep trees"}, {"title": "deep graphs"}, {"title": "onion soup"}]'
    >>> with Library(":memory:") as library:
    ...     _ = library.add(parse(known, "mine"))
    ...     vectors = vectors_of(library.papers())
    >>> [found.paper for found in similar(vectors, [1])]
    [2]
    """
    places = vectors.places(ids)
    if not places:
        raise ValueError("similar to which papers? Give at least one.")
    every = np.stack([vectors.both_gaps(vectors.words[[p]], vectors.meanings[p]) for p in places])
    # A paper with the very words of one that is asked is as near as can be.
    logs = _KERNEL.log_at_gap(np.maximum(every, 1e-12))
    mean = np.logaddexp.reduce(logs, axis=0) - np.log(len(places))
    gaps = 0.5 * np.exp(-2.0 * mean / _KERNEL.exponent)
    return _nearest(vectors, gaps, count, ids)


def _nearest(vectors: Vectors, gaps: Floats, count: int, without: Sequence[int]) -> list[Found]:
    closeness = 1.0 - gaps
    order = np.lexsort((vectors.ids, gaps))
    found = [
        Found(int(vectors.ids[place]), float(closeness[place]))
        for place in order.tolist()
        if closeness[place] > 1e-9 and int(vectors.ids[place]) not in without
    ]
    return found[:count]
