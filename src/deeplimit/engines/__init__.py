"""The sums fast: compiled, on graphics cards, in shards, below linear cost, many at once."""

from deeplimit.engines.bounded import (
    BoundedProportions,
    Found,
    Plan,
    bound_proportions,
    decide,
    plan,
)
from deeplimit.engines.choice import make_engine
from deeplimit.engines.clusters import ClusterIndex
from deeplimit.engines.compiled import CompiledEngine
from deeplimit.engines.graphics import GraphicsEngine
from deeplimit.engines.grid import LeaveOneOut, leave_one_out
from deeplimit.engines.live import LiveEngine
from deeplimit.engines.reference import ReferenceEngine
from deeplimit.engines.shards import ArrayShard, shard_contributors, shard_sums

__all__ = [
    "ReferenceEngine",
    "CompiledEngine",
    "GraphicsEngine",
    "LiveEngine",
    "make_engine",
    "LeaveOneOut",
    "leave_one_out",
    "ClusterIndex",
    "decide",
    "bound_proportions",
    "plan",
    "Found",
    "BoundedProportions",
    "Plan",
    "ArrayShard",
    "shard_sums",
    "shard_contributors",
]
