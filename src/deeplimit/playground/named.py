"""The activations that the playground offers by name, with the Python that makes each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deeplimit.activations import Activation
from deeplimit.designs import design

__all__ = ["NAMED", "Named"]


@dataclass(frozen=True)
class Named:
    """An activation of the playground.

    Parameters
    ----------
    key : str
        Name in addresses and of its file.
    title : str
        What the page calls it.
    code : str
        Python that makes it, after ``import deeplimit as dl``: a string is a name.
    make : callable
        Makes it.
    """

    key: str
    title: str
    code: str
    make: Callable[[], Activation]


def _plain(name: str, title: str | None = None) -> Named:
    return Named(name, title or name, repr(name).replace("'", '"'), lambda: Activation(name))


def _centred(name: str, title: str) -> Named:
    code = f'dl.Activation("{name}").centered()'
    return Named(f"{name}_centred", title, code, lambda: Activation(name).centered())


def _designed(d: int) -> Named:
    title = f"designed for {d} dimension{'s' * (d != 1)}"
    code = f"dl.design(dimension={d})"
    return Named(f"design_{d}", title, code, lambda: design(dimension=d))


#: All of them, in the order of the page.
NAMED: tuple[Named, ...] = (
    *(_designed(d) for d in range(1, 11)),
    _plain("relu", "ReLU"),
    _plain("leaky_relu_0.2", "leaky ReLU (0.2)"),
    _plain("gelu", "GELU"),
    _plain("silu", "SiLU (swish)"),
    _plain("elu", "ELU"),
    _plain("selu", "SELU"),
    _plain("mish", "Mish"),
    _plain("tanh"),
    _plain("erf"),
    _plain("sigmoid"),
    _plain("softplus"),
    _plain("sin", "sine"),
    _plain("cos", "cosine"),
    _plain("sine_2.676", "sin(√2.676 x)"),
    _plain("sine_13.83", "sin(√13.83 x)"),
    _plain("h2", "Hermite polynomial h2"),
    _plain("h3", "Hermite polynomial h3"),
    _plain("square", "x²"),
    _plain("cube", "x³"),
    _plain("abs", "|x|"),
    _plain("sign"),
    _plain("gaussian", "Gaussian bump"),
    _plain("exponential", "exponential"),
    _plain("identity", "identity (linear)"),
    _centred("relu", "centred ReLU"),
    _centred("gelu", "centred GELU"),
    _plain("2d_opt", "2d_opt (the paper)"),
    _plain("3d_opt", "3d_opt (the paper)"),
    _plain("5d_opt", "5d_opt (the paper)"),
    _plain("9d_opt", "9d_opt (the paper)"),
)
