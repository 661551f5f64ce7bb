"""The examples a model keeps, how they change, and what certifies their state."""

from deeplimit.examples.certificate import Certificate
from deeplimit.examples.changes import Change
from deeplimit.examples.example_set import ExampleSet
from deeplimit.examples.fingerprint import fingerprint, multiset_hash
from deeplimit.examples.snapshot import Snapshot

__all__ = ["Certificate", "Change", "ExampleSet", "Snapshot", "fingerprint", "multiset_hash"]
