"""Linear smoothers of a table and their pool: what is tried, chosen and asked."""

from __future__ import annotations

from deeplimit.smoothers.fitting import FULL, INSTANT, Plan, fit_pool
from deeplimit.smoothers.pool import Group, Pool

__all__ = ["FULL", "INSTANT", "Group", "Plan", "Pool", "fit_pool"]
