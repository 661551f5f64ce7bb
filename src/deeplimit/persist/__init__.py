"""Saving and loading estimators: one safetensors file with a JSON header, no pickle, no code."""

from __future__ import annotations

from deeplimit.persist.files import Header, load, read_header, save
from deeplimit.persist.registry import register
from deeplimit.persist.state import State, from_state, to_state

__all__ = ["load", "save", "read_header", "Header", "register", "State", "to_state", "from_state"]
