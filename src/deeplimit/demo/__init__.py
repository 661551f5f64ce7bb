"""The demonstration that ``make run`` and ``deeplimit demo`` show."""

from deeplimit.demo.demonstration import Demonstration, run

__all__ = ["Demonstration", "run"]
