"""Reports written once and shown thrice: on a terminal, as Markdown, as a self-contained page."""

from __future__ import annotations

import base64
import html
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Code",
    "Document",
    "Drawing",
    "Heading",
    "Paragraph",
    "Picture",
    "Table",
    "align",
    "fold",
]

_STYLE = """\
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --accent: #6ab9ee; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
div.table { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.92rem; }
td, th { padding: 0.25rem 0.7rem; border-bottom: 1px solid var(--line); text-align: right; }
td { white-space: nowrap; } td.left { white-space: normal; min-width: 5rem; }
@media (max-width: 30rem) { td, th { padding: 0.25rem 0.35rem; } }
td.left, th.left { text-align: left; } th { font-weight: 600; }
body { overflow-wrap: anywhere; } td, th { overflow-wrap: normal; }
figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; } svg text { fill: currentColor; }
img { max-width: 100%; height: auto; background: #fff; border-radius: 4px; }
pre { overflow-x: auto; padding: 0.7rem 1rem; background: var(--soft); border-radius: 4px; }
"""


@dataclass(frozen=True)
class Heading:
    """A heading.

    Parameters
    ----------
    text : str
        What it says.
    level : int, default=2
        1 for the title, 2 for a section.

    Examples
    --------
    >>> from deeplimit.documents import Heading
    >>> Heading("Reasons").level
    2
    """

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text.

    Parameters
    ----------
    text : str
        What it says.

    Examples
    --------
    >>> from deeplimit.documents import Paragraph
    >>> Paragraph("Nothing is trained.").text
    'Nothing is trained.'
    """

    text: str


@dataclass(frozen=True)
class Table:
    """A table.

    Parameters
    ----------
    head : tuple of str
        Heads of the columns.
    rows : tuple of tuple of str
        Cells.
    left : tuple of int, default=(0,)
        Columns set to the left; the others are numbers and set to the right.

    Examples
    --------
    >>> from deeplimit.documents import Table
    >>> Table(("classifier", "accuracy"), (("1-NN", "0.97"),)).left
    (0,)
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Picture:
    """A picture in a file beside the report.

    Parameters
    ----------
    name : str
        Name of the PNG file, in the folder of the report.
    about : str
        What it shows, for those who do not see it.

    Examples
    --------
    >>> from deeplimit.documents import Picture
    >>> Picture("portrait.png", "The activation and its kernel").name
    'portrait.png'
    """

    name: str
    about: str


@dataclass(frozen=True)
class Code:
    """Lines to be typed or pasted.

    Parameters
    ----------
    text : str
        The lines.

    Examples
    --------
    >>> from deeplimit.documents import Code
    >>> Code("deeplimit demo").text
    'deeplimit demo'
    """

    text: str


@dataclass(frozen=True)
class Drawing:
    """A drawing as SVG, which is a part of the page itself.

    Parameters
    ----------
    svg : str
        An ``svg`` element; its colours are ``currentColor`` and the variables of the page.
    about : str
        What it shows. On a terminal and in Markdown this stands in its place.

    Examples
    --------
    >>> from deeplimit.documents import Drawing
    >>> Drawing('<svg viewBox="0 0 1 1"></svg>', "Nothing").about
    'Nothing'
    """

    svg: str
    about: str


Block = Heading | Paragraph | Table | Picture | Drawing | Code


