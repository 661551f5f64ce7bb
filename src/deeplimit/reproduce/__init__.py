"""Each sentence of the paper's abstract as a check with figures and a verdict."""

from deeplimit.reproduce.report import Outcome, Report, run

__all__ = ["Outcome", "Report", "run"]
