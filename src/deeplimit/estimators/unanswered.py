"""Questions that an estimator has no answer to: it says why, and what to ask instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

__all__ = ["REASONS", "Unanswered"]

#: What `ExplainedClassifier` answers.
REASONS = (
    "contributions", "flip", "predict_without", "leave_one_out", "predict_proba_bounds",
    "columns", "support", "findings", "report",
)  # fmt: skip


class Unanswered:
    """Mixin of estimators that lack methods which others of this package have.

    To ask for one is an AttributeError, so that ``hasattr`` is False, with the reason in it.
    Subclasses give the reason as `_why`, and what they do answer is found as ever.

    Examples
    --------
    >>> class Vote(Unanswered):
    ...     _why = "it counts"
    ...     _unanswered = ("flip",)
    >>> hasattr(Vote(), "flip")
    False
    >>> Vote().flip
    Traceback (most recent call last):
        ...
    AttributeError: Vote has no flip, for it counts.
    """

    _unanswered: ClassVar[tuple[str, ...]] = REASONS
    _why: ClassVar[str]

    if not TYPE_CHECKING:  # a type checker is to go on missing what is not there

        def __getattr__(self, name: str) -> Any:
            kind = type(self)
            if name in kind._unanswered:
                words = f"{kind.__name__} has no {name}, for {kind._why}."
            else:
                words = f"{kind.__name__!r} object has no attribute {name!r}"
            raise AttributeError(words, name=name, obj=self)
