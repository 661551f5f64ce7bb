"""The shelf: a library of papers as the page of the playground asks for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.papers import Library, Paper, Triage, Vectors, vectors_of
from deeplimit.papers.finding import search, similar

__all__ = ["Shelf", "flat"]

Floats = NDArray[np.float64]

_FOUND, _NEAR, _LONGEST = 50, 5, 500
# Of the perplexities 10, 20, 30, 45 the one that kept most neighbours on the five pages.
_PERPLEXITY = 20.0
# Fewer have no neighbours to keep; a map of more takes longer than somebody waits.
_FEWEST_MAPPED, _MOST_MAPPED = 5, 1000


class Shelf:
    """A library, with what is made of its papers once and kept until they change.

    It is asked one question at a time, from any thread: the file is opened for each question, and
    what another process rated or read in the meantime is seen by the next.

    Parameters
    ----------
    path : path-like
        The library; it is read at once.

    Attributes
    ----------
    answers : dict of str to callable
        From the kind of a question to what answers it.

    Raises
    ------
    ValueError
        If there is no such library, or no paper in it.

    Examples
    --------
    >>> import tempfile
    >>> from deeplimit.papers import parse
    >>> from deeplimit.playground.papers import Shelf
    >>> known = b'[{"title": "deep trees"}, {"title": "deep graphs"}, {"title": "onion soup"}]'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "papers.sqlite"
    ...     with Library(path, create=True) as library:
    ...         _ = library.add(parse(known, "mine"))
    ...     shelf = Shelf(path)
    ...     state = shelf.answers["papers/rate"]({"paper": 1, "liked": True})
    >>> state["order"], state["liked"]
    ([2, 3], [1])
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._stamp = ""
        self._papers: dict[int, Paper] = {}
        self._triage: Triage | None = None
        self._map: dict[str, Any] | None = None
        self.answers: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "papers/list": self._list,
            "papers/rate": self._rate,
            "papers/undo": self._undo,
            "papers/why": self._why,
            "papers/search": self._search,
            "papers/map": self._mapped,
        }
        with self._open() as library:
            self._follow(library)

    @contextmanager
    def _open(self) -> Iterator[Library]:
        try:
            library = Library(self.path)
        except FileNotFoundError as error:  # to the server, other OSErrors mean a closed line
            raise ValueError(str(error)) from None
        with library:
            yield library

    def _follow(self, library: Library) -> Triage:
        """Make anew what the library no longer says, and rate what it rates."""
        # The bytes of its pages and the years of their dates are all that papers are made of.
        pages = library.rows("SELECT id, digest, year, year_from FROM page ORDER BY id")
        stamp = hashlib.sha256(repr((library.identity, pages)).encode()).hexdigest()[:16]
        if self._triage is None or stamp != self._stamp:
            papers = library.papers()
            self._triage = Triage(vectors_of(papers))
            self._papers = {paper.id: paper for paper in papers}
            self._stamp, self._map = stamp, None
        triage, ratings = self._triage, library.ratings()
        for key in [key for key in triage.ratings if key not in ratings]:
            triage.rate(key, None)
        for key, liked in ratings.items():
            if triage.ratings.get(key) is not liked:
                triage.rate(key, liked)
        return triage

    def _state(self, library: Library) -> dict[str, Any]:
        triage, ratings = self._follow(library), library.ratings()
        ids = triage.vectors.ids.tolist()
        latest = list(reversed(ratings))
        return {
            "stamp": self._stamp,
            "order": triage.ranking(),
            "probability": dict(zip(ids, triage.probabilities().tolist(), strict=True)),
            "liked": [key for key in latest if ratings[key]],
            "dismissed": [key for key in latest if not ratings[key]],
            "expected": triage.expected,
            "can_undo": bool(library.rows("SELECT 1 FROM click LIMIT 1")),
        }

    def _list(self, question: Mapping[str, Any]) -> dict[str, Any]:
        with self._open() as library:
            state = self._state(library)
            pages = [page.name for page in library.pages()]
        told = ("id", "title", "n_authors", "date", "year_from", "comments", "code", "link")
        papers = [
            {
                **{name: getattr(paper, name) for name in told},
                "authors": paper.authors[:3],
                "pages": paper.pages,
            }
            for paper in self._papers.values()
        ]
        return {"papers": papers, "pages": pages, "state": state}

    def _rate(self, question: Mapping[str, Any]) -> dict[str, Any]:
        liked = question.get("liked", "missing")
        if liked is not None and not isinstance(liked, bool):
            raise ValueError("liked is true, false, or null to take a rating back.")
        key = self._key(question)
        with self._open() as library:
            library.rate([key], liked)
            return self._state(library)

    def _undo(self, question: Mapping[str, Any]) -> dict[str, Any]:
        with self._open() as library:
            undone = library.undo()
            return {**self._state(library), "undone": undone}

    def _why(self, question: Mapping[str, Any]) -> dict[str, Any]:
        key = self._key(question)
        with self._open() as library:
            triage = self._follow(library)
        verdict = triage.verdict(key)
        return {
            "paper": key,
            "abstract": self._papers[key].abstract,
            "probability": verdict.probability,
            "reasons": [
                {"kind": reason.kind, "paper": reason.paper, "share": reason.share}
                for reason in verdict.reasons
            ],
            "near": [
                {"paper": found.paper, "closeness": found.closeness}
                for found in similar(triage.vectors, [key], _NEAR)
            ],
        }

    def _search(self, question: Mapping[str, Any]) -> dict[str, Any]:
        text = question.get("text")
        if not isinstance(text, str) or len(text) > _LONGEST:
            raise ValueError(f"a search is a text of at most {_LONGEST} letters.")
        with self._open() as library:
            vectors = self._follow(library).vectors
        return {
            "found": [
                {"paper": found.paper, "closeness": found.closeness}
                for found in search(vectors, text, _FOUND)
            ],
            "unknown": vectors.known_words(text)[1],
        }

    def _mapped(self, question: Mapping[str, Any]) -> dict[str, Any]:
        with self._open() as library:
            vectors = self._follow(library).vectors
        if self._map is None:
            places, how = flat(vectors)
            points = [
                {"paper": key, "x": x, "y": y}
                for key, (x, y) in zip(vectors.ids.tolist(), places.tolist(), strict=True)
            ]
            self._map = {"stamp": self._stamp, "points": points, "how": how}
        return self._map

    def _key(self, question: Mapping[str, Any]) -> int:
        key = question.get("paper")
        if not isinstance(key, int) or isinstance(key, bool) or key not in self._papers:
            raise ValueError("there is no such paper.")
        return key


