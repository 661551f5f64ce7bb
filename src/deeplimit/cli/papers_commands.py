"""The command ``papers``: its grammar; what its parts do stands in the modules beside."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["add_to"]

_ABOUT = "read pages of papers; find, sort by interest with reasons, print"

_EXAMPLES = """\
One file keeps everything: ./papers.sqlite, or the file that --library or
DEEPLIMIT_LIBRARY names. A paper is named by its number, its arXiv number, or a
part of its title that no other has.

examples:
  deeplimit papers read monday.txt tuesday.txt
  deeplimit papers audit
  deeplimit papers search infinitely deep networks
  deeplimit papers triage --like 38 --dismiss 12
  deeplimit papers edition -o today.html

deeplimit papers COMMAND --help tells more.
"""

_READ = """\
A file is a "Daily Papers" page saved as text, JSON lines (title, abstract,
authors, date, ...; papers.json too), BibTeX, or an Atom feed such as arXiv's
answer; - is standard input. All files are read before anything is kept, and a
page is kept in whole or not at all. Reading one again changes nothing.

Such pages leave out the current year: a date without a year gets the year after
the latest one that the page writes. --year says another, of a page read before,
too.

examples:
  deeplimit papers read monday.txt
  deeplimit papers read --year 2025 old.txt
  deeplimit papers read references.bib answer.xml
"""

_TRIAGE = """\
The rest is ranked by kernel sums over what you rated; the parts of a score add
up to it exactly. With a few ratings the order is yours, the level of the
probabilities is mostly the share you expect to like (--rate). An ID is a
number, an arXiv number, or a part of one title.

examples:
  deeplimit papers triage --like 38 "grokking at the edge"
  deeplimit papers triage --dismiss 12
  deeplimit papers triage --undo
  deeplimit papers triage --why 78
"""

_EDITION = """\
An edition has papers that were in none before and that you have not rated. The
edition of a day that was made already is written again as it was.

examples:
  deeplimit papers edition
  deeplimit papers edition --date 2026-04-17 --count 20 -o friday.html
"""

_DIGEST = """\
A mail (plain text and HTML) of papers that were in no mail before. They count
as sent once the file is written or the server has taken the mail. The password
comes from DEEPLIMIT_SMTP_PASSWORD alone; DEEPLIMIT_SMTP_HOST and
DEEPLIMIT_SMTP_USER stand for --host and --user.

examples:
  deeplimit papers digest --preview
  deeplimit papers digest --from me@example.org --to me@example.org -o today.eml
  deeplimit papers digest --from me@example.org --to me@example.org --send \\
      --host mail.example.org --user me
"""

_COMPARE = """\
Each page stands for an interest in turn: some of its papers are liked at
random, as many others dismissed, and all others ranked. Shown is the area under
the ROC curve beside logistic regression, k nearest neighbours, majority and a
linear SVM.

examples:
  deeplimit papers compare
