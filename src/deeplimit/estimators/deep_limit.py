"""The classifier that an infinitely wide and infinitely deep network is."""

from __future__ import annotations

from typing import Any

from deeplimit.designs import design
from deeplimit.estimators.base import Floats
from deeplimit.estimators.deciding import search_of
from deeplimit.estimators.exponents import choose_exponent
from deeplimit.estimators.fitting import limit_kernel
from deeplimit.estimators.limits import DecisionRule, Smoother, rule_of
from deeplimit.estimators.table_classifier import TableClassifier
from deeplimit.estimators.table_model import PLANS
from deeplimit.kernels.limit import LimitKernel
from deeplimit.kernels.power import PowerKernel


class DeepLimitClassifier(TableClassifier):
    r"""Classifier of the infinitely wide and infinitely deep network: nothing is tuned by hand.

    It takes a table as it comes: numbers, categories, dates, missing cells. By default it is a
    pool of the smoothers that wide networks are, each linear in the labels of its examples:
    singular kernels over the nearest examples (infinite depth) and kernel ridge solutions (finite
    depth), in columns as they are and in columns weighted by what they tell. What goes into the
    pool is decided by what each says of examples it was not given. So every score stays an exact
    sum over examples.

    With ``speed="paper"``, or where an activation, an exponent or a projection is given, it is the
    pure system: the singular kernel smoother
    :math:`\arg\max_c \sum_{y_i=c} w_i\,\|x-x_i\|^{-\alpha}`, or the exact limit of the
    activation's network on the sphere, whatever its regime.

    Parameters
    ----------
    activation : str, Activation, callable or None, default=None
        Activation of the network; "matched" designs one whose exponent is `exponent`. None is the
        pure singular kernel on the rows as they are.
    exponent : float, "auto" or "dimension", default="auto"
        Exponent :math:`\alpha` of the pure singular kernel, or of the activation to design.
        "dimension" is the estimated intrinsic dimension, at which the rule is consistent; "auto"
        is the exponent of least leave-one-out log-loss on the training rows. Ignored if an
        activation is given, which has its own.
    projection : str, default="auto"
        How rows get onto the sphere: "hemisphere" (x to (x, 1) normalised: no antipodes, radius
        kept), "stereographic", "normalize" (the radius is lost), "none" (rows are of unit norm),
        "euclidean" (stay in R^d; pure singular kernel only). "auto" takes rows of unit norm as
        they lie; others are lifted to the hemisphere for an activation and stay in R^d without.
    speed : {"auto", "instant", "full", "paper"}, default="auto"
        "instant" tries two or three kinds of distance, "full" more of them in some three times as
        long, "paper" is the pure system, whose rows are numbers as they are (a table with
        categories or missing cells is encoded first). "auto" is "paper" where `activation`,
        `exponent` or `projection` is given, and otherwise "instant".
    priors : array-like of shape (n_classes,), optional
        Frequencies of the classes to expect where the rule is used, if other than in the training
        data: positive numbers in the order of ``classes_``, divided by their sum.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class.
    engine : {"auto", "reference", "compiled", "single", "graphics"}, default="auto"
        What sums. "reference" is NumPy, "compiled" are loops compiled by numba (the extra "fast"):
        the same sums to 1e-12 (to 1e-10 for an activation's kernel), many times faster. "auto"
        takes "compiled" from 2,048 examples on where it can, and from 20,000 on `predict` searches
        clusters of the examples where that is measured to take less time, for the same decisions.
        "single" and "graphics" (the extra "graphics") are the same in float32, on the processor and
        on a graphics card: probabilities to 1e-5, decisions those of "compiled". Below 2,048
        examples all but "compiled" are "reference".
    random_state : int, default=0
        Another number, other folds and samples of the pool. Equal numbers give equal models.
    time_limit : float, optional
        Seconds after which nothing more is tried for the pool. Equal tables then need not give
        equal models.
    verbose : bool, default=False
        Tell on standard error what has been tried.
    n_jobs : int, optional
        Threads, -1 for all.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    ids_ : ndarray of shape (n_examples,)
        Ids of the examples, for `forget` and `relabel`.
    speed_ : str
        "instant", "full" or "paper".
    pool_ : Pool
        Not with "paper": the smoothers and their weights.
    regime_ : str
        Regime and what it means, in words.
    kernel_ : LimitKernel or PowerKernel
        With "paper" alone, as are the following.
    exponent_ : float or None
        Exponent of the kernel; None outside the singular regime.
    lift_ : Lift
        The map onto the sphere.
    class_mass_ : ndarray of shape (n_classes,)
        Total weight of each class.
    loo_exponents_, loo_losses_ : ndarray or None
        Exponents tried by leave-one-out and their log-losses, with ``exponent="auto"``.
    n_features_in_ : int

    Raises
    ------
    ValueError
        At `fit`, if a parameter does not suit or the activation's regime is undecided.

    Notes
    -----
    Ties: coincident examples decide first, by their weights; then the sums; then the heavier
    class; then the class that comes first in ``classes_``. Duplicate rows with conflicting labels
    are summed by the smoother, which is what consistency needs; the interpolating regimes average
    them. Where a kernel is negative (beyond the equator) an example speaks against its class; a
    negative share counts as 0 in the probabilities. A single class is learnt, and is every answer.

    References
    ----------
    .. [1] A. Radhakrishnan, M. Belkin, C. Uhler, "Wide and deep neural networks achieve optimality
       for classification", arXiv 2204.14126.
    .. [2] L. Devroye, L. Györfi, A. Krzyżak, "The Hilbert kernel regression estimate", Journal of
       Multivariate Analysis 65, 1998.

    Examples
    --------
    >>> import deeplimit as dl
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = dl.DeepLimitClassifier().fit(X[::2], y[::2])
    >>> clf.score(X[1::2], y[1::2]) > 0.9
    True
    >>> dl.DeepLimitClassifier("relu").fit(X, y).regime_
    'majority vote'
    """

    def __init__(
        self,
        activation: Any = None,
        exponent: Any = "auto",
        projection: str = "auto",
        *,
        speed: str = "auto",
        priors: Any = None,
        class_weight: Any = None,
        engine: str = "auto",
        random_state: int = 0,
        time_limit: float | None = None,
        verbose: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.activation = activation
        self.exponent = exponent
        self.projection = projection
        self.speed = speed
        self.priors = priors
        self.class_weight = class_weight
        self.engine = engine
        self.random_state = random_state
        self.time_limit = time_limit
        self.verbose = verbose
        self.n_jobs = n_jobs

    def _speed(self) -> str:
        given = [
            name
            for name, value, default in (
                ("activation", self.activation, None),
                ("exponent", self.exponent, "auto"),
                ("projection", self.projection, "auto"),
            )
            if not (value is default or (isinstance(value, str) and value == default))
        ]
        if self.speed not in ("auto", "instant", "full", "paper"):
            raise ValueError(f"speed is 'auto', 'instant', 'full' or 'paper', got {self.speed!r}.")
        if given and self.speed in PLANS:
            raise ValueError(
                f"{given[0]} is a setting of the pure system: it goes with speed='paper' or 'auto',"
                f" not with speed={self.speed!r}."
            )
        if self.speed == "auto":
            return "paper" if given else "instant"
        return str(self.speed)

    def _learn_pure(self) -> None:
        pure = self.activation is None
        matched = isinstance(self.activation, str) and self.activation == "matched"
        kernel = None if pure or matched else limit_kernel(self.activation)
        if self.projection == "euclidean" and not pure:
            raise ValueError(
                "a network's kernel lives on the sphere: projection='euclidean' goes with "
                "activation=None only."
            )
        kind = self.projection
        if kind == "auto" and pure:
            # In R^d the chord needs no sphere; rows of unit norm have the same chords there.
            kind = "euclidean"
        self._lift_kind = kind
        self.loo_exponents_: Floats | None = None
        self.loo_losses_: Floats | None = None
        if kernel is None:
            choice = choose_exponent(
                self.exponent,
                self.lift_,
                self._X,
                self._index,
                self._weight,
                self._n_present,
                self.n_jobs,
            )
            self.loo_exponents_, self.loo_losses_ = choice.candidates, choice.losses
            self._chosen = choice.exponent
            self._kept = ("exponent",) if isinstance(self.exponent, str) else ()
            if matched:
                kernel = LimitKernel(design(exponent=choice.exponent, family="two-degrees"))
        self.kernel_ = PowerKernel(choice.exponent) if kernel is None else kernel
        self.exponent_ = self.kernel_.exponent
        self._prepare()

    @property
    def regime_(self) -> str:
        """What decides, in words."""
        return self.pool_.in_words() if self._pooled else describe(self.kernel_)

    def _follow_pure(self) -> None:
        kernel = self.kernel_
        cheap = isinstance(kernel, PowerKernel) or kernel.regime in (
            "singular-kernel",
            "nearest-neighbour",
        )
        # A solve may be refused for its size, and a row by a lift; the rest can wait.
        if not cheap or self._lift_kind in ("none", "normalize"):
            self._prepare()

    def _make_pure_rule(self) -> DecisionRule:
        examples = self._held()
        if isinstance(self.kernel_, PowerKernel):
            return Smoother(examples, self.kernel_, search_of(self))
        return rule_of(self.kernel_, examples)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        # The limit of an arbitrary activation may be a majority vote.
        tags.classifier_tags.poor_score = not (
            self.activation is None
            or (isinstance(self.activation, str) and self.activation == "matched")
        )
        return tags


def describe(kernel: LimitKernel | PowerKernel) -> str:
    """Say in a few words what a kernel decides by.

    Parameters
    ----------
    kernel : LimitKernel or PowerKernel
        The kernel.

    Returns
    -------
    str
    """
    if isinstance(kernel, PowerKernel) or kernel.regime == "singular-kernel":
        exponent = f"{float(kernel.exponent or 0.0):.6g}"
        if not kernel.exponent:
            return "singular kernel, logarithmic: consistent in no dimension"
        return f"singular kernel, exponent {exponent}: consistent in dimension {exponent}"
    names = {
        "nearest-neighbour": "1-nearest neighbour",
        "majority-vote": "majority vote",
        "conditionally-positive-definite": "interpolation by a conditionally positive definite "
        "kernel",
        "identity": "linear interpolation",
    }
    return names[kernel.regime]
