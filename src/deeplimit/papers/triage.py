"""Papers sorted by interest: the limit classifier over what was liked and dismissed, with reasons.

The score of a paper x is a share of kernel sums over the sphere of words,

    p(x) = π L / (π L + (1 - π) D),
    L = mean of K(x, liked),   D = (Σ K(x, dismissed) + β mean of K(x, papers)) / (dismissed + β),

with K the limit of a deep network, a power of the distance. So it is the singular kernel
classifier with priors π and 1 - π, whose examples are the papers that were rated and, as a weak
witness against, all papers of the library together; these weigh as much as all ratings do (β is
their number). Each term's part of the whole is a reason, and the parts of what was liked add up to
p. Nothing is trained, so that a click changes one term.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deeplimit.kernels.power import PowerKernel
from deeplimit.papers.vectors import Vectors
from deeplimit.sums.partial import PartialSums

__all__ = ["EXPONENTS", "Reason", "Triage", "Verdict"]

Floats = NDArray[np.float64]

#: Exponents of the kernel to choose from by leave-one-out, and the one that waits for ratings.
EXPONENTS, _FIRST = (8.0, 16.0, 24.0, 32.0), 16.0
# Fewer likes tell nothing of the exponent.
_FEWEST_LIKES = 3
# Of a larger library every so-and-so-many-th paper stands for papers in general.
_MOST_BACKGROUND = 1000
# The prior of the share of papers that are of interest counts like so many ratings. It is slow to
# give way: who rates picks the papers, so that the share among them says little of the rest.
_PRIOR_RATINGS = 100.0


@dataclass(frozen=True)
class Reason:
    """A part of a score.

    Parameters
    ----------
    kind : str
        "liked", "dismissed", "papers in general", or "prior": papers in general as a witness in
        favour, as long as nothing is liked.
    paper : int or None
        The rated paper; None for papers in general.
    share : float
        Its part: all parts add up to 1, those of what was liked (or the prior) to the probability.

    Examples
    --------
    >>> from deeplimit.papers.triage import Reason
    >>> Reason("liked", 3, 0.41).share
    0.41
    """

    kind: str
    paper: int | None
    share: float


@dataclass(frozen=True)
class Verdict:
    """What is said of one paper.

    Parameters
    ----------
    paper : int
        Its id.
    probability : float
        That it is of interest.
    reasons : tuple of Reason
        All of them, largest share first.

    Examples
    --------
    >>> from deeplimit.papers.triage import Reason, Verdict
    >>> Verdict(7, 1.0, (Reason("liked", 3, 1.0),)).probability
    1.0
    """

    paper: int
    probability: float
    reasons: tuple[Reason, ...]


class Triage:
    """Ratings, and the ranking that follows from them; a click follows at once and exactly.

    Whatever the order of clicks, the state is that of the ratings there are.

    Parameters
    ----------
    vectors : Vectors
        The papers.
    rate : float, default=0.2
        Share of papers you expect to be of interest. It counts like 100 ratings beside yours:
        with a few of them the level of the probabilities is this prior, only the order is yours.

    Attributes
    ----------
    ratings : dict of int to bool
        True where liked.

    Raises
    ------
    ValueError
        If `rate` does not lie between 0 and 1.

    Examples
    --------
    >>> from deeplimit.papers import Library, Triage, parse, vectors_of
    >>> known = b'[{"title": "deep trees"}, {"title": "deep graphs"}, {"title": "onion soup"}]'
    >>> with Library(":memory:") as library:
    ...     _ = library.add(parse(known, "mine"))
    ...     triage = Triage(vectors_of(library.papers()))
    >>> triage.rate(1, True)
    >>> triage.ranking()
    [2, 3]
    >>> verdict = triage.verdict(2)
    >>> [(reason.kind, reason.paper) for reason in verdict.reasons]
    [('papers in general', None), ('liked', 1)]
    >>> round(sum(reason.share for reason in verdict.reasons), 12)
    1.0
    """

    def __init__(self, vectors: Vectors, rate: float = 0.2) -> None:
        if not 0.0 < rate < 1.0:
            raise ValueError(f"rate is a share between 0 and 1, got {rate!r}.")
        self.vectors = vectors
        self.ratings: dict[int, bool] = {}
        self._prior = rate
        self._columns: dict[int, Floats] = {}
        self._general: dict[float, Floats] | None = None
        self._made: _Made | None = None

    def rate(self, paper: int, liked: bool | None) -> None:
        """Like a paper, dismiss it, or take its rating back.

        Parameters
        ----------
        paper : int
            Id.
        liked : bool or None
            None takes the rating back.

        Raises
        ------
        ValueError
            If there is no such paper.
        """
        (place,) = self.vectors.places([paper])
        self._made = None
        self.ratings.pop(paper, None)
        if liked is None:
            return
        self.ratings[paper] = liked
        if paper not in self._columns:
            self._columns[paper] = self.vectors.gaps([place])[:, 0]

    def rate_all(self, ratings: dict[int, bool]) -> None:
        """Rate many papers.

        Parameters
        ----------
        ratings : dict of int to bool
            True where liked.
        """
        for paper, liked in ratings.items():
            self.rate(paper, liked)

    @property
    def exponent(self) -> float:
        """The kernel's exponent: of least leave-one-out loss once three papers are liked."""
        return self._state().exponent

    @property
    def expected(self) -> float:
        """The prior π: share of papers of interest, as far as the ratings and `rate` tell."""
        likes = sum(self.ratings.values())
        return (likes + _PRIOR_RATINGS * self._prior) / (len(self.ratings) + _PRIOR_RATINGS)

    def probabilities(self) -> Floats:
        """Give the probability of each paper to be of interest, itself left out of the sums.

        Returns
        -------
        ndarray of shape (n,)
            In the order of ``vectors.ids``.
        """
        return self._state().probabilities

    def ranking(self, among: Iterable[int] | None = None) -> list[int]:
        """Sort the papers that are not rated.

        Parameters
        ----------
        among : iterable of int, optional
            Ids to sort; all that are not rated by default.

        Returns
        -------
        list of int
            Ids, the most probable first; by id what is equal to twelve digits.
        """
        wanted = None if among is None else set(among)
        scores = np.round(self.probabilities(), 12)
        rows = [
            (-scores[place], key)
            for place, key in enumerate(self.vectors.ids.tolist())
            if (key in wanted if wanted is not None else key not in self.ratings)
        ]
        return [key for _, key in sorted(rows)]

    def verdict(self, paper: int) -> Verdict:
        """Tell the probability of a paper and all its reasons.

        Parameters
        ----------
        paper : int
            Id.

        Returns
        -------
        Verdict

        Raises
        ------
        ValueError
            If there is no such paper.
        """
        (place,) = self.vectors.places([paper])
        made = self._state()
        shares = _shares(made.logs[place], made.weights[place])
        reasons = [
            Reason(kind, key, float(share))
            for kind, key, share in zip(made.kinds, made.keys, shares, strict=True)
            if key != paper and (share > 0.0 or kind != "prior")
        ]
        reasons.sort(key=lambda reason: (-reason.share, reason.paper or 0))
        return Verdict(paper, float(made.probabilities[place]), tuple(reasons))

    def _state(self) -> _Made:
        if self._made is None:
            self._made = self._make(self._choose())
        return self._made

    def _choose(self) -> float:
        """Choose the exponent by what the sums say of each rated paper without it."""
        if sum(self.ratings.values()) < _FEWEST_LIKES:
            return _FIRST
        losses = [self._loss(self._make(exponent)) for exponent in EXPONENTS]
        return EXPONENTS[int(np.argmin(losses))]

    def _loss(self, made: _Made) -> float:
        """Log-loss at the prior: of likes left out, of dismissals left out, of papers at large.

        An unrated paper counts as not of interest here, as weakly as in the sums.
        """
        tiny = np.finfo(np.float64).tiny
        p = np.clip(made.probabilities, tiny, 1.0 - 2.0**-53)
        at = dict(zip(self.vectors.ids.tolist(), range(len(p)), strict=True))
        yes = [at[key] for key, liked in self.ratings.items() if liked]
        no = [at[key] for key, liked in self.ratings.items() if not liked]
        rest = np.setdiff1d(np.arange(len(p)), yes + no)
        beta = float(len(self.ratings))
        against = -np.log1p(-p)
        dull = np.sum(against[no]) + (beta * np.mean(against[rest]) if rest.size else 0.0)
        weight = len(no) + (beta if rest.size else 0.0)
        loss = -self.expected * np.mean(np.log(p[yes]))
        return float(loss + (1.0 - self.expected) * (dull / weight if weight else 0.0))

    def _make(self, exponent: float) -> _Made:
        kernel = PowerKernel(exponent)
        n, keys = len(self.vectors), list(self.ratings)
        liked = np.array([self.ratings[key] for key in keys], dtype=bool)
        logs = np.empty((n, len(keys) + 1))
        for j, key in enumerate(keys):
            logs[:, j] = kernel.log_at_gap(self._columns[key])
        logs[:, -1] = self._background(exponent)
        own = np.zeros((n, len(keys)), dtype=bool)
        own[self.vectors.places(keys), np.arange(len(keys))] = True
        # A paper is no witness in its own cause.
        logs[:, :-1][own] = -np.inf
        weights = np.zeros((n, len(keys) + 1))
        yes = liked.sum() - own[:, liked].sum(axis=1, keepdims=True)
        no = (~liked).sum() - own[:, ~liked].sum(axis=1, keepdims=True)
        beta = float(len(keys)) or 1.0
        prior = self.expected
        weights[:, :-1] = np.where(
            liked, prior / np.maximum(yes, 1), (1.0 - prior) / np.maximum(no + beta, 1)
        )
        weights[:, -1:] = (1.0 - prior) * beta / (no + beta)
        kinds = ["liked" if k else "dismissed" for k in liked]
        made_keys: list[int | None] = [*keys]
        index = np.append(np.where(liked, 1, 0), 0)
        if not liked.any():
            # Nothing is liked yet: papers in general stand for it, and rank by what was dismissed.
            logs = np.hstack([logs, logs[:, -1:]])
            weights = np.hstack([weights, np.full((n, 1), prior)])
            index = np.append(index, 1)
        elif not yes.all():
            # The only like, seen without itself, leaves nothing to go by but the prior.
            logs = np.hstack([logs, np.where(yes > 0, -np.inf, logs[:, -1:])])
            weights = np.hstack([weights, np.full((n, 1), prior)])
            index = np.append(index, 1)
        return _Made(
            exponent,
            logs,
            weights,
            (*kinds, "papers in general", "prior")[: logs.shape[1]],
            (*made_keys, None, None)[: logs.shape[1]],
            _sums(logs, weights, index),
        )

    def _background(self, exponent: float) -> Floats:
        """Give ln of the mean kernel between each paper and others, whoever they are."""
        if self._general is None:
            n = len(self.vectors)
            step = -(-n // _MOST_BACKGROUND)
            some = np.arange(0, n, step)
            totals = {alpha: PartialSums.empty(n, 1) for alpha in EXPONENTS}
            for start in range(0, some.size, 100):
                columns = some[start : start + 100]
                gaps = self.vectors.gaps(columns.tolist())
                # Papers that coincide with many others must not be infinitely typical: the
                # background sees a gap of 0 as the absence of news, a gap of 1.
                gaps[gaps == 0.0] = 1.0
                own = columns[:, None] == np.arange(n)
                for alpha, sums in totals.items():
                    logs = PowerKernel(alpha).log_at_gap(gaps)
                    logs[own.T] = -np.inf
                    index = np.zeros(columns.size, dtype=np.int64)
                    totals[alpha] = sums.add(logs, None, index)
            others = np.maximum(some.size - np.isin(np.arange(n), some), 1)
            self._general = {}
            for alpha, sums in totals.items():
                total = np.where(sums.positive[:, 0] > 0.0, sums.positive[:, 0], 1.0)
                top = np.where(np.isneginf(sums.max_log[:, 0]), 0.0, sums.max_log[:, 0])
                self._general[alpha] = top + np.log(total) - np.log(others)
        return self._general[exponent]


@dataclass(frozen=True, eq=False)
class _Made:
    """The terms of all papers' sums: logarithms of the kernel, weights, and what they are of."""

    exponent: float
    logs: Floats
    weights: Floats
    kinds: tuple[str, ...]
    keys: tuple[int | None, ...]
    probabilities: Floats


def _sums(logs: Floats, weights: Floats, index: NDArray[np.int64]) -> Floats:
    """Share of the class 1 in the sums of each row, coincident examples first."""
    with np.errstate(divide="ignore"):
        weighted = logs + np.log(weights)
    # A hit keeps its weight, which is that of its class at this row.
    hits = np.isposinf(logs)
    sums = PartialSums.empty(len(logs), 2).add(np.where(hits, -np.inf, weighted), None, index)
    for c in (0, 1):
        sums.hit_positive[:, c] = np.sum(np.where(hits, weights, 0.0)[:, index == c], axis=1)
    return np.asarray(sums.proportions()[:, 1])


def _shares(logs: Floats, weights: Floats) -> Floats:
    """Part of each term in the sum of a row."""
    hits = np.isposinf(logs)
    if hits.any():
        parts = np.where(hits, weights, 0.0)
    else:
        with np.errstate(divide="ignore"):
            terms = logs + np.log(weights)
        parts = np.exp(terms - terms.max())
    shares: Floats = parts / parts.sum()
    return shares
