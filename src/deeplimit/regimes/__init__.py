"""Regimes: what an infinitely deep network of an activation becomes."""

from deeplimit.evidence.verdict import Regime
from deeplimit.regimes.classification import Taxonomy, taxonomy

__all__ = ["Regime", "Taxonomy", "taxonomy"]
