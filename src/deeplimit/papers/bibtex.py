"""BibTeX: entries, strings and the TeX in them, as far as titles and names need it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from deeplimit.papers.listings import (
    Listing,
    arxiv_number,
    as_date,
    clean,
    code_address,
    web_address,
)

__all__ = ["parse_bibtex", "plain"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306",
    ".": "\u0307", '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "c": "\u0327",
    "k": "\u0328",
}  # fmt: skip
_LETTERS = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å",
    "AA": "Å", "l": "ł", "L": "Ł", "i": "i", "j": "j", "&": "&", "%": "%", "$": "$", "#": "#",
    "_": "_", "{": "{", "}": "}", "textendash": "–", "textemdash": "—",
}  # fmt: skip
_ACCENT = re.compile(
    r"\\([`'^~=.\"]|[urHvck](?![A-Za-z]))\s*(?:\{\s*(\\?[A-Za-z])\s*\}|(\\?[A-Za-z]))"
)
_NAMED = re.compile(r"\\([A-Za-z]+)\s*|\\([&%$#_{}])")
_ENTRY = re.compile(r"@\s*([A-Za-z]+)\s*([{(])")
_FIELD = re.compile(r"\s*([A-Za-z][\w:.+/-]*)\s*=\s*")
_KEY = re.compile(r"[^,=}{]*[,}]")
_BARE = re.compile(r"[^\s,#{}\"=()]+")
# Of nested braces; deeper ones are an attack, not a title.
_DEEPEST = 50


def parse_bibtex(text: str) -> list[Listing]:
    """Parse BibTeX.

    Parameters
    ----------
    text : str
        The file.

    Returns
    -------
    list of Listing

    Raises
    ------
    ValueError
        If an entry is not closed, is malformed or has no title; the message gives its line.
    """
    strings = {month: month for month in _MONTHS}
    listings = []
    at = 0
    while found := _ENTRY.search(text, at):
        kind = found[1].lower()
        try:
            if kind in ("comment", "preamble"):
                at = _closing(text, found.end(), found[2])
                continue
            fields, at = _fields(text, found.end(), found[2], strings, key=kind != "string")
            if kind == "string":
                strings.update({name.lower(): value for name, value in fields.items()})
            else:
                listings.append(_listing(fields))
        except ValueError as error:
            line = text.count("\n", 0, found.start()) + 1
            raise ValueError(f"the entry on line {line}: {error}") from None
    return listings


def plain(text: str) -> str:
    r"""Turn TeX into plain text: accents, letters, dashes, braces.

    Parameters
    ----------
    text : str
        A field of BibTeX.

    Returns
    -------
    str

    Examples
    --------
    >>> from deeplimit.papers.bibtex import plain
    >>> plain(r"G{\"o}del, {\L}ukasiewicz \& {Kr\'olikowski} -- a  {Tale}")
    'Gödel, Łukasiewicz & Królikowski – a Tale'
    """

    def accented(found: re.Match[str]) -> str:
        letter = (found[2] or found[3]).lstrip("\\")
        return unicodedata.normalize("NFC", letter + _ACCENTS[found[1]])

    def named(found: re.Match[str]) -> str:
        return _LETTERS.get(found[1] or found[2], "")

    # Formulas stay as they are: taking out their commands would change what they say.
    parts = re.split(r"(?<!\\)(\$[^$]*\$)", text)
    for i in range(0, len(parts), 2):
        part = _NAMED.sub(named, _ACCENT.sub(accented, parts[i]))
        part = part.replace("---", "—").replace("--", "–").replace("~", " ")
        parts[i] = re.sub(r"[{}]", "", part)
    return clean("".join(parts))


def _listing(fields: dict[str, str]) -> Listing:
    authors = tuple(
        name
        for part in re.split(r"\s+and\s+", fields.get("author", ""))
        if (name := _in_order(plain(part))) and name.lower() != "others"
    )
    # "and others" says that there are more of them, so that how many is not known.
    others = re.search(r"\band\s+others\s*$", fields.get("author", "")) is not None
    abstract = plain(fields.get("abstract", "")) or None
    date = _date(fields)
    eprint = fields.get("eprint") or fields.get("arxivid") or fields.get("url") or ""
    address = web_address(fields.get("url", "").strip())
    return Listing(
        plain(fields.get("title", "")),
        abstract,
        authors,
        None if others else len(authors) or None,
        date,
        "page" if date else None,
        code=code_address(abstract) if abstract else None,
        arxiv_id=arxiv_number(plain(eprint)),
        doi=plain(fields.get("doi", "")) or None,
        address=address,
    )


def _in_order(name: str) -> str:
    """Put "Last, First" and "Last, Jr, First" in the order in which a name is spoken."""
    parts = [part.strip() for part in name.split(",")]
    if len(parts) == 2:
        return f"{parts[1]} {parts[0]}".strip()
    return f"{parts[2]} {parts[0]} {parts[1]}".strip() if len(parts) == 3 else name


def _date(fields: dict[str, str]) -> str | None:
    whole = as_date(fields.get("date", "").strip())
    if whole:
        return whole
    year = re.search(r"(?<!\d)\d{4}(?!\d)", fields.get("year", ""))
    if not year:
        return None
    month = plain(fields.get("month", "")).lower()
    if month[:3] in _MONTHS:
        number = _MONTHS.index(month[:3]) + 1
    else:
        number = int(month) if re.fullmatch(r"\d{1,2}", month) else 0
    day = plain(fields.get("day", ""))
    for text in (f"{year[0]}-{number:02d}-{day.zfill(2)}", f"{year[0]}-{number:02d}", year[0]):
        if as_date(text):
            return text
    return None


def _closing(text: str, at: int, opening: str) -> int:
    depth = 1
    for found in re.compile(r"\\.|[{}()]", re.DOTALL).finditer(text, at):
        if found[0] == ("}" if opening == "{" else ")"):
            depth -= 1
        elif found[0] == opening:
            depth += 1
        if not depth:
            return found.end()
    raise ValueError("it is not closed before the file ends.")


def _fields(
    text: str, at: int, opening: str, strings: dict[str, str], *, key: bool
) -> tuple[dict[str, str], int]:
    closing = "}" if opening == "{" else ")"
    if key:
        found = _KEY.match(text, at)
        if found is None:
            raise ValueError("it has no key.")
        at = found.end() - 1
    fields: dict[str, str] = {}
    while True:
        at = _past_blanks(text, at, also=",")
        if at >= len(text):
            raise ValueError("it is not closed before the file ends.")
        if text[at] == closing:
            return fields, at + 1
        named = _FIELD.match(text, at)
        if named is None:
            raise ValueError(f"a field is expected at {text[at : at + 20]!r}.")
        parts = []
        for value, end in _values(text, named.end(), strings):
            parts.append(value)
            at = end
        # The first of two fields of one name counts, as for BibTeX itself.
        fields.setdefault(named[1].lower(), "".join(parts))


def _values(text: str, at: int, strings: dict[str, str]) -> Iterator[tuple[str, int]]:
    while True:
        at = _past_blanks(text, at)
        if text[at : at + 1] == "{":
            end = _braced(text, at + 1, "}")
            value, at = text[at + 1 : end], end + 1
        elif text[at : at + 1] == '"':
            end = _braced(text, at + 1, '"')
            value, at = text[at + 1 : end], end + 1
        else:
            bare = _BARE.match(text, at)
            if bare is None:
                raise ValueError(f"a value is expected at {text[at : at + 20]!r}.")
            value, at = strings.get(bare[0].lower(), bare[0]), bare.end()
        after = _past_blanks(text, at)
        if text[after : after + 1] != "#":
            yield value, at
            return
        at = after + 1
        yield value, at


def _braced(text: str, at: int, end: str) -> int:
    """Find the end of a value, braces within it being balanced."""
    depth = 0
    for found in re.compile(r"\\.|[{}\"]", re.DOTALL).finditer(text, at):
        if found[0] == end and depth == 0:
            return found.start()
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth -= 1
        if not 0 <= depth <= _DEEPEST:
            raise ValueError("its braces do not balance.")
    raise ValueError("it is not closed before the file ends.")


def _past_blanks(text: str, at: int, also: str = "") -> int:
    while at < len(text) and (text[at].isspace() or text[at] in also):
        at += 1
    return at
