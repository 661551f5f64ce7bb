"""Which examples decide: exact shares of a score that is a sum over examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import require
from deeplimit.documents import align
from deeplimit.estimators.limits import DecisionRule
from deeplimit.estimators.parameters import check_count
from deeplimit.sums.partial import TIE_TOLERANCE, PartialSums

__all__ = ["Contributions", "contributions", "smoother_kernel"]

Floats = NDArray[np.float64]

# Where sums cancel, a single share may be beyond any number; decisions stop at the same power.
_LARGEST_LOG = 600.0


@dataclass(frozen=True)
class Contributions:
    """The examples that weigh most in each decision.

    A share is a part of the whole score: of what all classes with a positive sum add up to. Where
    no class has one it is a part of the sum of all absolute values. Over all examples the shares
    add up to those of the classes, and as long as no class's sum is negative these are the
    probabilities. Where sums cancel a share may be large; beyond e^600 it is given as that.

    Attributes
    ----------
    indices : ndarray of int64, shape (m, k)
        Id of each example, its row in the data given to `fit` unless more were added later;
        heaviest first, -1 where there is none.
    classes : ndarray of shape (m, k)
        Its class.
    shares : ndarray of float64, shape (m, k)
        Its part of the whole score, negative if it speaks against its class; 0 where there is
        no example.
    exact : ndarray of bool, shape (m,)
        Whether examples coincide with the row: they alone have a share then.
    log_weights : ndarray of float64, shape (m, k)
        Logarithm of the absolute weight: infinite for coincident examples. Differences compare
        examples whose shares are too small to tell.
    class_shares : ndarray of float64, shape (m, n_classes)
        Share of each class: the sum of those of all its examples, named or not.
    rest : ndarray of float64, shape (m,)
        Share of all the examples not named, together.
    labels : ndarray of shape (n_classes,)
        Class of each column of `class_shares`.

    Examples
    --------
    >>> import deeplimit as dl
    >>> clf = dl.HilbertClassifier(exponent=1.0).fit([[0.0], [1.0], [4.0]], ["a", "b", "b"])
    >>> found = clf.contributions([[2.0], [4.0]], top=1)
    >>> found.indices.tolist(), found.classes.tolist(), found.exact.tolist()
    ([[1], [2]], [['b'], ['b']], [False, True])
    >>> print(found)
    row 0: b 0.750, a 0.250
      example  class   share
            1  b      0.5000
       others         0.5000
    row 1: b 1.000, a 0.000; decided by examples that coincide with it
      example  class   share
            2  b      1.0000
       others         0.0000
    """

    indices: NDArray[np.int64]
    classes: NDArray[Any]
    shares: Floats
    exact: NDArray[np.bool_]
    log_weights: Floats
    class_shares: Floats
    rest: Floats
    labels: NDArray[Any]

    def __str__(self) -> str:
        return "\n".join(self._in_words(i) for i in range(len(self.indices)))

    def _in_words(self, i: int) -> str:
        order = np.argsort(-self.class_shares[i], kind="stable")
        parts = ", ".join(f"{self.labels[c]} {self.class_shares[i, c]:.3f}" for c in order)
        named = self.indices[i] >= 0
        entries = [
            (str(example), str(label), f"{share:.4f}")
            for example, label, share in zip(
                self.indices[i][named].tolist(),
                self.classes[i][named].tolist(),
                self.shares[i][named].tolist(),
                strict=True,
            )
        ]
        entries.append(("others", "", f"{self.rest[i]:.4f}"))
        end = "; decided by examples that coincide with it" if self.exact[i] else ""
        return f"row {i}: {parts}{end}\n" + align(("example", "class", "share"), entries, left=(1,))

    def to_pandas(self) -> Any:
        """Give the examples named as a table, one a line.

        Returns
        -------
        pandas.DataFrame
            Columns row, rank (from 0), example, class and share.

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> import deeplimit as dl
        >>> clf = dl.HilbertClassifier(exponent=1.0).fit([[0.0], [1.0], [4.0]], [3, 5, 5])
        >>> clf.contributions([[2.0]], top=2).to_pandas()
           row  rank  example  class  share
        0    0     0        1      5   0.50
        1    0     1        0      3   0.25
        """
        pd = require("pandas", extra="tables", purpose="a table of contributions")
        row, rank = np.nonzero(self.indices >= 0)
        at = row, rank
        return pd.DataFrame(
            {
                "row": row,
                "rank": rank,
                "example": self.indices[at],
                "class": self.classes[at],
                "share": self.shares[at],
            }
        )


def smoother_kernel(rule: DecisionRule) -> Any:
    """Give the kernel by which a rule sums its examples.

    Parameters
    ----------
    rule : DecisionRule
        The rule.

    Returns
    -------
    RadialKernel

    Raises
    ------
    ValueError
        If the rule is no smoother.
    """
    if rule.kernel is None:
        raise ValueError(
            "this regime's decision is no sum of the examples' own weights; use an activation of "
            "the singular regime, or activation=None."
        )
    return rule.kernel


def contributions(
    rule: DecisionRule, X: Floats, top: int | None, classes: NDArray[Any], origin: NDArray[np.int64]
) -> Contributions:
    """Find the heaviest examples of a smoother and their shares.

    Parameters
    ----------
    rule : DecisionRule
        The rule that decides.
    X : ndarray of shape (m, d)
        Checked rows.
    top : int or None
        How many examples a row; None is all of them.
    classes : ndarray of shape (n_classes,)
        Labels.
    origin : ndarray of shape (n,)
        Id of each example kept, ascending.

    Returns
    -------
    Contributions

    Raises
    ------
    ValueError
        If the rule is no smoother, or `top` no number of examples.
    """
    kernel = smoother_kernel(rule)
    check_count("top", top)
    e = rule.examples
    present = int(np.count_nonzero(e.weight))
    best = e.heaviest(kernel, X, present if top is None else min(top, present))
    sums = e.sums(kernel, X)
    exact = np.any(sums.hit_positive + sums.hit_negative > 0.0, axis=1)
    class_shares, log_total = _class_shares(sums, exact[:, None])
    with np.errstate(divide="ignore"):
        hits = np.where(np.isposinf(best.log_weights), np.log(e.weight[best.indices]), -np.inf)
    logs = np.where(exact[:, None], hits, best.log_weights)
    sizes = np.exp(np.minimum(logs - log_total, _LARGEST_LOG))
    shares = np.where(best.signs < 0, -sizes, sizes)
    absent = best.indices < 0
    return Contributions(
        indices=np.where(absent, -1, origin[best.indices]),
        classes=classes[e.index[best.indices]],
        shares=shares,
        exact=exact,
        log_weights=best.log_weights,
        class_shares=class_shares,
        rest=class_shares.sum(axis=1) - shares.sum(axis=1),
        labels=classes,
    )


def _class_shares(sums: PartialSums, exact: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Give the classes' shares on the level that decides, and ln of what they are shares of."""
    positive = np.where(exact, sums.hit_positive, sums.positive)
    negative = np.where(exact, sums.hit_negative, sums.negative)
    scale = np.where(exact, 0.0, sums.max_log)
    size, net = positive + negative, positive - negative
    # What is within its rounding error of 0 is 0, as it is for the decision.
    net = np.where(np.abs(net) <= TIE_TOLERANCE * size, 0.0, net)
    gains = np.maximum(net, 0.0)
    with np.errstate(divide="ignore"):
        parts = np.log(np.where(gains.any(axis=1, keepdims=True), gains, size)) + scale
        logs = np.log(np.abs(net)) + scale
    total = np.logaddexp.reduce(parts, axis=1, keepdims=True)
    # No example has any weight: the shares are 0, of whatever.
    total = np.where(np.isneginf(total), 0.0, total)
    return np.sign(net) * np.exp(np.minimum(logs - total, _LARGEST_LOG)), total
