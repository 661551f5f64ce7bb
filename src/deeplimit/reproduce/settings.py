"""How thoroughly to check, and what several checks share."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True)
class Settings:
    """How thoroughly to check, and a memory for what several checks need.

    Attributes
    ----------
    quick : bool
        Fewer seeds, points and depths.
    n_jobs : int
        Threads.
    progress : callable or None
        Is told in a line what is going on.
    """

    quick: bool = False
    n_jobs: int = field(default_factory=lambda: min(4, os.cpu_count() or 1))
    progress: Callable[[str], None] | None = None
    _memory: dict[str, Any] = field(default_factory=dict, repr=False)

    def pick(self, quick: Value, full: Value) -> Value:
        """Choose between the value for a quick and for a full run."""
        return quick if self.quick else full

    def tell(self, line: str) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(line)

    def shared(self, key: str, make: Callable[[], Value]) -> Value:
        """Give what was made under a key, making it the first time."""
        if key not in self._memory:
            self._memory[key] = make()
        value: Value = self._memory[key]
        return value
