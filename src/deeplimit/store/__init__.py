"""The model's store on disk: examples in Arrow files under a manifest, safe under kill -9."""

from deeplimit.store.example_store import ExampleStore
from deeplimit.store.snapshot import Chunk

__all__ = ["ExampleStore", "Chunk"]
