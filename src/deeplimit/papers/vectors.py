"""Papers as points of the sphere: their words, and what the words have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.papers.merging import Paper

__all__ = ["Vectors", "vectors_of"]

Floats = NDArray[np.float64]

# Directions of meaning: enough for some dozens of subjects, few enough to join words.
_MEANINGS = 50
# A gap below this is taken from the difference of the rows: 1 - cos has lost its digits there.
_NEAR = 1e-3
_PAIRS = 10_000


@dataclass(frozen=True, eq=False)
class Vectors:
    """Papers on two spheres: TF-IDF of their words, and latent semantic analysis of these.

    Words are single words and pairs, English stop words left out, counts as 1 + ln; the settings
    are fixed. A gap is 1 less the cosine, which is half the squared distance; a paper without any
    word has a gap of 1 to all others.

    Parameters
    ----------
    ids : ndarray of int64, shape (n,)
        Id of each paper.
    words : scipy.sparse.csr_array of shape (n, d)
        Rows of norm 1, or 0 where a paper has no word.
    vectorizer : TfidfVectorizer or None
        Makes words of text; None if there is no word at all.

    Attributes
    ----------
    directions : ndarray of shape (d, k)
        From words to meanings; found when first asked for.
    meanings : ndarray of shape (n, k)
        Rows of norm 1, or 0.

    Examples
    --------
    >>> from deeplimit.papers import Library, parse
    >>> from deeplimit.papers.vectors import vectors_of
    >>> known = b'[{"title": "deep trees"}, {"title": "deep graphs"}, {"title": "soup"}]'
    >>> with Library(":memory:") as library:
    ...     _ = library.add(parse(known, "mine"))
    ...     vectors = vectors_of(library.papers())
    >>> vectors.gaps([0]).ravel().round(2).tolist()
    [0.0, 0.78, 1.0]
    """

    ids: NDArray[np.int64]
    words: Any
    vectorizer: Any

    def __len__(self) -> int:
        return self.ids.size

    @cached_property
    def directions(self) -> Floats:
        """The directions in which words vary most together."""
        from scipy.sparse.linalg import svds

        k = min(_MEANINGS, min(self.words.shape) - 1)
        if k < 1:
            return np.ones((self.words.shape[1], 1))
        # A start of its own: the answer must not depend on a global state.
        start = np.random.default_rng(0).normal(size=min(self.words.shape))
        _, _, right = svds(self.words.astype(np.float64), k=k, v0=start)
        return np.ascontiguousarray(right.T)

    @cached_property
    def meanings(self) -> Floats:
        """The papers along these directions."""
        return _unit(self.words @ self.directions)

    def places(self, ids: Sequence[int]) -> list[int]:
        """Find papers by id.

        Parameters
        ----------
        ids : sequence of int
            Ids.

        Returns
        -------
        list of int
            Their rows.

        Raises
        ------
        ValueError
            If one is not there.
        """
        at = {int(key): place for place, key in enumerate(self.ids.tolist())}
        unknown = [key for key in ids if key not in at]
        if unknown:
            raise ValueError(f"there is no paper {unknown[0]}.")
        return [at[key] for key in ids]

    def gaps(self, places: Sequence[int]) -> Floats:
        """Give the gaps of words between all papers and some.

        Parameters
        ----------
        places : sequence of int
            Rows of the some.

        Returns
        -------
        ndarray of shape (n, m)
            0 for a paper itself.
        """
        some = self.words[list(places)]
        gaps: Floats = 1.0 - (self.words @ some.T).toarray()
        near, of = np.nonzero(gaps < _NEAR)
        for start in range(0, near.size, _PAIRS):
            i, j = near[start : start + _PAIRS], of[start : start + _PAIRS]
            # Equal texts have the same bits, so that papers that coincide are known exactly.
            difference = self.words[i] - some[j]
            gaps[i, j] = 0.5 * np.asarray(difference.multiply(difference).sum(axis=1)).ravel()
        gaps[list(places), np.arange(len(places))] = 0.0
        return np.maximum(gaps, 0.0, out=gaps)

    def both_gaps(self, words: Any, meanings: Floats) -> Floats:
        """Give the gaps of a point to all papers, words and meaning together.

        The mean of two gaps is a gap on the sphere of the pair.

        Parameters
        ----------
        words : sparse array of shape (1, d)
            Its words.
        meanings : ndarray of shape (k,)
            Its meaning.

        Returns
        -------
        ndarray of shape (n,)
        """
        by_words = 1.0 - (self.words @ words.T).toarray().ravel()
        by_meaning = 1.0 - self.meanings @ meanings
        both: Floats = np.clip(0.5 * (by_words + by_meaning), 0.0, 2.0)
        return both

    def place_text(self, text: str) -> tuple[Any, Floats]:
        """Put a text where a paper of these words would be.

        Parameters
        ----------
        text : str
            Such as a query.

        Returns
        -------
        words : sparse array of shape (1, d)
        meanings : ndarray of shape (k,)
            Both 0 if no paper has any of the words.
        """
        if self.vectorizer is None:
            return self.words[[0]] * 0.0, np.zeros(self.meanings.shape[1])
        words = self.vectorizer.transform([text])
        return words, _unit(words @ self.directions)[0]

    def known_words(self, text: str) -> tuple[list[str], list[str]]:
        """Tell which words of a text stand in a paper and which do not.

        Parameters
        ----------
        text : str
            Such as a query.

        Returns
        -------
        known, unknown : list of str
            Stop words are in neither.
        """
        if self.vectorizer is None:
            return [], text.split()
        terms = dict.fromkeys(self.vectorizer.build_analyzer()(text))
        single = [term for term in terms if " " not in term]
        known = [term for term in single if term in self.vectorizer.vocabulary_]
        return known, [term for term in single if term not in known]


def vectors_of(papers: Sequence[Paper]) -> Vectors:
    """Make vectors of papers: of their titles and abstracts, and of nothing else.

    Parameters
    ----------
    papers : sequence of Paper
        At least one.

    Returns
    -------
    Vectors
        In the order of the papers.

    Raises
    ------
    ValueError
        If there is no paper.

    Examples
    --------
    >>> from deeplimit.papers import Library, parse, vectors_of
    >>> with Library(":memory:") as library:
    ...     _ = library.add(parse(b'{"title": "deep trees"}', "mine"))
    ...     vectors_of(library.papers()).known_words("trees and soup")
    (['trees'], ['soup'])
    """
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not papers:
        raise ValueError("the library holds no papers yet: deeplimit papers read FILE.")
    ids = np.array([paper.id for paper in papers], dtype=np.int64)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, stop_words="english")
    try:
        words = csr_array(vectorizer.fit_transform([paper.text for paper in papers]))
    except ValueError:  # not one word in all of them
        empty = csr_array((len(papers), 1), dtype=np.float64)
        return Vectors(ids, empty, None)
    return Vectors(ids, words, vectorizer)


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0.0, lengths, 1.0)
