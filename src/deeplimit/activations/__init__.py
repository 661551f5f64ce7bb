"""Activations: named, written as a formula, or any pointwise function."""

from deeplimit.activations.activation import Activation
from deeplimit.activations.catalog import names
from deeplimit.activations.export import Code
from deeplimit.activations.expressions import Expression, parse

__all__ = ["Activation", "Code", "Expression", "names", "parse"]