def flat(vectors: Vectors) -> tuple[Floats, str]:
    """Lay papers out in the plane, so that near ones are alike.

    It is t-SNE [1]_ of the chords between papers, words and meaning together, begun from their
    principal coordinates so that equal libraries give equal maps. Of fewer than 5 papers it is
    these coordinates, and of more than 1000 those of their meanings: quicker, and less true.

    Parameters
    ----------
    vectors : Vectors
        The papers.

    Returns
    -------
    places : ndarray of shape (n, 2)
        The largest coordinate is 1 in size.
    how : str
        "t-SNE" or "principal coordinates".

    References
    ----------
    .. [1] L. van der Maaten, G. Hinton: Visualizing data using t-SNE. JMLR 9 (2008).

    Examples
    --------
    >>> from deeplimit.papers import parse
    >>> from deeplimit.playground.papers import flat
    >>> known = b'[{"title": "deep trees"}, {"title": "deep graphs"}, {"title": "onion soup"}]'
    >>> with Library(":memory:") as library:
    ...     _ = library.add(parse(known, "mine"))
    ...     places, how = flat(vectors_of(library.papers()))
    >>> places.shape, how
    ((3, 2), 'principal coordinates')
    """
    n = len(vectors)
    if n > _MOST_MAPPED:
        return _scaled(_principal(vectors.meanings)), "principal coordinates"
    gaps = np.stack([vectors.both_gaps(vectors.words[[i]], vectors.meanings[i]) for i in range(n)])
    gaps = np.maximum(0.5 * (gaps + gaps.T), 0.0)
    np.fill_diagonal(gaps, 0.0)
    start = _principal(_rows_of(1.0 - gaps))
    if n < _FEWEST_MAPPED:
        return _scaled(start), "principal coordinates"
    from sklearn.manifold import TSNE

    made = TSNE(
        metric="precomputed",
        perplexity=min(_PERPLEXITY, (n - 1) / 3),
        # The usual size of a beginning: small, so that no early order is frozen in.
        init=(start * (1e-4 / (start[:, 0].std() or 1.0))).astype(np.float32),
        random_state=0,
    ).fit_transform(np.sqrt(2.0 * gaps))
    return _scaled(np.asarray(made, dtype=np.float64)), "t-SNE"


def _rows_of(products: Floats) -> Floats:
    """Give points of these inner products."""
    values, vectors = np.linalg.eigh(products)
    points: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    return points


def _principal(points: Floats) -> Floats:
    """Give the two coordinates along which points vary most, 0 where there are fewer."""
    left, sizes, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    found = np.zeros((len(points), 2))
    most = min(2, sizes.size)
    found[:, :most] = left[:, :most] * sizes[:most]
    # A direction has no sign of its own: the largest coordinate is positive.
    largest = found[np.argmax(np.abs(found), axis=0), [0, 1]]
    return found * np.where(largest < 0.0, -1.0, 1.0)


def _scaled(places: Floats) -> Floats:
    """Put the middle of the extent at 0, the farthest coordinate at 1."""
    middle = places - 0.5 * (places.max(axis=0) + places.min(axis=0))
    scaled: Floats = middle / (np.abs(middle).max() or 1.0)
    return scaled
