"""How papers are named on the command line, and how a line of a list shows them."""

from __future__ import annotations

from collections.abc import Sequence

from deeplimit.cli.console import paragraph
from deeplimit.papers import Paper
from deeplimit.papers.listings import title_key

__all__ = ["facts_of", "line", "pick", "pick_all"]

_SHOWN = 3


def pick(papers: Sequence[Paper], text: str) -> int:
    """Find the paper that a user names: by number, arXiv number, or part of the title."""
    if text.isascii() and text.isdigit():
        if any(paper.id == int(text) for paper in papers):
            return int(text)
        raise ValueError(f"there is no paper {text}; deeplimit papers list shows them.")
    wanted = title_key(text)
    found = [p for p in papers if text == p.arxiv_id] or [
        p for p in papers if wanted == title_key(p.title)
    ]
    found = found or [p for p in papers if wanted in title_key(p.title)]
    if not found:
        raise ValueError(f"no paper's title has {text!r}; deeplimit papers search finds by words.")
    if len(found) > 1:
        shown = ", ".join(str(paper.id) for paper in found[:_SHOWN])
        more = ", ..." if len(found) > _SHOWN else ""
        raise ValueError(
            f"{len(found)} titles have {text!r}: name one by its number ({shown}{more})."
        )
    return found[0].id


def pick_all(papers: Sequence[Paper], texts: Sequence[str]) -> list[int]:
    """Find papers, each once."""
    return list(dict.fromkeys(pick(papers, text) for text in texts))


def facts_of(paper: Paper) -> str:
    """Say what is known of a paper; what is missing is left out."""
    said = []
    if paper.n_authors is not None:
        said.append(f"{paper.n_authors} author{'' if paper.n_authors == 1 else 's'}")
    if paper.date:
        inferred = " (year inferred)" if paper.year_from == "inferred" else ""
        said.append(f"{paper.date}{inferred}")
    if paper.comments is not None:
        said.append(f"{paper.comments} comment{'' if paper.comments == 1 else 's'}")
    if len(paper.pages) > 1:
        said.append(f"on {len(paper.pages)} pages")
    return " · ".join(said)


def line(paper: Paper, mark: str = "") -> str:
    """Set a paper as lines of a list."""
    head = f"{paper.id:5d}  {mark}"
    indent = " " * len(head)
    lines = [paragraph(paper.title, head, indent)]
    if said := facts_of(paper):
        lines.append(paragraph(said, indent))
    return "\n".join(lines)
