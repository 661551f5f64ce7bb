"""The named limits on their own: nearest neighbour, majority vote, Hilbert estimate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.estimators.attribution import ExplainedClassifier
from deeplimit.estimators.base import ExampleClassifier, Floats
from deeplimit.estimators.deciding import search_of
from deeplimit.estimators.exponents import choose_exponent
from deeplimit.estimators.limits import (
    DecisionRule,
    MajorityVote,
    NearestNeighbor,
    Scores,
    Smoother,
)
from deeplimit.estimators.unanswered import Unanswered
from deeplimit.kernels.power import PowerKernel


class _NamedLimit(ExampleClassifier):
    """A limit rule in R^d."""

    def __init__(
        self, *, priors: Any = None, class_weight: Any = None, n_jobs: int | None = None
    ) -> None:
        self.priors = priors
        self.class_weight = class_weight
        self.n_jobs = n_jobs

    def _learn(self) -> None:
        self._prepare()

    def _follow(self) -> None:
        """In R^d nothing can be refused: the rule is made when it is asked for."""

    def _scores(self, X: Floats) -> tuple[NDArray[np.int64], Floats]:
        scores: Scores = self._rule.scores(X)
        return scores


class OneNearestNeighborClassifier(Unanswered, _NamedLimit):
    """The nearest-neighbour limit: the class of the nearest example.

    Unlike scikit-learn's, ties have a rule (examples at the same distance vote with their weights,
    then the next nearest are asked), and examples have weights.

    Parameters
    ----------
    n_jobs : int, optional
        Threads for prediction.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    ids_ : ndarray of shape (n_examples,)
        Ids of the examples, for `forget` and `relabel`.
    class_mass_ : ndarray of shape (n_classes,)

    References
    ----------
    .. [1] T. Cover, P. Hart, "Nearest neighbor pattern classification", 1967.

    Examples
    --------
    >>> import deeplimit as dl
    >>> dl.OneNearestNeighborClassifier().fit([[0.0], [2.0]], ["a", "b"]).predict([[0.9]])
    array(['a'], dtype='<U1')
    """

    _why = (
        "the nearest examples decide alone, not a sum over examples; take HilbertClassifier or "
        "DeepLimitClassifier"
    )

    def __init__(self, *, n_jobs: int | None = None) -> None:
        # Weights of classes decide nothing but ties here, and are no parameters.
        self.n_jobs = n_jobs

    def _make_rule(self) -> DecisionRule:
        return NearestNeighbor(self._held())


class MajorityVoteClassifier(Unanswered, _NamedLimit):
    """The majority-vote limit: the heaviest class, but an example's own class on the example.

    Parameters
    ----------
    priors : array-like of shape (n_classes,), optional
        Frequencies of the classes to expect where the rule is used: positive numbers in the order
        of ``classes_``, divided by their sum.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class.
    n_jobs : int, optional
        Threads for prediction.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    ids_ : ndarray of shape (n_examples,)
        Ids of the examples, for `forget` and `relabel`.
    class_mass_ : ndarray of shape (n_classes,)

    Examples
    --------
    >>> import deeplimit as dl
    >>> clf = dl.MajorityVoteClassifier().fit([[0.0], [1.0], [2.0]], [0, 1, 1])
    >>> clf.predict([[0.0], [0.1]])
    array([0, 1])
    """

    _why = (
        "the heaviest class wins wherever a row lies, whichever its examples are; take "
        "HilbertClassifier or DeepLimitClassifier"
    )

    def _make_rule(self) -> DecisionRule:
        return MajorityVote(self._held())


class HilbertClassifier(_NamedLimit, ExplainedClassifier):
    r"""The Hilbert kernel estimate: argmax of the class sums of :math:`\|x - x_i\|^{-\alpha}`.

    Parameters
    ----------
    exponent : float, "auto" or "dimension", default="dimension"
        Exponent; at the intrinsic dimension of the data the rule is consistent.
    priors : array-like of shape (n_classes,), optional
        Frequencies of the classes to expect where the rule is used: positive numbers in the order
        of ``classes_``, divided by their sum.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class.
    engine : {"auto", "reference", "compiled", "single", "graphics"}, default="auto"
        What sums; see `DeepLimitClassifier`.
    n_jobs : int, optional
        Threads for prediction.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    ids_ : ndarray of shape (n_examples,)
        Ids of the examples, for `forget` and `relabel`.
    class_mass_ : ndarray of shape (n_classes,)
    exponent_ : float
    kernel_ : PowerKernel

    References
    ----------
    .. [1] L. Devroye, L. Györfi, A. Krzyżak, "The Hilbert kernel regression estimate", Journal of
       Multivariate Analysis 65, 1998.

    Examples
    --------
    >>> import deeplimit as dl
    >>> clf = dl.HilbertClassifier(exponent=1.0).fit([[0.0], [1.0], [3.0]], [0, 1, 1])
    >>> clf.predict_proba([[2.0]])
    array([[0.2, 0.8]])
    """

    def __init__(
        self,
        exponent: Any = "dimension",
        *,
        priors: Any = None,
        class_weight: Any = None,
        engine: str = "auto",
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(priors=priors, class_weight=class_weight, n_jobs=n_jobs)
        self.exponent = exponent
        self.engine = engine

    def _learn(self) -> None:
        choice = choose_exponent(
            self.exponent,
            self.lift_,
            self._X,
            self._index,
            self._weight,
            self._n_present,
            self.n_jobs,
        )
        self.exponent_ = choice.exponent
        self.kernel_ = PowerKernel(choice.exponent)
        self._chosen = choice.exponent
        self._kept = ("exponent",) if isinstance(self.exponent, str) else ()
        self._prepare()

    def _make_rule(self) -> DecisionRule:
        return Smoother(self._held(), self.kernel_, search_of(self))
