"""Model files: one safetensors file with a JSON header, no pickle and no code.

The tensors are the arrays of the estimator's state under dotted names; the file's metadata has one
entry, ``deeplimit``, a JSON document with the rest. Its ``sha256`` is taken over the document's
body and every tensor: it tells damage, not forgery, for whoever alters a file can hash it anew.
What a forged file can do is bounded by the registry: it chooses among classes that are known, and
their attributes. The layout of the file itself is the safetensors library's.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import safetensors
import safetensors.numpy

from deeplimit.persist.codec import JSON, NATIVE, Array
from deeplimit.persist.state import State, from_state, to_state

__all__ = ["Header", "load", "read_header", "save"]

FORMAT = "deeplimit-model"
VERSION = 1
_KEY = "deeplimit"
# The limit of the safetensors library itself.
_HEADER_LIMIT = 100_000_000


@dataclass(frozen=True)
class Header:
    """What a model file says about itself.

    Parameters
    ----------
    class_name : str
        Class of the estimator inside.
    version : int
        Version of the file format.
    libraries : dict of str to str
        Versions of the libraries it was written with.
    notes : dict
        What the writer added.
    sha256 : str
        Hash of the content, in hexadecimal digits.

    See Also
    --------
    read_header : Read it from a file.

    Examples
    --------
    >>> from deeplimit.persist import Header
    >>> Header("TableEncoder", 1, {"numpy": "2.4.6"}, {}, "00").class_name
    'TableEncoder'
    """

    class_name: str
    version: int
    libraries: dict[str, str]
    notes: dict[str, Any]
    sha256: str


def save(
    estimator: Any, path: str | os.PathLike[str], *, notes: Mapping[str, Any] | None = None
) -> Path:
    """Write an estimator to one safetensors file, without pickle.

    The file is written beside its destination and renamed, so that `path` holds either what it
    held before or the whole new file. The same estimator gives the same bytes.

    Parameters
    ----------
    estimator : object
        An estimator, fitted or not, of a class deeplimit registers (or `register` was given); or
        a scikit-learn ``Pipeline`` of such.
    path : path-like
        The file, by custom ``*.safetensors``. An existing one is replaced.
    notes : mapping of str to JSON values, optional
        Anything to keep beside the estimator, such as the name of the target column; read back by
        `read_header`.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    TypeError
        If the estimator, or something in it, can't be saved without code; the message names the
        attribute.
    ValueError
        If `notes` hold NaN or an infinity, or the description is longer than a header may be.
    OSError
        If the file can't be written; nothing is left behind.

    See Also
    --------
    load : Read the estimator back.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from deeplimit.persist import load, save
    >>> from deeplimit.tables import TableEncoder
    >>> encoder = TableEncoder().fit([[1.0, "red"], [2.0, "blue"]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     copy = load(save(encoder, pathlib.Path(folder, "encoder.safetensors")))
    >>> bool((copy.transform([[1.5, "red"]]) == encoder.transform([[1.5, "red"]])).all())
    True
    """
    path = Path(path)
    state = to_state(estimator)
    tensors: dict[str, Array] = {}
    tree = _flatten(state, "", tensors)
    body: dict[str, JSON] = {
        "format": FORMAT,
        "version": VERSION,
        "libraries": _libraries(),
        "notes": dict(notes or {}),
        "state": tree,
    }
    text = _dump(body)
    document = json.dumps({"sha256": _digest(text, tensors), "body": body}, allow_nan=False)
    # The document is escaped once more inside the header, and the tensors' names come on top.
    if len(json.dumps(document)) + 200 * len(tensors) > _HEADER_LIMIT:
        raise ValueError(
            f"What describes this {state.class_name} takes more than the {_HEADER_LIMIT} bytes a "
            "model file's header may have; keep large data in arrays."
        )
    with _replacing(path) as temporary:
        try:
            safetensors.numpy.save_file(tensors, temporary, metadata={_KEY: document})
        except safetensors.SafetensorError as error:
            raise OSError(f"{str(path)!r} can't be written ({_sentence(error)}).") from error
    return path


def load(path: str | os.PathLike[str]) -> Any:
    """Read an estimator from a file `save` wrote.

    Only registered classes are built, from data alone: no code comes from the file. The content
    is checked against its hash, every tensor must be accounted for.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    object
        The estimator, each attribute bit for bit as saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no model file, of another format version, damaged, or names a class that is not
        registered.

    See Also
    --------
    save : Write such a file.
    read_header : What the file says about itself.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from deeplimit.persist import load, save
    >>> from deeplimit.tables import TableEncoder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load(save(TableEncoder(max_categories=8), pathlib.Path(folder, "model.safetensors")))
    TableEncoder(max_categories=8)
    """
    path = Path(path)
    header, body = _read_document(path)
    try:
        with safetensors.safe_open(path, framework="np") as file:
            tensors = {name: np.asarray(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # the library raises types of its own, and others for odd dtypes
        _refuse(path, f"its tensors can't be read ({error})", error)
    if _digest(_dump(body), tensors) != header.sha256:
        _refuse(path, "its content does not match its hash; copy or save it again")
    try:
        state = _unflatten(body["state"], "", tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        _refuse(path, f"its description is not one of a model ({_sentence(error)})", error)
    if tensors:
        _refuse(path, f"it holds tensors that belong to nothing: {', '.join(sorted(tensors))}")
    try:
        return from_state(state)
    except Exception as error:  # any class may be given a state it can't have
        _refuse(path, f"{header.class_name} can't be built from it ({_sentence(error)})", error)


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read what a model file says about itself, without its tensors.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    Header
        Class, format version, library versions, notes and hash (not checked here).

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no model file, of another format version, or damaged.

    See Also
    --------
    load : Read the estimator itself.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from deeplimit.persist import read_header, save
    >>> from deeplimit.tables import TableEncoder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.safetensors")
    ...     read_header(save(TableEncoder(), path, notes={"target": "species"})).notes
    {'target': 'species'}
    """
    return _read_document(Path(path))[0]


def _flatten(state: State, prefix: str, tensors: dict[str, Array]) -> JSON:
    for name, array in state.arrays.items():
        key = prefix + name
        if key in tensors:
            raise ValueError(f"Two arrays of the {state.class_name} are both named {key!r}.")
        if array.dtype.name not in NATIVE or not array.dtype.isnative:
            raise TypeError(
                f"Array {key!r} of the {state.class_name} has dtype {array.dtype}; a state's "
                "arrays are booleans, integers or floats of at most 64 bits."
            )
        tensors[key] = np.ascontiguousarray(array).reshape(array.shape)
    children = {
        name: _flatten(child, f"{prefix}{name}.", tensors) for name, child in state.children.items()
    }
    arrays: list[JSON] = list(state.arrays)
    return {
        "class": state.class_name,
        "meta": state.meta,
        "arrays": arrays,
        "children": children,
    }


def _unflatten(tree: Any, prefix: str, tensors: dict[str, Array]) -> State:
    """Take a state's arrays out of `tensors`, so that what remains belongs to nothing."""
    arrays = {}
    for name in tree["arrays"]:
        if prefix + name not in tensors:
            raise ValueError(f"tensor {prefix + name} is missing")
        arrays[name] = tensors.pop(prefix + name)
    children = {
        name: _unflatten(child, f"{prefix}{name}.", tensors)
        for name, child in tree["children"].items()
    }
    if not isinstance(tree["class"], str) or not isinstance(tree["meta"], dict):
        raise TypeError("a class is named by a string and described by an object")
    return State(tree["class"], tree["meta"], arrays, children)


def _read_document(path: Path) -> tuple[Header, dict[str, Any]]:
    if not path.exists():
        raise FileNotFoundError(f"There is no model file {str(path)!r}.")
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder, not a model file.")
    with path.open("rb") as file:
        raw = _raw_header(path, file)
    try:
        document = json.loads(raw, **_STRICT)["__metadata__"][_KEY]
    except (KeyError, TypeError):
        _refuse(path, "it may hold tensors, but nothing that deeplimit saved")
    except (ValueError, RecursionError) as error:
        _refuse(path, f"its header is not JSON ({_sentence(error)})", error)
    try:
        parsed = json.loads(document, **_STRICT)
        body, sha256 = parsed["body"], parsed["sha256"]
        if body["format"] != FORMAT or not isinstance(body["version"], int):
            raise ValueError("it has another format's name")
        version = body["version"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        _refuse(path, f"its description is not one of a model ({_sentence(error)})", error)
    if version != VERSION:
        _refuse(path, f"it has format version {version}, this deeplimit reads version {VERSION}")
    try:
        header = Header(
            str(body["state"]["class"]), version, dict(body["libraries"]), dict(body["notes"]),
            str(sha256),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        _refuse(path, f"its description is not one of a model ({_sentence(error)})", error)
    return header, body


def _raw_header(path: Path, file: BinaryIO) -> bytes:
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if size < 10 or length < 2:
        _refuse(path, "it is too short or starts with something else")
    if length > _HEADER_LIMIT or 8 + length > size:
        _refuse(path, f"it is cut off, or no safetensors file: {size} bytes, header {length}")
    return file.read(length)


def _refuse(path: Path, reason: str, cause: BaseException | None = None) -> NoReturn:
    raise ValueError(f"{str(path)!r} is not a model file that can be read: {reason}.") from cause


def _sentence(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


_STRICT: dict[str, Any] = {"parse_constant": _no_constant, "object_pairs_hook": _no_duplicates}


def _dump(body: Any) -> str:
    return json.dumps(body, allow_nan=False, separators=(",", ":"))


def _digest(text: str, tensors: Mapping[str, Array]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode("utf-8", "replace"))
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _libraries() -> dict[str, JSON]:
    names = ("deeplimit", "numpy", "scikit-learn", "safetensors")
    found: dict[str, JSON] = {"python": platform.python_version()}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a new file to write beside `path`; put it in its place when all went well."""
    path = Path(os.path.realpath(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(path.parent)!r} to write a model to.")
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder; name a file in it.")
    temporary = path.parent / f".{uuid.uuid4().hex}.tmp"
    try:
        temporary.touch(exist_ok=False)
        mode = (path if path.exists() else temporary).stat().st_mode & 0o777
        yield temporary
        # The safetensors library makes files for the owner alone, whatever the umask says.
        temporary.chmod(mode)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
