"""First derivatives of a fully connected network, layer by layer."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deeplimit._extras import require

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Linearisation", "pytorch", "value_and_slope"]


def pytorch() -> Any:
    """Import PyTorch, or say how to install it."""
    return require("torch", extra="torch", purpose="networks of finite width")


def value_and_slope(phi: Callable[[Tensor], Tensor], z: Tensor) -> tuple[Tensor, Tensor]:
    """Return an activation and its derivative at the entries of a tensor.

    Parameters
    ----------
    phi : callable
        The activation on tensors, entry by entry.
    z : torch.Tensor
        Arguments.

    Returns
    -------
    value, slope : torch.Tensor
        Of the shape of z. At a kink the derivative is one of the two sides' or between them.

    Raises
    ------
    RuntimeError
        If PyTorch cannot differentiate `phi`.
    """
    torch = pytorch()
    leaf = z.detach().requires_grad_()
    value = phi(leaf)
    (slope,) = torch.autograd.grad(value.sum(), leaf)
    if bool(slope.isnan().any()):
        # Reverse mode multiplies the branch that `where` does not take by 0, which is NaN if its
        # derivative is infinite there. Forward mode, twice as slow, selects instead.
        with warnings.catch_warnings():
            # Its first use compiles decompositions with a function that PyTorch deprecates.
            warnings.simplefilter("ignore", DeprecationWarning)
            slope = torch.func.jvp(phi, (z,), (torch.ones_like(z),))[1]
    return value.detach(), slope


@dataclass(frozen=True)
class Linearisation:
    """A network and its first derivative at some rows: all that gradients and kernels need.

    With layers numbered from 0, `inputs[l]` are the n rows which `weights[l]` multiplies, and
    `slopes[l]` the derivative of `inputs[l + 1]` in the pre-activation it is computed from.
    """

    weights: Sequence[Tensor]
    inputs: Sequence[Tensor]
    slopes: Sequence[Tensor]
    outputs: Tensor

    def backpropagate(self, cotangent: Tensor) -> list[Tensor]:
        """Return, for each layer, the cotangent of its pre-activations, rows kept apart."""
        deltas = [cotangent]
        for weight, slope in zip(reversed(self.weights[1:]), reversed(self.slopes), strict=True):
            deltas.append((deltas[-1] @ weight) * slope)
        deltas.reverse()
        return deltas

    def pullback(self, cotangent: Tensor) -> list[Tensor]:
        """Return the Jacobian's transpose times `cotangent` (n, outputs): one array a layer."""
        deltas = self.backpropagate(cotangent)
        return [delta.T @ entry for delta, entry in zip(deltas, self.inputs, strict=True)]

    def pushforward(self, tangents: Sequence[Tensor]) -> Tensor:
        """Return the Jacobian times `tangents` (one array a layer): shape (n, outputs)."""
        moved = self.inputs[0] @ tangents[0].T
        for layer, slope in enumerate(self.slopes, start=1):
            moved = (moved * slope) @ self.weights[layer].T
            moved += self.inputs[layer] @ tangents[layer].T
        return moved
