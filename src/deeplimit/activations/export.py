"""A formula as programs to paste: NumPy, PyTorch and JAX, next to its text and its TeX."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deeplimit.activations.functions import DIALECTS, Backend
from deeplimit.activations.notation import CodeWriter

if TYPE_CHECKING:
    from deeplimit.activations.tree import Expression

__all__ = ["Code", "export", "jax_source", "python_source", "torch_source"]


@dataclass(frozen=True)
class Code:
    r"""A formula in every notation.

    Attributes
    ----------
    text : str
        The formula language, which `parse` reads back.
    tex : str
        TeX, for the inside of a formula environment.
    python : str
        A Python function that needs NumPy and SciPy.
    torch : str
        A subclass of ``torch.nn.Module`` without parameters.
    jax : str
        A Python function that needs JAX.

    Examples
    --------
    >>> from deeplimit.activations.expressions import parse
    >>> print(export(parse("tanh(x)")).tex)
    \tanh\left(x\right)
    """

    text: str
    tex: str
    python: str
    torch: str
    jax: str


def export(expression: Expression, *, norm2: float = 1.0, name: str = "activation") -> Code:
    r"""Write an activation in every notation, normalised if its second moment is given.

    Parameters
    ----------
    expression : Expression
        The activation.
    norm2 : float, default=1.0
        Its second moment :math:`E\,\phi(z)^2`; what is written is
        :math:`\phi/\sqrt{E\,\phi(z)^2}`.
    name : str, default="activation"
        Name of the activation, made into a name for the functions (``3d_opt`` into
        ``phi_3d_opt``) and for the PyTorch class (``Phi3dOpt``).

    Returns
    -------
    Code
        All of them.

    Raises
    ------
    ValueError
        If `norm2` is not positive and finite.

    Examples
    --------
    >>> from deeplimit.activations.expressions import parse
    >>> code = export(parse("x^2"), norm2=4.0, name="half square")
    >>> code.text, code.tex
    ('0.5*x^2', '0.5\\,x^{2}')
    >>> print(code.torch.splitlines()[-1].strip())
    return 0.5 * x**2
    """
    if not (math.isfinite(norm2) and norm2 > 0.0):
        raise ValueError(f"norm2 is a second moment, positive and finite; got {norm2!r}.")
    if norm2 != 1.0:
        expression = (1.0 / math.sqrt(norm2)) * expression
    function, class_name = _names(name)
    return Code(
        text=expression.text(),
        tex=expression.tex(),
        python=python_source(expression, function),
        torch=torch_source(expression, class_name),
        jax=jax_source(expression, function),
    )


def _names(name: str) -> tuple[str, str]:
    """Make names for a function and for a class out of any name."""
    function = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "activation"
    if function[0].isdigit():
        function = f"phi_{function}"
    if function in _RESERVED or keyword.iskeyword(function):
        function += "_"
    return function, "".join(part[:1].upper() + part[1:] for part in function.split("_"))


def python_source(expression: Expression, name: str = "activation") -> str:
    """Write a function that needs NumPy and SciPy; see `Expression.python`."""
    return _program(
        expression,
        "numpy",
        name,
        lambda formula, body: (
            f"def {name}(x):\n"
            f'    """Evaluate {formula}."""\n'
            f"    x = np.asarray(x, dtype=np.float64)\n"
            f"    return {body}\n"
        ),
    )


def torch_source(expression: Expression, name: str = "Activation") -> str:
    """Write a module for PyTorch; see `Expression.torch`."""
    return _program(
        expression,
        "torch",
        name,
        lambda formula, body: (
            f"class {name}(torch.nn.Module):\n"
            f'    """Evaluate {formula}."""\n\n'
            f"    def forward(self, x):\n"
            f"        return {body}\n"
        ),
    )


def jax_source(expression: Expression, name: str = "activation") -> str:
    """Write a function that needs JAX.

    Parameters
    ----------
    expression : Expression
        The activation.
    name : str, default="activation"
        Name of the function.

    Returns
    -------
    str
        Source, with its imports.

    Raises
    ------
    ValueError
        If `name` cannot name a function here.

    Examples
    --------
    >>> from deeplimit.activations.expressions import parse
    >>> print(jax_source(parse("tanh(x)")).splitlines()[-1].strip())
    return jnp.tanh(x)
    """
    return _program(
        expression,
        "jax",
        name,
        lambda formula, body: f'def {name}(x):\n    """Evaluate {formula}."""\n    return {body}\n',
    )


#: Names that programs use themselves.
_RESERVED = {"x", *(head for dialect in DIALECTS.values() for head in dialect.modules)}

#: What every program of a dialect imports, beyond what its body calls.
_ALWAYS: dict[Backend, set[str]] = {"numpy": {"np"}, "torch": {"torch"}, "jax": set()}


def _program(
    expression: Expression, backend: Backend, name: str, define: Callable[[str, str], str]
) -> str:
    """Put together the imports, the helpers and the definition."""
    dialect = DIALECTS[backend]
    writer = CodeWriter(dialect)
    body = writer.text(expression)
    if expression.constant is not None:
        body = writer.filled(body)
    heads = writer.heads | _ALWAYS[backend]
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"{name!r} is not a name that a Python function or class can have.")
    if name in _RESERVED or name in writer.helpers:
        raise ValueError(f"the program uses the name {name!r} itself; choose another.")
    imports = [_import(dialect.modules[head], head) for head in heads]
    imports.sort(key=lambda line: (line.startswith("from "), line))
    if "import math" in imports and len(imports) > 1:
        # The standard library stands apart, as is the custom.
        imports = ["import math", "", *(line for line in imports if line != "import math")]
    parts = ["\n".join(imports), *writer.helpers.values(), define(expression.text(), body)]
    return "\n\n\n".join(part.rstrip() for part in parts if part) + "\n"


def _import(module: str, head: str) -> str:
    package, _, last = module.rpartition(".")
    if module == head:
        return f"import {module}"
    return f"from {package} import {last}" if last == head else f"import {module} as {head}"
