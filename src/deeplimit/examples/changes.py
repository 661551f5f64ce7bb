"""What happened to a set of examples, for whoever keeps something made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Change", "ChangeLog"]

Kind = Literal["added", "forgotten", "relabelled"]

# A log longer than the examples helps nobody: whoever is so far behind prepares anew.
_SHORTEST_LOG = 1024


@dataclass(frozen=True, eq=False)
class Change:
    """One change.

    Parameters
    ----------
    kind : {"added", "forgotten", "relabelled"}
        What happened.
    slots : ndarray of int64
        Places it happened to.

    Examples
    --------
    >>> from deeplimit.examples import ExampleSet
    >>> kept = ExampleSet(1)
    >>> _ = kept.add([[0.0], [1.0]], ["a", "a"], [1.0, 1.0])
    >>> version, epoch = kept.version, kept.epoch
    >>> _ = kept.forget([0])
    >>> kept.changes_since(version, epoch)
    [Change(kind='forgotten', slots=array([0]))]
    """

    kind: Kind
    slots: NDArray[np.int64]


class ChangeLog:
    """The changes since slots were last numbered anew.

    Attributes
    ----------
    version : int
        Number of changes so far.
    epoch : int
        How often slots or codes were numbered anew.

    Examples
    --------
    >>> import numpy as np
    >>> log = ChangeLog()
    >>> version, epoch = log.version, log.epoch
    >>> log.note("forgotten", np.array([3]), n_slots=8)
    >>> [(change.kind, change.slots.tolist()) for change in log.since(version, epoch)]
    [('forgotten', [3])]
    >>> log.renumber()
    >>> log.since(version, epoch) is None
    True
    """

    def __init__(self, version: int = 0) -> None:
        self.version = version
        self.epoch = 0
        self._entries: list[Change] = []
        self._start = version
        self._length = 0

    def note(self, kind: Kind, slots: NDArray[np.int64], n_slots: int) -> None:
        """Add a change of a set that now has so many slots."""
        self.version += 1
        self._entries.append(Change(kind, slots))
        self._length += slots.size
        if self._length >= max(_SHORTEST_LOG, n_slots):
            self.renumber()

    def renumber(self) -> None:
        """Begin anew: nothing made of the set before can follow."""
        self.epoch += 1
        self._entries, self._start, self._length = [], self.version, 0

    def take_back(self, version: int) -> None:
        """Return to an earlier version."""
        self.version = version
        self.renumber()

    def since(self, version: int, epoch: int) -> list[Change] | None:
        """List the changes since a version, or give None where they cannot be followed."""
        return self._entries[version - self._start :] if epoch == self.epoch else None
