"""What ``papers read``, ``audit``, ``list``, ``show`` and ``remove`` do."""

from __future__ import annotations

import argparse
from typing import Any

from deeplimit.cli.console import UsageError, paragraph, print_json, say
from deeplimit.cli.papers_naming import facts_of, line, pick_all
from deeplimit.documents import align
from deeplimit.papers import Audit, Library, Paper, audit_of, read_file

__all__ = ["run_audit", "run_list", "run_read", "run_remove", "run_show"]


def run_read(options: argparse.Namespace) -> int:
    """Read pages."""
    if options.name is not None and len(options.files) > 1:
        raise UsageError("--name names one FILE")
    if options.files.count("-") > 1:
        raise UsageError("standard input can be read once")
    # All of them before the first is kept: an error leaves the library as it was.
    pages = [read_file(file, year=options.year, name=options.name) for file in options.files]
    told: list[dict[str, Any]] = []
    with Library(options.library, create=True) as library:
        for page in pages:
            made = library.add(page)
            told.append({**vars(made), "kind": page.kind, "notes": list(page.notes)})
        papers = len(library.papers())
    if options.json:
        print_json({"library": str(options.library), "papers": papers, "pages": told})
        return 0
    for entry in told:
        n, new = entry["entries"], entry["new"]
        what = {
            "read": f"{n} entr{'y' if n == 1 else 'ies'}, {new} new paper{'' if new == 1 else 's'}",
            "known": "known already, nothing changed",
            "dated": "known already, its dates now have the year that was given",
        }[entry["state"]]
        say(paragraph(f"{entry['page']}: {what}", "", "  "))
        for note in entry["notes"]:
            say(paragraph(f"note: {note}", "  ", "    "))
    say(f"{papers} paper{'' if papers == 1 else 's'} in {options.library}")
    return 0


def run_audit(options: argparse.Namespace) -> int:
    """Count how pages overlap."""
    with Library(options.library) as library:
        found = audit_of(library.pages(), library.papers())
    if options.json:
        print_json(found.to_dict())
        return 0
    if not found.pages:
        say("The library holds no page yet: deeplimit papers read FILE.")
        return 0
    say("\n\n".join(_told(found)))
    return 0


def _told(found: Audit) -> list[str]:
    n = len(found.pages)
    letters = [str(i + 1) for i in range(n)]
    rows = [
        (
            letters[i],
            page.name,
            str(len(page.papers)),
            *(str(found.shared[min(i, j), max(i, j)]) for j in range(n)),
        )
        for i, page in enumerate(found.pages)
    ]
    parts = [
        paragraph(
            f"{found.entries} entries on {n} page{'' if n == 1 else 's'}, {found.distinct} papers"
        ),
        align(("", "page", "entries", *letters), rows, left=(1,))
        + "\n\n"
        + paragraph("Under a page's number: papers shared with it.", "  "),
        align(
            ("on so many pages", "papers"),
            [(str(pages), str(papers)) for pages, papers in found.on_pages.items()],
        ),
    ]
    parts += [
        paragraph(f"On all {n} pages: {paper.title} [{paper.id}]", "", "  ")
        for paper in found.everywhere
    ]
    if found.everywhere:
        these = "it alone" if len(found.everywhere) == 1 else "these alone"
        parts += [
            paragraph(f"{one} and {other} share {these}.", "", "  ")
            for one, other in found.only_these
        ]
    elif n > 1:
        parts.append("No paper stands on all pages.")
    lacking = ", ".join(f"{what} of {count}" for what, count in found.missing.items() if count)
    if lacking:
        parts.append(paragraph(f"Told by no page: {lacking}.", "", "  "))
    if found.inferred:
        parts.append(paragraph(f"Years inferred: {found.inferred} (--year at read overrides)."))
    for paper in found.disagreeing:
        what = " and ".join(paper.disagreements)
        parts.append(
            paragraph(f"Pages tell of [{paper.id}] {paper.title}: another {what}.", "", "  ")
        )
    return parts


def run_list(options: argparse.Namespace) -> int:
    """List papers."""
    with Library(options.library) as library:
        papers, ratings, pages = library.papers(), library.ratings(), library.pages()
    if options.page is not None:
        named = [page for page in pages if page.name == options.page]
        if not named:
            names = ", ".join(repr(page.name) for page in pages) or "none"
            raise ValueError(f"there is no page {options.page!r}; there are: {names}.")
        by_id = {paper.id: paper for paper in papers}
        papers = [by_id[key] for key in named[0].papers]
    if options.rated:
        papers = [paper for paper in papers if paper.id in ratings]
    if options.json:
        print_json([{**paper.to_dict(), "liked": ratings.get(paper.id)} for paper in papers])
        return 0
    for paper in papers:
        say(line(paper, {True: "+ ", False: "- ", None: ""}[ratings.get(paper.id)]))
    if not papers:
        say("No papers.")
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Show papers."""
    with Library(options.library) as library:
        papers, ratings = library.papers(), library.ratings()
    by_id = {paper.id: paper for paper in papers}
    chosen = [by_id[key] for key in pick_all(papers, options.papers)]
    if options.json:
        print_json([{**paper.to_dict(), "liked": ratings.get(paper.id)} for paper in chosen])
        return 0
    say("\n\n".join(_shown(paper, ratings.get(paper.id)) for paper in chosen))
    return 0


def _shown(paper: Paper, liked: bool | None) -> str:
    lines = [paragraph(f"[{paper.id}] {paper.title}", "", "  ")]
    if paper.authors:
        lines.append(paragraph(", ".join(paper.authors), "  "))
    if said := facts_of(paper):
        lines.append(paragraph(said, "  "))
    if liked is not None:
        lines.append("  liked" if liked else "  dismissed")
    lines += [f"  {address}" for address in (paper.link, paper.code) if address]
    lines.append(paragraph(f"stands on: {', '.join(paper.pages)}", "  ", "    "))
    if paper.disagreements:
        lines.append(paragraph(f"pages disagree on: {', '.join(paper.disagreements)}", "  "))
    if paper.abstract:
        lines += ["", paragraph(paper.abstract, "  ")]
    return "\n".join(lines)


def run_remove(options: argparse.Namespace) -> int:
    """Take a page out."""
    with Library(options.library) as library:
        gone = library.remove(options.page)
    say(
        f"{options.page} removed, and {gone} paper{'' if gone == 1 else 's'} that stood there alone"
    )
    return 0
