"""Designs: explicit activations for a wanted exponent or dimension."""

from deeplimit.designs.designer import Design, DesignedActivation, design, families
from deeplimit.designs.family import Family

__all__ = ["Design", "DesignedActivation", "Family", "design", "families"]