@dataclass(frozen=True)
class Document:
    """A report.

    Parameters
    ----------
    title : str
        What it is about.
    blocks : tuple of Heading, Paragraph, Table, Picture, Drawing or Code
        What it says, in order.

    Examples
    --------
    >>> from deeplimit.documents import Document, Paragraph, Table
    >>> text = Paragraph("Nothing is trained.")
    >>> document = Document("Results", (text, Table(("rule", "accuracy"), (("1-NN", "0.97"),))))
    >>> print(document.to_text())
    Results
    =======
    <BLANKLINE>
    Nothing is trained.
    <BLANKLINE>
      rule  accuracy
      1-NN      0.97
    >>> document.to_markdown().splitlines()[-1]
    '| 1-NN | 0.97 |'
    """

    title: str
    blocks: tuple[Block, ...]

    def to_text(self, width: int = 80) -> str:
        """Set the report for a terminal; pictures are left out.

        Parameters
        ----------
        width : int, default=80
            Columns of the terminal.

        Returns
        -------
        str
        """
        parts = [_underlined(self.title, "=")]
        for block in self.blocks:
            match block:
                case Heading():
                    parts.append(_underlined(block.text, "-"))
                case Paragraph():
                    parts.append(fold(block.text, width))
                case Table():
                    parts.append(align(block.head, block.rows, left=block.left))
                case Code():
                    parts.append(textwrap.indent(block.text, "  "))
                case Drawing():
                    parts.append(fold(block.about, width))
                case Picture():
                    pass
        return "\n\n".join(parts)

    def to_markdown(self) -> str:
        """Set the report in Markdown; pictures are links to their files.

        Returns
        -------
        str
        """
        parts = [f"# {_escaped(self.title)}"]
        for block in self.blocks:
            match block:
                case Heading():
                    parts.append(f"{'#' * block.level} {_escaped(block.text)}")
                case Paragraph():
                    parts.append(_escaped(block.text))
                case Table():
                    parts.append(_markdown_table(block))
                case Code():
                    parts.append(f"```\n{block.text}\n```")
                case Drawing():
                    parts.append(_escaped(block.about))
                case Picture():
                    parts.append(f"![{_escaped(block.about)}]({block.name})")
        return "\n\n".join(parts) + "\n"

    def to_html(self, folder: Path = Path()) -> str:
        """Set the report as one page that needs no other file, and no script.

        Parameters
        ----------
        folder : pathlib.Path, optional
            Where the pictures are.

        Returns
        -------
        str
        """
        parts = [f"<main>\n<h1>{html.escape(self.title)}</h1>"]
        section, tables = self.title, 0
        for block in self.blocks:
            match block:
                case Heading():
                    section, tables = block.text, 0
                    parts.append(f"<h{block.level}>{html.escape(block.text)}</h{block.level}>")
                case Paragraph():
                    parts.append(f"<p>{html.escape(block.text)}</p>")
                case Table():
                    tables += 1
                    about = section if tables == 1 else f"{section}, table {tables}"
                    parts.append(_html_table(block, about))
                case Code():
                    parts.append(f"<pre>{html.escape(block.text)}</pre>")
                case Drawing():
                    about = html.escape(block.about)
                    parts.append(f"<figure>{block.svg}<figcaption>{about}</figcaption></figure>")
                case Picture():
                    data = base64.b64encode((folder / block.name).read_bytes()).decode()
                    about = html.escape(block.about)
                    parts.append(f'<p><img alt="{about}" src="data:image/png;base64,{data}"></p>')
        head = (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{html.escape(self.title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n"
        )
        return head + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"

    def write(self, folder: Path, name: str = "report") -> list[Path]:
        """Write the report as Markdown and as a page.

        Parameters
        ----------
        folder : pathlib.Path
            An existing folder, where the pictures are.
        name : str, default="report"
            Name of the files, without ending.

        Returns
        -------
        list of pathlib.Path
            The two files.

        Raises
        ------
        OSError
            If a file cannot be written, or a picture is not there.
        """
        written = []
        for ending, text in ((".md", self.to_markdown()), (".html", self.to_html(folder))):
            path = folder / f"{name}{ending}"
            path.write_text(text, encoding="utf-8")
            written.append(path)
        return written


def fold(text: str, width: int = 80, indent: str = "", hanging: str | None = None) -> str:
    """Fold text to a width; words are not broken.

    Parameters
    ----------
    text : str
        What to fold.
    width : int, default=80
        Longest line.
    indent : str, default=""
        In front of the first line.
    hanging : str, optional
        In front of the other lines; by default `indent`.

    Returns
    -------
    str
        The lines.

    Examples
    --------
    >>> from deeplimit.documents import fold
    >>> print(fold("a sentence of some words", 14, "- ", "  "))
    - a sentence
      of some
      words
    """
    return textwrap.fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def align(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    left: Sequence[int] = (0,),
    indent: int = 2,
) -> str:
    """Set a table with aligned columns.

    Parameters
    ----------
    head : sequence of str
        Heads of the columns.
    rows : iterable of sequence of str
        Cells.
    left : sequence of int, default=(0,)
        Columns set to the left; the others are set to the right.
    indent : int, default=2
        Blanks in front.

    Returns
    -------
    str
        The lines, without a rule below the heads.

    Examples
    --------
    >>> from deeplimit.documents import align
    >>> print(align(("class", "share"), (("a", "0.75"), ("b", "0.25"))))
      class  share
      a       0.75
      b       0.25
    """
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        " " * indent
        + "  ".join(
            cell.ljust(width) if j in left else cell.rjust(width)
            for j, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _underlined(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"


def _escaped(text: str) -> str:
    """Keep Markdown from reading a formula's stars and bars as its own."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", text)


def _markdown_table(table: Table) -> str:
    rule = ["---" if j in table.left else "---:" for j in range(len(table.head))]
    cells = [[_escaped(cell) for cell in row] for row in (table.head, *table.rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (cells[0], rule, *cells[1:]))


def _html_table(table: Table, about: str) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        marked = (
            f"<{tag}{' class=left' if j in table.left else ''}>{html.escape(cell)}</{tag[:2]}>"
            for j, cell in enumerate(cells)
        )
        return f"<tr>{''.join(marked)}</tr>"

    head = line(table.head, 'th scope="col"')
    rows = "\n".join(line(row, "td") for row in table.rows)
    # What scrolls must be reached without a mouse.
    opened = f'<div class="table" role="region" tabindex="0" aria-label="{html.escape(about)}">'
    return f"{opened}<table>\n<thead>{head}</thead>\n<tbody>{rows}</tbody>\n</table></div>"
