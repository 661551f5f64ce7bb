"""Labels as codes of a list of classes that only grows."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["ClassList", "Kind", "Label", "encode"]

Kind = Literal["str", "int", "bool"]
Label = str | int | bool
ClassList = tuple[Label, ...]

_KINDS: dict[str, Kind] = {"U": "str", "T": "str", "i": "int", "u": "int", "b": "bool"}
_DTYPES: dict[Kind, type] = {"str": np.str_, "int": np.int64, "bool": np.bool_}


def encode(
    y: ArrayLike, n: int, kind: Kind | None, classes: ClassList
) -> tuple[NDArray[np.int32], Kind | None, ClassList]:
    """Give the code of each label, and the classes with the new ones behind the old.

    Parameters
    ----------
    y : array-like of shape (n,)
        Strings, integers or booleans; all of one kind.
    n : int
        How many are expected.
    kind : {"str", "int", "bool"} or None
        What the labels so far are; None if there are none yet.
    classes : tuple
        The classes so far.

    Returns
    -------
    codes : ndarray of int32, shape (n,)
        Places in `classes`.
    kind : {"str", "int", "bool"} or None
        What the labels are now.
    classes : tuple
        The classes so far, then the new ones in ascending order.

    Raises
    ------
    ValueError
        If there are not `n` labels, an integer exceeds 64 bits, or a string ends in a NUL
        character.
    TypeError
        If the labels are of another kind, or of several.

    Examples
    --------
    >>> encode(["b", "a", "z"], 3, "str", ("z",))
    (array([2, 1, 0], dtype=int32), 'str', ('z', 'a', 'b'))
    """
    # Not np.asarray of a list: it would write the integers among strings as strings.
    values = np.asarray(y) if hasattr(y, "__array__") else np.asarray(y, dtype=object)
    if values.shape != (n,):
        raise ValueError(f"{n} labels are expected, the shape {values.shape} was got")
    if n == 0:
        return np.empty(0, dtype=np.int32), kind, classes
    found = _kind_of(values)
    if kind not in (None, found):
        raise TypeError(f"the labels of this store are of type {kind}, type {found} was got")
    # By hashing: about as fast as sorting strings, and without a limit on what they hold.
    places = _Places()
    index = np.fromiter(map(places.__getitem__, values.tolist()), np.int32, n)
    distinct = [_plain(label, found) for label in places]
    code = {label: place for place, label in enumerate(classes)}
    for label in sorted(set(distinct) - code.keys()):
        code[label] = len(code)
    lookup = np.array([code[label] for label in distinct], dtype=np.int32)
    return lookup[index], found, tuple(code)


def as_array(classes: ClassList, kind: Kind | None) -> NDArray[Any]:
    """Give the classes as an array of strings, int64 or booleans."""
    return np.array(classes, dtype=_DTYPES[kind or "str"])


class _Places(dict[Any, int]):
    """Numbers things in the order in which they are asked for."""

    def __missing__(self, key: Any) -> int:
        return self.setdefault(key, len(self))


def _kind_of(values: NDArray[Any]) -> Kind:
    if values.dtype.kind != "O":
        kind = _KINDS.get(values.dtype.kind)
        if kind is None:
            raise TypeError(f"labels must be strings, integers or booleans, {values.dtype} was got")
        return kind
    kinds = {_kind_of_type(type_) for type_ in set(map(type, values))}
    if len(kinds) > 1:
        raise TypeError(f"labels must be of one type, {' and '.join(sorted(kinds))} were got")
    return kinds.pop()


def _kind_of_type(type_: type) -> Kind:
    if issubclass(type_, str):
        return "str"
    if issubclass(type_, bool | np.bool_):
        return "bool"
    if issubclass(type_, int | np.integer):
        return "int"
    raise TypeError(f"labels must be strings, integers or booleans, {type_.__name__} was got")


def _plain(label: Any, kind: Kind) -> Any:
    """Give a label as Python's own type."""
    if kind == "bool":
        return bool(label)
    if kind == "int":
        if not -(2**63) <= label < 2**63:
            raise ValueError(f"the integer label {label} does not fit 64 bits with a sign")
        return int(label)
    # Not str(label), which is the name of an enumeration's member.
    text = str.__str__(label)
    if text.endswith("\0"):
        raise ValueError("a label ends in a NUL character, which NumPy's strings do not keep")
    return text
