"""Signed log-domain sums of a radial kernel over stored examples: lifts, gaps, sums, decisions."""

from deeplimit.sums.blocked import class_sums, top_contributors
from deeplimit.sums.dimension import intrinsic_dimension
from deeplimit.sums.engine import Contributors, Engine, RadialKernel, Summation
from deeplimit.sums.gaps import GapTiles, gap_blocks
from deeplimit.sums.partial import Decision, PartialSums
from deeplimit.sums.sphere import (
    EuclideanLift,
    HemisphereLift,
    Lift,
    NormalizeLift,
    StereographicLift,
    UnitLift,
    fit_lift,
    lift_from_dict,
)

__all__ = [
    "Lift",
    "HemisphereLift",
    "StereographicLift",
    "NormalizeLift",
    "UnitLift",
    "EuclideanLift",
    "fit_lift",
    "lift_from_dict",
    "GapTiles",
    "gap_blocks",
    "PartialSums",
    "Decision",
    "RadialKernel",
    "Summation",
    "Engine",
    "Contributors",
    "class_sums",
    "top_contributors",
    "intrinsic_dimension",
]
