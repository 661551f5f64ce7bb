"""An issue as a page and as plain text; both need nothing else and call nobody."""

from __future__ import annotations

import html

from deeplimit.documents import fold
from deeplimit.papers.issues import Entry, Issue

__all__ = ["facts", "to_html", "to_text"]

_STYLE = """\
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5b6169; --line: #d9dce1; --paper: #fff;
  --ground: #f4f5f7; --accent: #0062a3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e7ea; --soft: #a2a8b1; --line: #363b43;
  --paper: #1b1e23; --ground: #121417; --accent: #7cc1f2; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.65rem; line-height: 1.2; margin: 0.5rem 0 0.3rem; }
h2 { font-size: 1.1rem; line-height: 1.35; margin: 0 0 0.3rem; }
p { margin: 0.45rem 0; } .soft { color: var(--soft); font-size: 0.9rem; }
a { color: var(--accent); }
article { background: var(--paper); border: 1px solid var(--line); border-radius: 8px;
  padding: 1rem 1.1rem; margin: 1rem 0; }
.why { border-left: 3px solid var(--accent); padding-left: 0.7rem; font-size: 0.92rem; }
.why b { font-variant-numeric: tabular-nums; }
details { margin-top: 0.5rem; } summary { cursor: pointer; color: var(--accent); }
@media print { body { background: none; } article { break-inside: avoid; } }
"""


def facts(entry: Entry) -> list[str]:
    """Say what is known of a paper, and nothing of what is not.

    Parameters
    ----------
    entry : Entry
        The paper.

    Returns
    -------
    list of str
        Authors, date, comments.
    """
    said = []
    if entry.authors:
        names = ", ".join(entry.authors[:3])
        rest = (entry.n_authors or len(entry.authors)) - len(entry.authors[:3])
        said.append(f"{names} and {rest} more" if rest > 0 else names)
    elif entry.n_authors is not None:
        said.append(f"{entry.n_authors} author{'' if entry.n_authors == 1 else 's'}")
    if entry.date:
        said.append(entry.date.removeprefix("--"))
    if entry.comments:
        said.append(f"{entry.comments} comment{'' if entry.comments == 1 else 's'}")
    return said


def _about(issue: Issue) -> str:
    n = len(issue.entries)
    order = "the ones you are most likely to like first" if issue.ranked else "the newest first"
    more = f"; {issue.left} more are waiting" if issue.left else ""
    return f"{n} new paper{'' if n == 1 else 's'}, {order}{more}."


def _because(entry: Entry) -> str:
    told = [f"“{title}” ({_percent(share)})" for title, share in entry.because]
    if entry.others:
        more = f"{entry.others} other{'' if entry.others == 1 else 's'}"
        told.append(f"{more} ({_percent(entry.others_share)})")
    return f"because you liked {_listed(told)}" if told else "as likely as papers in general"


def _percent(share: float) -> str:
    # A sign alone on the next line would be read twice.
    return f"{100 * share:.0f}\u00a0%"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def to_text(issue: Issue, width: int = 76) -> str:
    """Set an issue as plain text.

    Parameters
    ----------
    issue : Issue
        The issue.
    width : int, default=76
        Longest line.

    Returns
    -------
    str
    """
    head = issue.headline
    parts = [f"{head}\n{'=' * len(head)}", fold(_about(issue), width)]
    for number, entry in enumerate(issue.entries, 1):
        lines = [fold(entry.title, width, f"{number}. ", "   ")]
        if said := facts(entry):
            lines.append(fold(" · ".join(said), width, "   "))
        if entry.probability is not None:
            why = f"{_percent(entry.probability)}: {_because(entry)}"
            lines.append(fold(why, width, "   "))
        lines += [f"   {address}" for address in (entry.link, entry.code) if address]
        if entry.abstract:
            lines.append("\n" + fold(entry.abstract, width, "   "))
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def to_html(issue: Issue) -> str:
    """Set an issue as one page, light or dark as the reader's screen is.

    Parameters
    ----------
    issue : Issue
        The issue.

    Returns
    -------
    str
        It has no script and loads nothing.
    """
    e = html.escape
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{e(issue.headline)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{e(issue.headline)}</h1>\n<p class="soft">{e(_about(issue))}</p>'
    ]
    for entry in issue.entries:
        title = e(entry.title)
        if entry.link:
            title = f'<a href="{e(entry.link)}" rel="noreferrer">{title}</a>'
        lines = [f"<article>\n<h2>{title}</h2>"]
        said = [e(fact) for fact in facts(entry)]
        if entry.code:
            said.append(f'<a href="{e(entry.code)}" rel="noreferrer">code</a>')
        if said:
            lines.append(f'<p class="soft">{" · ".join(said)}</p>')
        if entry.probability is not None:
            percent = _percent(entry.probability)
            lines.append(f'<p class="why"><b>{percent}</b> {e(_because(entry))}</p>')
        if entry.abstract:
            lines.append(
                f"<details><summary>Abstract</summary><p>{e(entry.abstract)}</p></details>"
            )
        parts.append("\n".join(lines) + "\n</article>")
    parts.append("</main>\n</body>\n</html>\n")
    return "\n".join(parts)
