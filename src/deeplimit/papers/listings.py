"""What a page says of one paper, and when two listings are of one paper."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

__all__ = [
    "Listing",
    "Page",
    "arxiv_number",
    "as_date",
    "clean",
    "code_address",
    "same_paper",
    "title_key",
    "web_address",
]

_LONGEST = {"title": 1_000, "abstract": 50_000}
# No part of a paper is as long: cleaning a file that is one line would take minutes.
_LONGEST_TEXT = 200_000
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?|--(\d{2})-(\d{2})")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# Joiners shape letters of several scripts; all other invisible characters can hide text.
_JOINERS = "‌‍"
_HOSTS = (
    "github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "huggingface.co",
    "anonymous.4open.science",
)  # fmt: skip
_CODE = re.compile(
    rf"(?<![\w.])(?:https?://)?(?:www\.)?(?:{'|'.join(map(re.escape, _HOSTS))})/[^\s<>\"{{}}]+",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://[^\s<>\"{}]+", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Listing:
    """What a page says of a paper; what it does not say is None or empty.

    Parameters
    ----------
    title : str
        Its title.
    abstract : str, optional
        Its abstract.
    authors : tuple of str, default=()
        Names, if they are given.
    n_authors : int, optional
        How many there are.
    date : str, optional
        As far as it is known: ``2023-06-15``, ``2023-06``, ``2023``, or ``--06-15`` without a year.
    year_from : str, optional
        Where the date's year is from: "page" if it is written there, "given" by the user, or
        "inferred"; None without a year.
    comments : int, optional
        How many comments the page shows.
    code : str, optional
        Address of its code.
    arxiv_id : str, optional
        Its number at arXiv, without a version.
    doi : str, optional
        Its DOI.
    address : str, optional
        Where it can be read.

    Raises
    ------
    ValueError
        If the title is empty, or title or abstract is longer than any paper's.

    Examples
    --------
    >>> from deeplimit.papers import Listing
    >>> Listing("On depth", n_authors=2, date="--02-29").date
    '--02-29'
    """

    title: str
    abstract: str | None = None
    authors: tuple[str, ...] = ()
    n_authors: int | None = None
    date: str | None = None
    year_from: str | None = None
    comments: int | None = None
    code: str | None = None
    arxiv_id: str | None = None
    doi: str | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        if not self.title:
            raise ValueError("an entry has no title.")
        for name, longest in _LONGEST.items():
            length = len(getattr(self, name) or "")
            if length > longest:
                raise ValueError(
                    f"the {name} that begins with {getattr(self, name)[:40]!r} has {length:,} "
                    f"characters; at most {longest:,} are taken for one."
                )


@dataclass(frozen=True)
class Page:
    """A page that was read: a name, and the listings in the order they stand.

    Parameters
    ----------
    name : str
        By which the page is called.
    digest : str
        SHA-256 of the file: a page is known again by it.
    kind : str
        "page", "json", "bibtex" or "atom".
    listings : tuple of Listing
        In order.
    shown_date : str, optional
        The date at the head of a saved page, as a listing's.
    year : int, optional
        The year that dates without one were given.
    year_from : str, optional
        "page", "given" or "inferred", as of a listing.
    notes : tuple of str, default=()
        What a reader should know of the page.

    Examples
    --------
    >>> from deeplimit.papers import Listing, Page
    >>> Page("mine", "00", "json", (Listing("On depth"),)).listings[0].title
    'On depth'
    """

    name: str
    digest: str
    kind: str
    listings: tuple[Listing, ...]
    shown_date: str | None = None
    year: int | None = None
    year_from: str | None = None
    notes: tuple[str, ...] = ()


def clean(text: str) -> str:
    """Put text on one line and take out what cannot be seen.

    Control characters could command a terminal, and marks of direction could show one text as
    another.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Composed (NFC), without control and format characters, blanks folded.

    Raises
    ------
    ValueError
        If it is longer than any text of a paper.
    """
    if len(text) > _LONGEST_TEXT:
        raise ValueError(
            f"what begins with {text[:40]!r} goes on for {len(text):,} characters; at most "
            f"{_LONGEST_TEXT:,} are taken."
        )
    kept = (
        " " if kind == "Cc" or kind.startswith("Z") else c
        for c in text
        if (kind := unicodedata.category(c)) not in ("Cf", "Cs", "Co", "Cn") or c in _JOINERS
    )
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def title_key(title: str) -> str:
    """Reduce a title to what two spellings of it have in common.

    Parameters
    ----------
    title : str
        A title.

    Returns
    -------
    str
        Letters and digits in lower case; the title itself where it has none.

    Examples
    --------
    >>> from deeplimit.papers.listings import title_key
    >>> title_key("Wide & Deep: on  Depth.")
    'wide deep on depth'
    """
    folded = unicodedata.normalize("NFKC", title).casefold()
    return " ".join(_WORD.findall(folded.replace("_", " "))) or folded


def as_date(text: str) -> str | None:
    """Check a date of which the end, or the year, may be missing.

    Parameters
    ----------
    text : str
        ``2023-06-15``, ``2023-06``, ``2023`` or ``--06-15``; what follows a blank or a T is left
        out.

    Returns
    -------
    str or None
        The date; None if it is none.

    Examples
    --------
    >>> from deeplimit.papers.listings import as_date
    >>> as_date("2023-06-15T17:59:59Z"), as_date("--02-29"), as_date("2023-02-30")
    ('2023-06-15', '--02-29', None)
    """
    found = _DATE.fullmatch(re.split(r"[T ]", text.strip(), maxsplit=1)[0])
    if not found:
        return None
    year, month, day = found[1], found[2] or found[4], found[3] or found[5]
    if month and not 1 <= int(month) <= 12:
        return None
    if day and not 1 <= int(day) <= _DAYS[int(month) - 1]:
        return None
    if year == "0000" or (year and day and month == "02" and day == "29" and not _leap(int(year))):
        return None
    return found[0]


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def code_address(text: str) -> str | None:
    """Find the address of a paper's code in its abstract.

    The first address at a host of code, or else the first one in a sentence that speaks of code.

    Parameters
    ----------
    text : str
        An abstract.

    Returns
    -------
    str or None
        The address, with a scheme; None if there is none.

    Examples
    --------
    >>> from deeplimit.papers.listings import code_address
    >>> code_address("It works. Code is at https://github.com/a/b{here}.")
    'https://github.com/a/b'
    >>> code_address("See https://example.org. Our code: https://example.org/code.")
    'https://example.org/code'
    """
    found = _CODE.search(text)
    if not found:
        for sentence in _SENTENCE.split(text):
            if re.search(r"\bcodes?\b", sentence, re.IGNORECASE):
                found = _ADDRESS.search(sentence)
                if found:
                    break
    if not found:
        return None
    address = found[0].rstrip(".,;:!?'’”*")
    while address.endswith(")") and address.count(")") > address.count("("):
        address = address[:-1].rstrip(".,;:")
    return address if address.lower().startswith("http") else f"https://{address}"


def same_paper(one: Listing, *others: Listing) -> bool:
    """Tell whether a listing is of the paper that others are of.

    Equal numbers at arXiv, or equal DOIs, are one paper, and different numbers are two. Otherwise
    the titles must have the same letters and digits, and the abstracts, where both are there, half
    of their words in common: there are papers of one title.

    Parameters
    ----------
    one : Listing
        The listing.
    *others : Listing
        All there are of the paper.

    Returns
    -------
    bool
    """
    for name in ("arxiv_id", "doi"):
        mine = (getattr(one, name) or "").lower()
        theirs = {(getattr(other, name) or "").lower() for other in others} - {""}
        if mine and theirs:
            return mine in theirs
    return any(_alike(one, other) for other in others)


def _alike(one: Listing, other: Listing) -> bool:
    if title_key(one.title) != title_key(other.title):
        return False
    if not (one.abstract and other.abstract):
        return True
    mine, its = (set(_WORD.findall(a.casefold())) for a in (one.abstract, other.abstract))
    fewest = min(len(mine), len(its))
    return bool(2 * len(mine & its) >= fewest)


def arxiv_number(text: str) -> str | None:
    """Find arXiv's number in an identifier or address, and leave out the version.

    Parameters
    ----------
    text : str
        Such as ``arXiv:2204.14126v2``.

    Returns
    -------
    str or None
        None if it is no such number.

    Examples
    --------
    >>> from deeplimit.papers.listings import arxiv_number
    >>> arxiv_number("http://arxiv.org/abs/math/0309136v1"), arxiv_number("2204.14126")
    ('math/0309136', '2204.14126')
    """
    found = re.fullmatch(
        r"(?:https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf)/|arxiv:)?"
        r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?",
        text.strip(),
        re.IGNORECASE,
    )
    return found[1] if found else None


def web_address(text: str | None) -> str | None:
    """Let an address of the web pass, and nothing else.

    Parameters
    ----------
    text : str or None
        Any text.

    Returns
    -------
    str or None
        None for what is no address, or one that a browser would run.
    """
    if text is None or not text.lower().startswith(("http://", "https://")):
        return None
    return None if any(c in text for c in ' "<>\\') else text
