"""What ``papers edition``, ``digest`` and ``feed`` do."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from deeplimit.cli.console import UsageError, columns, print_json, say, tell
from deeplimit.papers import Library
from deeplimit.papers.feed import to_atom
from deeplimit.papers.issues import Issue, as_day, fresh, issue_of, issues, record
from deeplimit.papers.mail import Server, as_address, compose, send
from deeplimit.papers.sheet import to_html, to_text

__all__ = ["run_digest", "run_edition", "run_feed"]

_NOTHING = "nothing new: all papers were rated, or stood in {} before"


def run_edition(options: argparse.Namespace) -> int:
    """Print an edition."""
    day = as_day(options.date)
    output: Path = options.output or Path(f"edition-{day}.html")
    ending = output.suffix.lower()
    if ending not in (".html", ".htm", ".txt"):
        raise UsageError(f"{output.name!r} ends neither in .html nor in .txt")
    with Library(options.library) as library, library.changing():
        issue = issue_of(library, "edition", day)
        again = issue is not None
        if issue is None:
            issue = fresh(library, "edition", day, options.count, options.rate)
        if issue.entries:
            _write(output, to_text(issue) if ending == ".txt" else to_html(issue))
            if not again:
                record(library, issue)
    if options.json:
        written = str(output) if issue.entries else None
        print_json({**issue.to_dict(), "again": again, "written": written})
        return 0
    if not issue.entries:
        say(f"{_NOTHING.format('an edition')}.")
        return 0
    n = len(issue.entries)
    what = "as it was made before" if again else f"{issue.left} more are new"
    say(f"{issue.headline}: {n} paper{'' if n == 1 else 's'} in {output} ({what})")
    return 0


def run_digest(options: argparse.Namespace) -> int:
    """Mail what is new."""
    ways = [bool(options.output), options.send, options.preview]
    if sum(ways) != 1:
        raise UsageError("give one of -o OUT, --send and --preview")
    if options.output is not None and options.output.suffix.lower() != ".eml":
        raise UsageError(f"{options.output.name!r} does not end in .eml")
    if not options.preview:
        if options.sender is None or not options.to:
            raise UsageError("a mail needs --from ADDRESS and --to ADDRESS")
        for address in (options.sender, *options.to):
            as_address(address)
    day = as_day(options.date)
    server = _server(options) if options.send else None
    refused: list[str] = []
    # Held until the mail is on its way: two that run at once must not send the same.
    with Library(options.library) as library, library.changing():
        issue = fresh(library, "mail", day, options.count, options.rate)
        if issue.entries and not options.preview:
            message = compose(issue, options.sender, options.to)
            if server is not None:
                refused = send(message, server)
            else:
                _write(options.output, message.as_bytes())
            record(library, issue)
    for address in refused:
        tell(f"warning: the mail server refuses {address}; the others get the mail")
    if options.json:
        print_json({**issue.to_dict(), "refused": refused, "counted": not options.preview})
    elif not issue.entries:
        say(f"{_NOTHING.format('a mail')}.")
    elif options.preview:
        say(to_text(issue, columns()).rstrip())
    else:
        _say_sent(issue, options)
    return 0


def _say_sent(issue: Issue, options: argparse.Namespace) -> None:
    n = len(issue.entries)
    how = f"sent to {', '.join(options.to)}" if options.send else f"written to {options.output}"
    say(f"{issue.headline}: {n} paper{'' if n == 1 else 's'} {how} ({issue.left} more are new)")


def _server(options: argparse.Namespace) -> Server:
    environment = os.environ
    return Server(
        options.host or environment.get("DEEPLIMIT_SMTP_HOST", ""),
        options.port,
        options.security,
        options.user or environment.get("DEEPLIMIT_SMTP_USER") or None,
        environment.get("DEEPLIMIT_SMTP_PASSWORD") or None,
    )


def run_feed(options: argparse.Namespace) -> int:
    """Write the editions as a feed."""
    with Library(options.library) as library:
        made, identity = issues(library, "edition"), library.identity
    if not made:
        raise ValueError("there is no edition yet to make a feed of: deeplimit papers edition.")
    kept, left = [], options.count
    for issue in made:
        entries = issue.entries[:left]
        left -= len(entries)
        if entries:
            kept.append(Issue(issue.kind, issue.day, entries))
    _write(options.output, to_atom(kept, identity, options.title))
    n = sum(len(issue.entries) for issue in kept)
    say(f"{n} paper{'' if n == 1 else 's'} in {options.output}")
    return 0


def _write(path: Path, content: str | bytes) -> None:
    """Put a file in place in one step: who reads it finds the old or the new, in whole."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from None
