"""The checks, and the sentences of the paper's abstract they stand for."""

from __future__ import annotations

from typing import NamedTuple

from deeplimit.reproduce.approach import check_finite_depth
from deeplimit.reproduce.depth import check_depth
from deeplimit.reproduce.fates import check_common
from deeplimit.reproduce.growth import check_growth
from deeplimit.reproduce.headline import check_consistency, check_ordering
from deeplimit.reproduce.noise import check_noise
from deeplimit.reproduce.results import Check
from deeplimit.reproduce.sweeps import check_designs, check_taxonomy
from deeplimit.reproduce.width import check_finite_width

__all__ = ["CHECKS", "SENTENCES", "Sentence"]

CHECKS = (
    Check(
        "taxonomy",
        "Infinitely wide and deep networks are, by their activation, nearest-neighbour rules, "
        "majority votes or singular kernel classifiers, and of a fourth kind that the abstract "
        "leaves out.",
        "the regime by the constants A, A', B', and by the course of the kernel through up to "
        "100,000 layers",
        "the two agree for each of at least 30 activations",
        "proved",
        check_taxonomy,
    ),
    Check(
        "designs",
        "The activations of optimal networks can be written down, and are simple.",
        "the exponent of designed activations of every family, classified again from their duals",
        "each is the dimension to 1e-9",
        "proved",
        check_designs,
    ),
    Check(
        "consistency",
        "With a matched activation the network comes close to the Bayes rule on the paper's "
        "data in R², R³, R⁵ and R⁹.",
        "accuracy of twelve rules on four problems with 10,000 examples",
        "no cell is off by more combined standard errors than the largest of so many may be by "
        "chance (5 % level)",
        "measured",
        check_consistency,
    ),
    Check(
        "ordering",
        "The matched activation is the best choice: others, and the two trivial limits, lose.",
        "differences of accuracy, paired over seeds",
        "the matched network beats each rival whose exponent is off by more than 0.5, 1-NN and "
        "majority vote by 2 standard errors (a quick run: loses to no mismatched one by 2), and "
        "equals rules of its own exponent to 0.01",
        "measured",
        check_ordering,
    ),
    Check(
        "noise",
        "Optimality holds for any distribution: classes of unequal size and noisy labels too.",
        "accuracy with priors down to .15 and 20 % of labels wrong",
        "the matched network beats 1-NN and majority vote by 2 standard errors throughout, and "
        "the public classifier decides as the fast sums do",
        "measured",
        check_noise,
    ),
    Check(
        "common",
        "Common activations such as ReLU and sigmoid do not give optimal networks.",
        "decisions of their deep networks against the majority vote and their own limits",
        "ReLU ends as the majority vote; sigmoid and softplus as an interpolation that is none, "
        "and as the majority vote with a fixed ridge",
        "seen",
        check_common,
    ),
    Check(
        "finite-depth",
        "What holds for infinitely deep networks is seen in networks of finite depth.",
        "decisions of ridgeless regression by depth against the limit's, and rates of approach",
        "all decisions equal at the stated depths; the error of the NNGP kernel falls by the "
        "factor derived (2 %), that of the NTK like the depth to the power −1 (5 %)",
        "seen",
        check_finite_depth,
    ),
    Check(
        "finite-width",
        "What holds for infinitely wide networks is seen in trained networks of finite width.",
        "distance of trained networks from the kernel predictor, by width",
        "all trained to tolerance, powers of the width between −0.8 and −0.3",
        "measured",
        check_finite_width,
    ),
    Check(
        "depth",
        "Depth helps classification; in regression too much of it does harm.",
        "accuracy of the signs and R² of the values of the same networks, by depth",
        "among networks that fit their labels the deepest classifies better than the shallowest "
        "by 2 standard errors and as the limit does (0.005), while its R² falls to 0 (0.02) from "
        "at least 0.1 more; the normalised limit has at least 0.2",
        "measured",
        check_depth,
    ),
    Check(
        "growth",
        "The error tends to the least possible as the sample grows.",
        "risk above the Bayes rule's by sample size",
        "it falls by more than 2 standard errors in the mean of the problems, rises in none by as "
        "much, and ends below that of 1-NN",
        "measured",
        check_growth,
    ),
)


class Sentence(NamedTuple):
    """A sentence of the abstract, in our words, and where it is to be found.

    Attributes
    ----------
    text : str
    modules : tuple of str
        Parts of the package.
    tests : tuple of str
        Files or folders under ``tests``.
    checks : tuple of str
        Keys of the checks whose figures it has.
    """

    text: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    checks: tuple[str, ...]


SENTENCES = (
    Sentence(
        "Whether trained networks are optimal classifiers, that is reach the least probability "
        "of error for any distribution, has been open.",
        ("estimators", "sums"),
        ("estimators", "sums"),
        ("consistency", "noise"),
    ),
    Sentence(
        "There is an explicit set of network classifiers that are optimal.",
        ("kernels", "estimators"),
        ("kernels", "estimators"),
        ("consistency", "ordering", "growth"),
    ),
    Sentence(
        "Networks in use are wide and deep; those studied are infinitely wide and infinitely deep.",
        ("kernels", "networks"),
        ("kernels", "networks", "test_oracles.py"),
        ("finite-depth", "finite-width"),
    ),
    Sentence(
        "Through neural tangent kernels one finds explicit activations that make optimal networks.",
        ("duals", "designs"),
        ("duals", "designs"),
        ("designs", "finite-width"),
    ),
    Sentence(
        "They are simple and easily implemented, but are not ReLU or sigmoid.",
        ("activations", "designs"),
        ("activations", "designs"),
        ("designs", "common"),
    ),
    Sentence(
        "By their activation, infinitely wide and deep networks are 1-nearest neighbour, majority "
        "vote or singular kernel classifiers, the optimal ones among these.",
        ("regimes", "evidence"),
        ("regimes", "evidence"),
        ("taxonomy", "ordering"),
    ),
    Sentence(
        "Depth benefits classification, whereas too much of it harms regression.",
        ("estimators", "kernels"),
        ("estimators", "kernels"),
        ("depth",),
    ),
)
