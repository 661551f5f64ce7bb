"""What a model says about its state, so that another can be compared with it."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Certificate"]

_IN_WORDS = {"encoding": "encoding of the table", "kinds": "kinds of columns"}


@dataclass(frozen=True)
class Certificate:
    """The state of a model as one number that a fit of the same examples must reproduce.

    Certificates are equal if their fingerprints are; what was kept is told, not compared.

    Parameters
    ----------
    model : str
        Class of the model.
    n_examples : int
        Number of examples it holds.
    n_classes : int
        Number of its classes.
    kept : tuple of str
        What was chosen from earlier examples and kept since: "exponent", which a fit to compare
        with must be given; "encoding", how cells of a table become the numbers of a pure rule, its
        kinds of columns, scales, fillings and categories; "kinds", the kinds of its columns alone.
        With one of the last two a fit of what remains may come to another state. Empty if a fit
        with the same parameters gives the same state.
    exponent : float or None
        The value to give for a kept exponent.
    fingerprint : str
        64 hexadecimal digits. Two models have the same if and only if (as far as SHA-256 and
        SHAKE-256 can be trusted) their settings are the same and they hold the same multiset of
        row, class and weight. What follows from the examples (lift, masses, solutions) is
        not hashed again.

    Examples
    --------
    >>> import deeplimit as dl
    >>> clf = dl.HilbertClassifier(2.0).fit([[0.0], [1.0], [3.0]], [0, 1, 1])
    >>> print(clf.forget([1]).certificate())
    HilbertClassifier, 2 examples of 2 classes
    fingerprint ...
    >>> again = dl.HilbertClassifier(2.0).fit([[0.0], [3.0]], [0, 1])
    >>> clf.certificate() == again.certificate()
    True
    """

    model: str = field(compare=False)
    n_examples: int = field(compare=False)
    n_classes: int = field(compare=False)
    kept: tuple[str, ...] = field(compare=False)
    exponent: float | None = field(compare=False)
    fingerprint: str

    def __str__(self) -> str:
        lines = [
            f"{self.model}, {_count(self.n_examples, 'example')} of "
            f"{_count(self.n_classes, 'class', 'classes')}"
        ]
        if self.kept:
            named = [
                {"exponent": f"exponent {self.exponent!r}"}.get(name, _IN_WORDS.get(name, name))
                for name in self.kept
            ]
            lines.append(f"kept from the first fit: {' and '.join(named)}; {self._comparison()}")
        return "\n".join([*lines, f"fingerprint {self.fingerprint}"])

    def _comparison(self) -> str:
        if self.kept == ("exponent",):
            return "compare with a fit of what remains with this exponent"
        return "a fit of what remains may find others, and have another fingerprint"


def _count(n: int, one: str, many: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