"""


def add_to(add: Callable[..., Any]) -> None:
    """Add the command to the parser."""
    papers = add("papers", _papers, _ABOUT, _EXAMPLES)
    parts = papers.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def part(name: str, module: str, about: str, more: str | None = None, json: bool = True) -> Any:
        made = parts.add_parser(name, help=about, description=f"{about}.", epilog=more)
        made.set_defaults(run=_papers, command=f"papers {name}", part=(module, name))
        made.add_argument(
            "--library",
            type=Path,
            default=Path(os.environ.get("DEEPLIMIT_LIBRARY") or "papers.sqlite"),
            metavar="FILE",
            help="the library (default: papers.sqlite, or DEEPLIMIT_LIBRARY)",
        )
        if json:
            made.add_argument("--json", action="store_true", help="print JSON")
        return made

    made = part("read", "papers_pages", "read pages into the library", _READ)
    made.add_argument("files", nargs="+", metavar="FILE", help="page, or - for standard input")
    made.add_argument("--year", type=_year, metavar="Y", help="year of dates without one")
    made.add_argument("--name", metavar="NAME", help="what to call the page (one FILE)")
    part("audit", "papers_pages", "count how pages overlap, and what they leave out")
    made = part("list", "papers_pages", "list papers with their numbers")
    made.add_argument("--page", metavar="NAME", help="those of a page, in its order")
    made.add_argument("--rated", action="store_true", help="those you rated")
    made = part("show", "papers_pages", "show all that is known of papers")
    made.add_argument("papers", nargs="+", metavar="PAPER", help="number, or part of a title")
    made = part("remove", "papers_pages", "take a page out, with papers on no other", json=False)
    made.add_argument("page", metavar="NAME", help="the page's name")

    made = part("search", "papers_sorting", "find papers by words and by meaning")
    made.add_argument("words", nargs="+", metavar="WORD", help="what to search for")
    _count(made, 10)
    made = part("similar", "papers_sorting", "find papers like others")
    made.add_argument("papers", nargs="+", metavar="PAPER", help="number, or part of a title")
    _count(made, 10)
    made = part("triage", "papers_sorting", "like and dismiss; rank the rest with reasons", _TRIAGE)
    made.add_argument("--like", nargs="+", default=[], metavar="ID", help="papers you like")
    made.add_argument("--dismiss", nargs="+", default=[], metavar="ID", help="papers you do not")
    made.add_argument("--clear", nargs="+", default=[], metavar="ID", help="take ratings back")
    made.add_argument("--undo", action="store_true", help="take the last rating back")
    made.add_argument("--why", metavar="ID", help="all reasons of one paper")
    _rate(made)
    _count(made, 10)
    made = part("compare", "papers_sorting", "compare the ranking with others'", _COMPARE)
    made.add_argument("--draws", type=_number, default=20, metavar="N", help="draws (default: 20)")

    made = part("edition", "papers_issues", "print a dated page of new papers", _EDITION)
    made.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="page (.html) or text (.txt) to write (default: edition-DATE.html)",
    )
    _issue(made)
    made = part("digest", "papers_issues", "mail new papers, or write the mail", _DIGEST)
    made.add_argument("-o", "--output", type=Path, metavar="OUT", help="mail (.eml) to write")
    made.add_argument("--send", action="store_true", help="send it")
    made.add_argument("--preview", action="store_true", help="print its text; nothing counts")
    made.add_argument("--from", dest="sender", metavar="ADDRESS", help="who sends")
    made.add_argument(
        "--to", action="append", default=[], metavar="ADDRESS", help="who gets it (repeatable)"
    )
    made.add_argument("--host", metavar="NAME", help="mail server")
    made.add_argument("--port", type=_number, metavar="N", help="its port (default: 587, tls 465)")
    made.add_argument(
        "--security", choices=("starttls", "tls", "none"), default="starttls", help="encryption"
    )
    made.add_argument("--user", metavar="NAME", help="user at the mail server")
    _issue(made)
    made = part("feed", "papers_issues", "write the editions as an Atom feed", json=False)
    made.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="feed (.xml)")
    made.add_argument("--title", default="Papers", metavar="TEXT", help="the feed's title")
    _count(made, 100)


def _papers(options: argparse.Namespace) -> int:
    from importlib import import_module

    # On papers the threads of a linear algebra library cost more than they save.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    module, name = options.part
    # What a part needs is loaded when it runs, and not for --help.
    return int(getattr(import_module(f"deeplimit.cli.{module}"), f"run_{name}")(options))


def _count(parser: argparse.ArgumentParser, default: int) -> None:
    parser.add_argument(
        "-n",
        "--count",
        type=_number,
        default=default,
        metavar="N",
        help=f"how many at most (default: {default})",
    )


def _rate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rate",
        type=_share,
        default=0.2,
        metavar="SHARE",
        help="share of papers you expect to like (default: 0.2)",
    )


def _issue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--date", metavar="DATE", help="such as 2026-04-17 (default: today)")
    _rate(parser)
    _count(parser, 10)


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no count, which is 1 or more")
    return number


def _year(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1900 <= int(text[:5]) <= 2199):
        raise argparse.ArgumentTypeError(f"{text!r} is no year from 1900 to 2199")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0.0 < share < 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no share between 0 and 1")
    return share
