"""How a formula is written: as text, in TeX, and as the body of a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from deeplimit.activations.functions import CONSTANTS, Dialect
from deeplimit.activations.operators import COMPARISONS

if TYPE_CHECKING:
    from deeplimit.activations.nodes import Node
    from deeplimit.activations.tree import Call

# Binding strengths, weakest first.
_COMPARISON, _SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(6)

#: A piece of writing and how strongly its outermost operation binds.
Written = tuple[str, int]


def number_text(value: float) -> str:
    """Write a float so that reading it gives the same float: ``2``, ``0.1``, ``1e+22``."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


class Writer:
    """A notation: one method for each kind of node, which hands its parts back to the writer."""

    comparisons: Mapping[str, str] = {sign: sign for sign in COMPARISONS}

    def write(self, node: Node) -> Written:
        """Write a node."""
        return node._write(self)

    def text(self, node: Node, strength: int = _COMPARISON) -> str:
        """Write a node, in parentheses if it binds more weakly than its place asks."""
        text, bound = self.write(node)
        return text if bound >= strength else self.parenthesised(text)

    def parenthesised(self, text: str) -> str:
        """Put parentheses around a piece of writing."""
        return f"({text})"

    def number(self, value: float) -> Written:
        """Write a number."""
        return number_text(value), _ATOM

    def named(self, name: str) -> Written:
        """Write a named constant."""
        return name, _ATOM

    def variable(self) -> Written:
        """Write the variable."""
        return "x", _ATOM

    def operation(self, sign: str, operands: Sequence[Node]) -> Written:
        """Write an operator between its operands."""
        match sign:
            case "neg":
                return "-" + self.text(operands[0], _UNARY), _UNARY
            case "+":
                return self.sum(operands)
            case "*":
                return self.product(operands)
            case "/":
                return self.quotient(*operands)
            case _:
                return self.power(*operands)

    def sum(self, terms: Sequence[Node]) -> Written:
        """Write a sum; a term after the first whose sign is changed is subtracted."""
        text = self.text(terms[0], _PRODUCT)
        for term in terms[1:]:
            negative = getattr(term, "sign", None) == "neg"
            shown = term.operands[0] if negative else term
            text += (" - " if negative else " + ") + self.text(shown, _PRODUCT)
        return text, _SUM

    def product(self, factors: Sequence[Node]) -> Written:
        """Write a product."""
        raise NotImplementedError

    def quotient(self, numerator: Node, denominator: Node) -> Written:
        """Write a quotient."""
        raise NotImplementedError

    def power(self, base: Node, exponent: Node) -> Written:
        """Write a power."""
        raise NotImplementedError

    def call(self, call: Call) -> Written:
        """Write a call of a function."""
        raise NotImplementedError

    def comparison(self, sign: str, left: Node, right: Node) -> Written:
        """Write a comparison."""
        joined = f"{self.text(left, _SUM)} {self.comparisons[sign]} {self.text(right, _SUM)}"
        return joined, _COMPARISON


class TextWriter(Writer):
    """The formula language itself: what it writes, the parser reads back as the same tree."""

    times, over, to_the = "*", "/", "^"

    def product(self, factors: Sequence[Node]) -> Written:
        """Write a product; a quotient may only lead it, since a*b/c reads (a*b)/c."""
        first, *rest = factors
        # A product at the head of a product came from parentheses and keeps them.
        text = self.text(first, _UNARY if getattr(first, "sign", None) == "*" else _PRODUCT)
        return self.times.join([text, *(self.text(factor, _UNARY) for factor in rest)]), _PRODUCT

    def quotient(self, numerator: Node, denominator: Node) -> Written:
        """Write a quotient."""
        above, below = self.text(numerator, _PRODUCT), self.text(denominator, _UNARY)
        return f"{above}{self.over}{below}", _PRODUCT

    def power(self, base: Node, exponent: Node) -> Written:
        """Write a power; it binds to the right, and a sign may lead its exponent."""
        return f"{self.text(base, _ATOM)}{self.to_the}{self.text(exponent, _UNARY)}", _POWER

    def call(self, call: Call) -> Written:
        """Write a call."""
        return f"{call.name}({', '.join(map(self.text, call.operands))})", _ATOM


