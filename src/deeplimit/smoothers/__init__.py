"""Linear smoothers of a table and their pool: what is tried, chosen and asked."""

from __future__ import annotations

from deeplimit.smoothers.fitting import fit_pool
from deeplimit.smoothers.plan import FULL, INSTANT, Plan
from deeplimit.smoothers.pool import Group, Pool

__all__ = ["FULL", "INSTANT", "Group", "Plan", "Pool", "fit_pool"]
