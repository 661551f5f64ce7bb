"""Formulas as MathML, written while the pages are built: a reader's browser asks nobody for help.

docutils has the converter. Sphinx would hand a formula to a script from another host, or to a TeX
that has to be installed.
"""

from __future__ import annotations

import html
import re
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math import MathError, unichar2tex
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import SphinxError
from sphinx.transforms.post_transforms import SphinxPostTransform

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
THIN = "0.1667em"
APPLY = "\u2061"
OPENING = ("(", "[", "{")


class FormulaError(SphinxError):
    """A formula that the converter does not know."""

    category = "Formula"


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _new(tag: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    made = ElementTree.Element(f"{{{NAMESPACE}}}{tag}", attributes)
    made.text = text
    return made


def _is_prime(element: ElementTree.Element) -> bool:
    return _tag(element) == "mo" and element.text == "'"


def _with_primes(row: list[ElementTree.Element]) -> list[ElementTree.Element]:
    """Hang primes, and what stands above them, on what they follow."""
    done: list[ElementTree.Element] = []
    for item in row:
        raised = _tag(item) == "msup" and _is_prime(item[0])
        if not done or not (raised or _is_prime(item)):
            done.append(item)
            continue
        if _tag(done[-1]) == "msup" and done[-1].get("class") == "prime":
            script = done[-1][1]
        else:
            script, base = _new("mrow"), done.pop()
            done.append(_new("msup", **{"class": "prime"}))
            done[-1].extend((base, script))
        script.append(_new("mo", "′"))
        if raised:
            script.append(item[1])
    return done


def _with_spaces(row: list[ElementTree.Element]) -> list[ElementTree.Element]:
    """Set names of functions apart from their arguments."""
    done: list[ElementTree.Element] = []
    for place, item in enumerate(row):
        following = row[place + 1] if place + 1 < len(row) else None
        if _tag(item) == "mo" and item.text == APPLY:
            opens = following is not None and (following.text or "").strip() in OPENING
            if following is not None and not opens:
                done.append(_new("mspace", width=THIN))
            continue
        named = following is not None and _tag(following) == "mo" and following.text == APPLY
        if named and done and _tag(done[-1]) not in ("mo", "mspace"):
            done.append(_new("mspace", width=THIN))
        if _tag(item) == "mo" and item.text in ("lim", "max", "min", "sup", "inf"):
            item.attrib |= {"lspace": "0", "rspace": THIN}
        done.append(item)
    return done


def _set_in_type(element: ElementTree.Element) -> None:
    """Do what TeX does with primes, names of functions and bars, and the converter leaves out."""
    for child in element:
        _set_in_type(child)
    if _tag(element) == "mo" and element.text in ("|", "‖", "/"):
        element.attrib |= {"lspace": "0", "rspace": "0"}
        if "minsize" not in element.attrib:
            element.set("stretchy", "false")
    if _tag(element) in ("math", "mrow", "mtd", "msqrt"):
        element[:] = _with_spaces(_with_primes(list(element)))


def mathml(tex: str, *, block: bool = False) -> str:
    r"""Turn a formula of TeX into MathML.

    Parameters
    ----------
    tex : str
        The formula, without dollar signs.
    block : bool, default=False
        Whether it stands on a line of its own.

    Returns
    -------
    str
        One element ``math``.

    Raises
    ------
    ValueError
        If there is a macro that the converter does not know, or a brace too few or too many.

    Examples
    --------
    >>> "<mi>ξ</mi>" in mathml(r"\xi^2")
    True
    >>> "<msup" in mathml("f'(0)"), "′" in mathml("f'(0)")
    (True, True)
    >>> mathml(r"\nosuchmacro")
    Traceback (most recent call last):
    ...
    ValueError: Unknown LaTeX command "\nosuchmacro". (in the formula \nosuchmacro)
    """
    braces = re.findall(r"(?<!\\)[{}]", tex)
    if braces.count("{") != braces.count("}"):
        raise ValueError(f"Braces do not match (in the formula {tex.strip()})")
    # As in TeX a comma between digits is a comma: the converter would read one number.
    plain = re.sub(r"(?<=\d),(?=\d)", ", ", tex.strip()).translate(unichar2tex.uni2tex_table)
    try:
        text = tex2mathml(plain, as_block=block)
    except MathError as why:
        raise ValueError(f"{why} (in the formula {tex.strip()})") from None
    text = re.sub(r"&(?!lt;|gt;|amp;)[A-Za-z]+;", lambda name: html.unescape(name[0]), text)
    tree = ElementTree.fromstring(re.sub(r">\s+<", "><", text))
    _set_in_type(tree)
    ElementTree.register_namespace("", NAMESPACE)
    return ElementTree.tostring(tree, encoding="unicode")


def _converted(node: nodes.math | nodes.math_block, *, block: bool) -> str:
    """Convert what a node holds, or end the build with its place."""
    try:
        return mathml(node.astext(), block=block)
    except ValueError as why:
        source, line = node.source, node.line
        parent = node.parent
        while parent is not None and not (source and line):
            source, line, parent = parent.source, parent.line, parent.parent
        raise FormulaError(f"{source}:{line}: {why}") from None


class Hold(SphinxPostTransform):
    """Keep a line from breaking between a formula and the sign after it."""

    default_priority = 800

    def run(self, **_: Any) -> None:
        """Put both into a box that does not break."""
        for formula in list(self.document.findall(nodes.math)):
            row = formula.parent
            place = row.index(formula)
            after = row[place + 1] if place + 1 < len(row) else None
            sign = isinstance(after, nodes.Text) and re.match(r"[,.;:)\]”’-]+", after.astext())
            if sign:
                row[place + 1] = nodes.Text(after.astext()[sign.end() :])
                row[place] = nodes.inline("", "", formula, nodes.Text(sign[0]), classes=["held"])


def visit_inline(self: Any, node: nodes.math) -> None:
    """Write a formula inside a line."""
    self.body.append(f'<span class="math">{_converted(node, block=False)}</span>')
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, in a box that scrolls."""
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(f"{_converted(node, block=True)}</div>\n")
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Make it known to Sphinx, which asks for it by the name ``mathml``."""
    app.add_post_transform(Hold)
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
