"""What ``papers search``, ``similar``, ``triage`` and ``compare`` do."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from deeplimit.cli.console import UsageError, paragraph, print_json, progress, say
from deeplimit.cli.papers_naming import line, pick, pick_all
from deeplimit.documents import align
from deeplimit.papers import Library, Paper, Triage, Verdict, vectors_of
from deeplimit.papers.finding import Found, search, similar

__all__ = ["run_compare", "run_search", "run_similar", "run_triage"]

_LIKES = (3, 10)
# So many reasons on either side are told of a paper in a list.
_TOLD = 3


def run_search(options: argparse.Namespace) -> int:
    """Search."""
    text = " ".join(options.words)
    with Library(options.library) as library:
        papers = library.papers()
    vectors = vectors_of(papers)
    found = search(vectors, text, options.count)
    _, unknown = vectors.known_words(text)
    if options.json:
        print_json({"query": text, "unknown_words": unknown, "papers": _rows(papers, found)})
        return 0
    if unknown:
        say(paragraph(f"in no paper: {', '.join(unknown)}"))
    _list(papers, found)
    return 0


def run_similar(options: argparse.Namespace) -> int:
    """Find papers like others."""
    with Library(options.library) as library:
        papers = library.papers()
    ids = pick_all(papers, options.papers)
    found = similar(vectors_of(papers), ids, options.count)
    if options.json:
        print_json({"to": ids, "papers": _rows(papers, found)})
        return 0
    _list(papers, found)
    return 0


def _rows(papers: Sequence[Paper], found: Sequence[Found]) -> list[dict[str, Any]]:
    by_id = {paper.id: paper for paper in papers}
    return [{"id": f.paper, "title": by_id[f.paper].title, "closeness": f.closeness} for f in found]


def _list(papers: Sequence[Paper], found: Sequence[Found]) -> None:
    by_id = {paper.id: paper for paper in papers}
    for entry in found:
        say(line(by_id[entry.paper], f"{entry.closeness:.2f}  "))
    if not found:
        say("Nothing found.")


def run_triage(options: argparse.Namespace) -> int:
    """Rate papers and rank the rest."""
    rating = bool(options.like or options.dismiss or options.clear)
    if options.undo and rating:
        raise UsageError("--undo goes without --like, --dismiss and --clear")
    undone = None
    with Library(options.library) as library:
        papers = library.papers()
        triage = Triage(vectors_of(papers), options.rate)
        given = {
            True: pick_all(papers, options.like),
            False: pick_all(papers, options.dismiss),
            None: pick_all(papers, options.clear),
        }
        chosen = [key for keys in given.values() for key in keys]
        if twice := next((key for key in chosen if chosen.count(key) > 1), None):
            raise UsageError(f"paper {twice} cannot be rated in two ways at once")
        why = None if options.why is None else pick(papers, options.why)
        with library.changing():
            for liked, keys in given.items():
                library.rate(keys, liked)
        if options.undo:
            undone = library.undo()
            if undone is None:
                raise ValueError("there is no rating to take back.")
        triage.rate_all(library.ratings())
    ids = [why] if why is not None else triage.ranking()[: options.count]
    verdicts = [triage.verdict(key) for key in ids]
    titles = {paper.id: paper.title for paper in papers}
    if options.json:
        print_json(_answer(triage, verdicts, titles, undone))
        return 0
    if undone is not None:
        say(paragraph(f"taken back: the last rating of [{undone}] {titles[undone]}", "", "  "))
    if not triage.ratings:
        say("Nothing is rated yet: --like or --dismiss some; deeplimit papers list shows them.")
        return 0
    likes = sum(triage.ratings.values())
    say(f"{likes} liked, {len(triage.ratings) - likes} dismissed")
    for verdict in verdicts:
        say()
        say(
            paragraph(
                titles[verdict.paper],
                f"{_percent(verdict.probability):>6}  [{verdict.paper}] ",
                " " * 8,
            )
        )
        for part in _reasons(verdict, titles, every=why is not None):
            say(paragraph(part, " " * 8, " " * 10))
    say()
    say(
        paragraph(
            "A percentage is a part of the whole score; those for a paper add up to its "
            f"probability. Their level is mostly what you expect to like ({_percent(options.rate)}"
            ", --rate) until some hundred ratings; the order is yours."
        )
    )
    return 0


def _percent(share: float) -> str:
    digits = 0 if share >= 0.1 else 1
    return f"{100 * share:.{digits}f}\u00a0%"


def _reasons(verdict: Verdict, titles: dict[int, str], *, every: bool) -> list[str]:
    sides = []
    for kinds, opening in (
        (("liked", "prior"), "because you liked "),
        (("dismissed", "papers in general"), "against: "),
    ):
        side = [reason for reason in verdict.reasons if reason.kind in kinds]
        told = side if every else side[:_TOLD]
        names = [
            f"{_named(reason.kind, reason.paper, titles)} {_percent(reason.share)}"
            for reason in told
        ]
        if len(side) > len(told):
            rest = sum(reason.share for reason in side[len(told) :])
            names.append(f"{len(side) - len(told)} others {_percent(rest)}")
        if side and side[0].kind == "prior":
            sides.append(
                f"nothing is liked yet: papers in general stand for it, {_percent(side[0].share)}"
            )
        elif names:
            sides.append(opening + ", ".join(names))
    return sides


def _named(kind: str, paper: int | None, titles: dict[int, str]) -> str:
    if paper is None:
        return "papers in general"
    return f"{'dismissed ' if kind == 'dismissed' else ''}[{paper}] {_short(titles[paper])}"


def _short(title: str) -> str:
    return title if len(title) <= 48 else f"{title[:47].rstrip()}…"


def _answer(
    triage: Triage, verdicts: Sequence[Verdict], titles: dict[int, str], undone: int | None
) -> dict[str, Any]:
    return {
        "liked": [key for key, liked in triage.ratings.items() if liked],
        "dismissed": [key for key, liked in triage.ratings.items() if not liked],
        "undone": undone,
        "expected": triage.expected,
        "exponent": triage.exponent if triage.ratings else None,
        "papers": [
            {
                "id": verdict.paper,
                "title": titles[verdict.paper],
                "probability": verdict.probability,
                "reasons": [
                    {
                        "kind": reason.kind,
                        "paper": reason.paper,
                        "title": None if reason.paper is None else titles[reason.paper],
                        "share": reason.share,
                    }
                    for reason in verdict.reasons
                ],
            }
            for verdict in verdicts
        ],
    }


def run_compare(options: argparse.Namespace) -> int:
    """Compare the ranking with others'."""
    from deeplimit.papers.contest import OWN, compete

    with Library(options.library) as library:
        papers = library.papers()
    vectors = vectors_of(papers)
    results = []
    for likes in _LIKES:
        progress(f"{options.draws} draws with {likes} likes")
        results.append(compete(papers, likes, draws=options.draws, vectors=vectors))
    told = [result.to_dict() for result in results]
    if options.json:
        print_json(told)
        return 0
    rows = [
        (
            name,
            *(
                f"{entry['areas'][name]['mean']:.3f} ± {entry['areas'][name]['standard_error']:.3f}"
                for entry in told
            ),
        )
        for name in results[0].areas
    ]
    head = ("area under the ROC curve", *(f"{likes} likes" for likes in _LIKES))
    say(align(head, rows))
    for result, entry in zip(results, told, strict=True):
        say()
        say(
            paragraph(
                f"{result.likes} likes: {OWN} {result.lead:+.3f} ± "
                f"{entry['lead_standard_error']:.3f} beside {result.best_other}, the best of the "
                f"four; its probabilities err by {result.calibration_error:.3f} on average; a "
                f"click takes {entry['click_ms']['median']:.0f} ms."
            )
        )
    return 0
