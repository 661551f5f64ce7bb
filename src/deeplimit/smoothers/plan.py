"""What a fit of a pool tries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["FULL", "INSTANT", "Plan"]

# Beyond `exact`, one of so many examples is a centre.
_EACH = 8


@dataclass(frozen=True)
class Plan:
    """What is tried.

    Parameters
    ----------
    scales : tuple of str
        Of "anova" and "agop", besides columns as they are.
    one_view : bool
        Whether only the better view goes on to be scaled.
    rounds : int
        Rounds of the average gradient outer product.
    learners : int
        Examples it is learnt from, at most.
    odds_from : int
        Examples beyond which columns are also viewed by the odds along them.
    choosers : int
        Examples that a ridge, a view and where to begin are chosen from, at most.
    n_folds : int
        Folds.
    few_folds : int
        Examples from which on two folds do.
    chosen_from : int
        Examples that everything is chosen from, at most; the solutions of what has been chosen are
        then solved for all.
    halves_from : int
        Examples beyond which what labels are used for is learnt from half of them once, and tried
        on the other half, instead of fold by fold.
    left_out : int
        Examples left out in turn, at most.
    exact : int
        Examples up to which ridge solutions are spanned by all of them.
    centres, most_centres : int
        Examples that they are spanned by beyond: one of eight, but no fewer and no more than this.
    ridges : tuple of float
        Ridges.
    smooth_to : int
        Examples up to which solutions with a smooth kernel are tried as well.
    least_group : float
        A kind of distance that weighs less is left out of the pool; so is, where more than
        `choosers` rows tell, what asks for the nearest examples by one.
    masses, exponents, densities : tuple of float
        Grids of the smoothers over nearest examples.

    Examples
    --------
    >>> from dataclasses import replace
    >>> replace(INSTANT, scales=()).scales  # columns as they are, nothing besides
    ()
    """

    scales: tuple[str, ...] = ("agop",)
    one_view: bool = True
    rounds: int = 2
    learners: int = 1000
    odds_from: int = 1000
    choosers: int = 1000
    n_folds: int = 4
    few_folds: int = 20_000
    chosen_from: int = 100_000
    halves_from: int = 2000
    left_out: int = 4000
    exact: int = 2000
    centres: int = 1000
    most_centres: int = 2000
    ridges: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
    smooth_to: int = 500
    least_group: float = 0.3
    masses: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 64)
    exponents: tuple[float, ...] = (0, 1, 4, 16)
    densities: tuple[float, ...] = (0, 1)

    def spanned_by(self, n: int) -> int:
        """Give how many examples span a ridge solution of n examples."""
        return int(np.clip(n // _EACH, self.centres, max(self.centres, self.most_centres)))


INSTANT = Plan()
FULL = Plan(
    masses=(1, 2, 4, 8, 16, 32, 64, 128),
    scales=("anova", "agop"),
    one_view=False,
    rounds=3,
    learners=1500,
    exact=4000,
    centres=2000,
    least_group=0.02,
)