class CodeWriter(TextWriter):
    """The body of a program in a dialect; remembers the modules and helpers the body needs.

    Constant parts are written as their values.

    Parameters
    ----------
    dialect : Dialect
        The array library.
    """

    times, over, to_the = " * ", " / ", "**"

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.heads: set[str] = set()
        self.helpers: dict[str, str] = {}

    def write(self, node: Node) -> Written:
        """Write a node, or its value if it is constant."""
        return super().write(node) if node.constant is None else self.number(node.constant)

    def number(self, value: float) -> Written:
        """Write a float, so that no operation on integers alone can arise."""
        text = repr(value)
        return text, _UNARY if text.startswith("-") else _ATOM

    def power(self, base: Node, exponent: Node) -> Written:
        """Write a power; libraries are at their best with an exponent that is an integer."""
        if exponent.constant is None:
            return super().power(base, exponent)
        return f"{self.text(base, _ATOM)}{self.to_the}{number_text(exponent.constant)}", _POWER

    def sum(self, terms: Sequence[Node]) -> Written:
        """Write a sum; a negative value is subtracted."""
        text, bound = super().sum(terms)
        return text.replace(" + -", " - ").replace(" - -", " + "), bound

    def call(self, call: Call) -> Written:
        """Write a call of the library's function, or of a helper."""
        dotted = call.spec.dotted(self.dialect)
        texts = [self.text(argument) for argument in call.operands]
        if call.name == "h":
            texts[0] = number_text(call.operands[0].constant or 0.0)
        if dotted is None:
            dotted = self._helper(call)
        else:
            self.heads.add(dotted.partition(".")[0])
            if self.dialect.lifts and len(texts) > 1:
                texts = [
                    text if argument.constant is None else self.filled(text)
                    for text, argument in zip(texts, call.operands, strict=True)
                ]
        return f"{dotted}({', '.join(texts)})", _ATOM

    def filled(self, number: str) -> str:
        """Write an array like `x` filled with a number."""
        self.heads.add(self.dialect.full_like.partition(".")[0])
        return f"{self.dialect.full_like}(x, {number})"

    def _helper(self, call: Call) -> str:
        """Name the helper that computes a call, after adding it and those it calls itself."""
        name = f"_{call.name}"
        if name not in self.helpers:
            if call.spec.program is not None:
                self.heads.add("math")
                self.helpers[name] = call.spec.program
            else:
                body = self.text(call.definition())
                self.helpers[name] = f"def {name}(x):\n    return {body}\n"
        return name


class TexWriter(Writer):
    """TeX, for the inside of a formula environment."""

    comparisons: Mapping[str, str] = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge"}

    def parenthesised(self, text: str) -> str:
        """Put parentheses of fitting size around a piece of writing."""
        return rf"\left({text}\right)"

    def number(self, value: float) -> Written:
        """Write a number, with a power of ten where Python writes an exponent."""
        mantissa, _, exponent = number_text(value).partition("e")
        if not exponent:
            return mantissa, _ATOM
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}", _PRODUCT

    def named(self, name: str) -> Written:
        """Write a named constant."""
        return CONSTANTS[name][1], _ATOM

    def product(self, factors: Sequence[Node]) -> Written:
        """Write a product by juxtaposition, with a dot where two numbers would run together."""
        text = self.text(factors[0], _PRODUCT)
        for factor in factors[1:]:
            right = self.text(factor, _POWER)
            dot = right[0].isdigit() or (text[-1].isdigit() and right.startswith(r"\frac"))
            text += (r" \cdot " if dot else r"\,") + right
        return text, _PRODUCT

    def quotient(self, numerator: Node, denominator: Node) -> Written:
        """Write a fraction."""
        return rf"\frac{{{self.text(numerator)}}}{{{self.text(denominator)}}}", _POWER

    def power(self, base: Node, exponent: Node) -> Written:
        """Write a power."""
        return f"{self.text(base, _ATOM)}^{{{self.text(exponent)}}}", _POWER

    def call(self, call: Call) -> Written:
        """Write a call by its operator or its template."""
        tex, texts = call.spec.tex, [self.text(argument) for argument in call.operands]
        if "#1" not in tex:
            return tex + self.parenthesised(", ".join(texts)), _POWER
        for i, text in enumerate(texts, start=1):
            tex = tex.replace(f"#{i}", text)
        return tex, _POWER
