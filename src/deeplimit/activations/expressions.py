"""The formula language of activations: ``"x*sigmoid(1.702x)"`` read into an expression."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from deeplimit.activations.functions import ALIASES, CONSTANTS, FUNCTIONS
from deeplimit.activations.nodes import MAX_DEPTH, MAX_SIZE, Node
from deeplimit.activations.operators import COMPARISONS
from deeplimit.activations.tree import (
    Call,
    Comparison,
    Constant,
    Expression,
    Number,
    Operation,
    Variable,
    hermite_sum,
    number,
)

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_SIZE",
    "Call",
    "Comparison",
    "Constant",
    "Expression",
    "Number",
    "Operation",
    "Variable",
    "hermite_sum",
    "number",
    "parse",
]

#: Characters a formula may have.
MAX_LENGTH = 100_000

_VARIABLES = ("x", "z")
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*|π)
      | (?P<sign>\*\*|<=|>=|[-+*/^<>(),|−×·≤≥])
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_SPELLINGS = {"**": "^", "−": "-", "×": "*", "·": "*", "≤": "<=", "≥": ">=", "π": "pi"}


def parse(text: str) -> Expression:
    """Read an activation from a formula of one variable.

    Parameters
    ----------
    text : str
        A formula of `x` (or of `z`), in numbers, ``pi``, ``e``, ``+ - * / ^`` (or ``**``),
        ``|x|``, the `FUNCTIONS`, and ``where(x > 0, a, b)``. A number may stand directly before a
        name or a parenthesis to multiply it, as in ``2x`` or ``0.5(x + 1)``, unless ``/`` or
        ``^`` comes before the number: ``1/2x`` has two readings and is refused.

    Returns
    -------
    Expression
        The formula as a tree: nothing is simplified and nothing is executed.

    Raises
    ------
    TypeError
        If `text` is not a string.
    ValueError
        If `text` is not a formula, is too long or nested too deep, or if a part of it is constant
        but not finite. The first line says what is wrong and in which column; the formula and a
        caret under that column follow.

    Notes
    -----
    Precedence, weakest first: sums, products, signs, powers; powers bind to the right and ``-x^2``
    is ``-(x^2)``. At 0, ``sign`` is 0 and ``heaviside`` one half. ``h(k, x)`` is the
    probabilists' Hermite polynomial of degree `k`, divided by the root of `k` factorial.

    Examples
    --------
    >>> gelu = parse("x*sigmoid(1.702x)")
    >>> gelu
    parse('x*sigmoid(1.702*x)')
    >>> gelu([-1.0, 0.0, 1.0]).round(6)
    array([-0.154204,  0.      ,  0.845796])
    >>> parse("sin(2.676*z)").parity()
    'odd'
    >>> parse("tanhh(x)")
    Traceback (most recent call last):
        ...
    ValueError: formula, column 1: unknown name 'tanhh'; did you mean 'tanh'?
      tanhh(x)
      ^
    """
    if not isinstance(text, str):
        raise TypeError(f"a formula is a string, got {type(text).__name__}.")
    if len(text) > MAX_LENGTH:
        raise _error(
            text, MAX_LENGTH, f"a formula has at most {MAX_LENGTH} characters, got {len(text)}"
        )
    return _Parser(text).formula()


class _Token(NamedTuple):
    """A word of a formula: its kind, its normal spelling and where it starts."""

    kind: str
    text: str
    column: int


def _error(text: str, column: int, problem: str) -> ValueError:
    """Say what is wrong where, with an excerpt and a caret."""
    start = max(0, column - 40)
    excerpt = "".join(" " if c.isspace() else c for c in text[start : column + 30])
    before, after = "…" * (start > 0), "…" * (column + 30 < len(text))
    caret = " " * (column - start + len(before)) + "^"
    shown = f"\n  {before}{excerpt}{after}\n  {caret}"
    return ValueError(f"formula, column {column + 1}: {problem}{shown}")


def _tokens(text: str) -> list[_Token]:
    """Cut a formula into words, with the multiplication signs that were left out."""
    tokens: list[_Token] = []
    at, kind = 0, ""
    while kind != "end":
        match = _TOKEN.match(text, at)
        if match is None:
            column = at + len(text[at:]) - len(text[at:].lstrip())
            raise _error(text, column, f"{text[column]!r} has no meaning here")
        kind = str(match.lastgroup)
        word = match[kind]
        token = _Token(kind, _SPELLINGS.get(word, word), match.start(kind))
        if tokens and tokens[-1].kind == "number" and (kind == "name" or word == "("):
            _check_implicit(text, tokens, token)
            tokens.append(_Token("sign", "*", token.column))
        tokens.append(token)
        at = match.end()
    return tokens


def _check_implicit(text: str, tokens: list[_Token], token: _Token) -> None:
    """Refuse a multiplication sign left out where that leaves two readings."""
    factor = tokens[-1]
    if token.text in ("e", "E") and token.column == factor.column + len(factor.text):
        raise _error(text, token.column, f"write {factor.text}*e for a multiple of e")
    before = len(tokens) - 2
    while before >= 0 and tokens[before].text in ("+", "-"):
        before -= 1
    if before >= 0 and tokens[before].text in ("/", "^"):
        raise _error(
            text,
            token.column,
            f"two readings after {tokens[before].text!r}: write the multiplication sign "
            f"and parentheses around what belongs together",
        )


class _Parser:
    """Recursive descent over the words of one formula.

    Parameters
    ----------
    text : str
        The formula.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0
        self._nesting = 0
        self._variable: str | None = None

    def formula(self) -> Expression:
        """Read all of it."""
        if self._next.kind == "end":
            raise self._error(self._next, "the formula is empty")
        expression = self._sum()
        if self._next.kind != "end":
            raise self._unexpected("an operator")
        return expression

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _sees(self, *signs: str) -> bool:
        return self._next.kind == "sign" and self._next.text in signs

    def _expect(self, sign: str, opened: _Token) -> None:
        if not self._sees(sign):
            if self._next.kind == "end":
                raise self._error(opened, f"{opened.text!r} is never closed")
            raise self._unexpected(f"{sign!r}")
        self._take()

    def _error(self, token: _Token, problem: str) -> ValueError:
        return _error(self._text, token.column, problem)

    def _unexpected(self, wanted: str) -> ValueError:
        token = self._next
        if token.kind == "end":
            return self._error(token, f"the formula ends where {wanted} should follow")
        if token.text in COMPARISONS:
            return self._error(
                token,
                f"{token.text!r} can stand once, in the first argument of where(condition, a, b)",
            )
        return self._error(token, f"{token.text!r} where {wanted} should follow")

    def _build(self, token: _Token, kind: Callable[..., Expression], *parts: Any) -> Expression:
        """Make a node; what it refuses is put down to the word at which it was complete."""
        try:
            return kind(*parts)
        except ValueError as error:
            raise self._error(token, str(error)) from None

    def _enter(self, token: _Token) -> None:
        self._nesting += 1
        if self._nesting > MAX_DEPTH:
            raise self._error(token, f"the formula is nested more than {MAX_DEPTH} levels deep")

    def _leave(self) -> None:
        self._nesting -= 1

    def _sum(self) -> Expression:
        terms = [self._product()]
        first = self._next
        while self._sees("+", "-"):
            sign = self._take()
            term = self._product()
            terms.append(self._negative(sign, term) if sign.text == "-" else term)
        if len(terms) == 1:
            return terms[0]
        return self._build(first, Operation, "+", tuple(terms))

    def _product(self) -> Expression:
        factors = [self._signed()]
        last = self._next
        while self._sees("*", "/"):
            sign = self._take()
            factor = self._signed()
            if sign.text == "*":
                factors.append(factor)
                last = sign
            else:
                numerator = self._joined(factors, last)
                factors = [self._build(sign, Operation, "/", (numerator, factor))]
        return self._joined(factors, last)

    def _joined(self, factors: list[Expression], token: _Token) -> Expression:
        if len(factors) == 1:
            return factors[0]
        return self._build(token, Operation, "*", tuple(factors))

    def _signed(self) -> Expression:
        if not self._sees("+", "-"):
            return self._power()
        sign = self._take()
        self._enter(sign)
        operand = self._signed()
        self._leave()
        return self._negative(sign, operand) if sign.text == "-" else operand

    def _negative(self, sign: _Token, operand: Expression) -> Expression:
        return self._build(sign, operator.neg, operand)

    def _power(self) -> Expression:
        base = self._atom()
        if not self._sees("^"):
            return base
        sign = self._take()
        self._enter(sign)
        exponent = self._signed()
        self._leave()
        return self._build(sign, Operation, "^", (base, exponent))

    def _atom(self) -> Expression:
        token = self._next
        if token.kind == "number":
            self._take()
            if float(token.text) == float("inf"):
                raise self._error(token, "the number is beyond the largest float, 1.8e308")
            return Number(float(token.text))
        if token.kind == "name":
            return self._named(self._take())
        if self._sees("(", "|"):
            self._take()
            self._enter(token)
            inner = self._sum()
            self._leave()
            self._expect(")" if token.text == "(" else "|", token)
            return inner if token.text == "(" else self._build(token, Call, "abs", (inner,))
        raise self._unexpected("a number, x, a function or '('")

    def _named(self, token: _Token) -> Expression:
        called = self._sees("(")
        if token.text in _VARIABLES:
            if called:
                raise self._error(self._next, f"{token.text} is the variable: write {token.text}*(")
            if self._variable not in (None, token.text):
                raise self._error(token, "a formula has one variable: either x or z")
            self._variable = token.text
            return Variable()
        if token.text in CONSTANTS and not called:
            return Constant(token.text)
        name = ALIASES.get(token.text, token.text)
        if name not in FUNCTIONS:
            raise self._error(token, _unknown(token.text, called))
        if not called:
            raise self._error(token, f"a function needs its arguments: {FUNCTIONS[name].signature}")
        return self._call(token, name)

    def _call(self, token: _Token, name: str) -> Expression:
        opened = self._take()
        self._enter(token)
        arguments: list[Node] = []
        if not self._sees(")"):
            arguments.append(self._condition() if name == "where" else self._sum())
            while self._sees(","):
                self._take()
                arguments.append(self._sum())
        self._leave()
        self._expect(")", opened)
        return self._build(token, Call, name, tuple(arguments))

    def _condition(self) -> Node:
        left = self._sum()
        if not self._sees(*COMPARISONS):
            return left
        sign = self._take()
        right = self._sum()
        if self._sees(*COMPARISONS):
            raise self._error(self._next, "comparisons do not chain: put one where() into another")
        try:
            return Comparison(sign.text, (left, right))
        except ValueError as error:
            raise self._error(sign, str(error)) from None


def _unknown(name: str, called: bool) -> str:
    """Say that a name is unknown, with the nearest known one of its kind."""
    if name.lower() in ("inf", "infinity", "nan"):
        return "numbers are finite here"
    short = name if len(name) <= 40 else name[:37] + "..."
    known = [*FUNCTIONS, *ALIASES] + ([] if called else [*CONSTANTS, *_VARIABLES])
    near = difflib.get_close_matches(name[:40].lower(), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(FUNCTIONS))}"
    return f"unknown name {short!r}; {hint}"
