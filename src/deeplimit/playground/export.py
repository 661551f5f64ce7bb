"""The playground as a folder of files that any web server can host."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import deeplimit
from deeplimit.playground.named import NAMED, Named
from deeplimit.playground.profiles import make_profile, summary
from deeplimit.regimes import taxonomy

__all__ = ["as_json", "export", "index", "profile_of", "static_files"]


def as_json(value: Any) -> bytes:
    """Write a value as JSON, without numbers that JSON has not.

    Parameters
    ----------
    value : object
        What JSON can hold.

    Returns
    -------
    bytes
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")


def static_files() -> dict[str, bytes]:
    """Read the files of the page.

    Returns
    -------
    dict of str to bytes
        Contents by name; all lie in one folder.
    """
    folder = files("deeplimit.playground") / "static"
    found = sorted((item for item in folder.iterdir() if item.is_file()), key=lambda f: f.name)
    return {item.name: item.read_bytes() for item in found}


@cache
def _summaries() -> tuple[dict[str, Any], ...]:
    return tuple(summary(n.key, n.title, n.code, taxonomy(n.make())) for n in NAMED)


def index(*, python: bool, papers: bool = False) -> dict[str, Any]:
    """List the named activations and what they become.

    Parameters
    ----------
    python : bool
        Whether the page can ask Python for more.
    papers : bool, default=False
        Whether there is a library of papers to ask. An export has none.

    Returns
    -------
    dict
        Ready for JSON.
    """
    return {
        "version": deeplimit.__version__,
        "python": python,
        "papers": papers,
        "activations": list(_summaries()),
    }


def profile_of(named: Named) -> dict[str, Any]:
    """Tabulate a named activation.

    Parameters
    ----------
    named : Named
        Which.

    Returns
    -------
    dict
        See `make_profile`.
    """
    return make_profile(named.make(), key=named.key, title=named.title, code=named.code)


def export(folder: Path, progress: Callable[[str], None] = lambda text: None) -> int:
    """Write the playground into a folder; what needs Python says so there.

    Parameters
    ----------
    folder : pathlib.Path
        Where. It is made if it does not exist, and must be empty but for an earlier export.
    progress : callable, optional
        Told what is being done.

    Returns
    -------
    int
        Number of files.

    Raises
    ------
    ValueError
        If the folder holds files that are none of an export.
    """
    folder = Path(folder)
    parts = dict(_parts())
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    if strange := sorted(there - set(parts)):
        raise ValueError(
            f"{str(folder)!r} holds {strange[0]!r}, which is no file of the playground: choose an "
            "empty folder."
        )
    for name, make in parts.items():
        progress(f"writing {name}")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make())
    return len(parts)


def _parts() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for name, content in static_files().items():
        yield name, partial(bytes, content)
    yield "profiles/index.json", lambda: as_json(index(python=False))
    for named in NAMED:
        yield f"profiles/{named.key}.json", partial(_profile, named)


def _profile(named: Named) -> bytes:
    return as_json(profile_of(named))
