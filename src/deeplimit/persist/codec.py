"""Values as JSON and arrays: what an attribute may hold, and how it comes back bit for bit."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["JSON", "Decoder", "Encoder"]

JSON: TypeAlias = bool | int | float | str | list["JSON"] | dict[str, "JSON"] | None
Array: TypeAlias = NDArray[Any]

# A JSON object with this key is not a dictionary but a value JSON has no form for.
TAG = "$"
# What a safetensors file holds as it is; the rest travels as bytes with its dtype beside it.
NATIVE = frozenset(
    ["bool", *(f"{u}int{b}" for u in ("", "u") for b in (8, 16, 32, 64))]
    + [f"float{b}" for b in (16, 32, 64)]
)
# Kinds of dtype that are plain bytes without pointers: never "O", nor a structured one.
_PLAIN_KINDS = frozenset("biufcmMSU")


class Encoder:
    """Turn values into JSON, putting arrays and registered objects aside under dotted names.

    Parameters
    ----------
    owner : str
        Name of the class whose attributes are encoded, for the messages.
    child : callable
        ``child(value, name)`` stores a registered object under `name` and returns True, or
        returns False when the value is no such object.
    """

    def __init__(self, owner: str, child: Callable[[Any, str], bool]) -> None:
        self.owner = owner
        self.arrays: dict[str, Array] = {}
        self._child = child

    def encode(self, value: Any, name: str) -> JSON:
        """Return `value` as JSON; `name` is its dotted address within the owner."""
        if value is None or type(value) in (bool, int, str):
            return value  # type: ignore[no-any-return]
        if type(value) is float:
            if np.isfinite(value):
                return value
            return {TAG: "float", "hex": struct.pack(">d", value).hex()}
        if type(value) is list:
            return [self.encode(item, f"{name}.{i}") for i, item in enumerate(value)]
        if type(value) is tuple:
            return {TAG: "tuple", "items": self.encode(list(value), name)}
        if type(value) is dict:
            return self._mapping(value, name)
        if isinstance(value, np.generic):
            scalar = np.asarray(value)
            if scalar.dtype.kind in _PLAIN_KINDS and scalar.dtype != np.longdouble:
                return {TAG: "scalar", "dtype": scalar.dtype.str, "hex": scalar.tobytes().hex()}
        elif isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray | np.matrix):
            return self._array(np.asarray(value), name)
        elif self._child(value, name):
            return {TAG: "child", "at": name}
        raise TypeError(self._refusal(value, name))

    def _mapping(self, value: dict[Any, Any], name: str) -> JSON:
        # A key that is no identifier could contain dots: its place stands for it in the address.
        parts = [
            key if type(key) is str and key.isidentifier() else str(i)
            for i, key in enumerate(value)
        ]
        items = [
            self.encode(v, f"{name}.{part}") for part, v in zip(parts, value.values(), strict=True)
        ]
        if TAG not in value and all(type(key) is str for key in value):
            return dict(zip(value, items, strict=True))
        return {TAG: "dict", "keys": self.encode(list(value), f"{name}.keys"), "values": items}

    def _array(self, array: Array, name: str) -> JSON:
        order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        note: dict[str, JSON] = {TAG: "array", "at": name, "order": order}
        dtype = array.dtype
        if dtype.kind == "O":
            return self._objects(array, name)
        if dtype.kind not in _PLAIN_KINDS or dtype == np.longdouble:
            raise TypeError(
                f"{self.owner}.{name} is an array of dtype {dtype}, which a model file can't "
                "hold; use numbers, booleans, strings or dates."
            )
        stored = np.ascontiguousarray(array).reshape(array.shape)
        if dtype.name not in NATIVE or not dtype.isnative or sys.byteorder != "little":
            note |= {"dtype": dtype.str, "shape": list(array.shape)}
            stored = np.frombuffer(stored.tobytes(), dtype=np.uint8)
        self.arrays[name] = stored
        return note

    def _objects(self, array: Array, name: str) -> JSON:
        items = array.ravel().tolist()
        note: dict[str, JSON] = {TAG: "objects", "shape": list(array.shape)}
        if all(type(item) is str for item in items):
            # Text goes beside the header, whose size is limited: labels and ids can be many.
            text = [item.encode("utf-8", "surrogatepass") for item in items]
            self.arrays[f"{name}.text"] = np.frombuffer(b"".join(text), dtype=np.uint8)
            self.arrays[f"{name}.lengths"] = np.array([len(t) for t in text], dtype=np.int64)
            return note | {"at": name}
        return note | {"items": self.encode(items, name)}

    def _refusal(self, value: Any, name: str) -> str:
        kind = type(value).__name__
        if callable(value) and not hasattr(value, "get_params"):
            return (
                f"{self.owner}.{name} is a Python callable ({kind}), which a model file can't hold "
                "because it holds no code; give it by name or as an expression such as "
                "'sin(2.676*x)' and fit again."
            )
        return (
            f"{self.owner}.{name} is a {kind}, which a model file can't hold; it holds numbers, "
            "strings, arrays, lists, dictionaries and objects of registered classes."
        )


class Decoder:
    """The inverse of `Encoder`: every array must be asked for once, by the name it was given.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The arrays put aside.
    child : callable
        ``child(name)`` returns the object stored under that name.
    """

    def __init__(self, arrays: Mapping[str, Array], child: Callable[[str], Any]) -> None:
        self._arrays = arrays
        self._child = child

    def decode(self, value: JSON) -> Any:
        """Return the value that was encoded."""
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        if TAG not in value:
            return {key: self.decode(item) for key, item in value.items()}
        read = self._READERS.get(str(value[TAG]))
        if read is None:
            raise ValueError(f"a value is marked {value[TAG]!r}, which means nothing here")
        return read(self, value)

    def _float(self, note: dict[str, Any]) -> float:
        number: float = struct.unpack(">d", bytes.fromhex(note["hex"]))[0]
        return number

    def _tuple(self, note: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(self.decode(note["items"]))

    def _dict(self, note: dict[str, Any]) -> dict[Any, Any]:
        return dict(zip(self.decode(note["keys"]), self.decode(note["values"]), strict=True))

    def _scalar(self, note: dict[str, Any]) -> Any:
        dtype, raw = _plain_dtype(note["dtype"]), bytes.fromhex(note["hex"])
        return np.frombuffer(raw, dtype=dtype)[0] if raw else dtype.type()

    def _array(self, note: dict[str, Any]) -> Array:
        array = self._arrays[note["at"]]
        if "dtype" in note:
            dtype = _plain_dtype(note["dtype"])
            raw = array.tobytes()
            array = np.frombuffer(raw, dtype=dtype) if raw else np.empty(0, dtype)
            array = array.reshape([int(n) for n in note["shape"]])
        # A copy that is the caller's own: writeable, aligned, in the order it was saved in.
        return np.array(array, order="F" if note["order"] == "F" else "C")

    def _objects(self, note: dict[str, Any]) -> Array:
        if "at" in note:
            text = self._arrays[note["at"] + ".text"].tobytes()
            ends = np.cumsum(self._arrays[note["at"] + ".lengths"]).tolist()
            if (ends[-1] if ends else 0) != len(text):
                raise ValueError("the lengths of its strings don't add up")
            starts = [0, *ends[:-1]]
            items = [
                text[a:b].decode("utf-8", "surrogatepass")
                for a, b in zip(starts, ends, strict=False)
            ]
        else:
            items = self.decode(note["items"])
        array = np.empty(len(items), dtype=object)
        for i, item in enumerate(items):
            array[i] = item
        return array.reshape([int(n) for n in note["shape"]])

    def _object(self, note: dict[str, Any]) -> Any:
        return self._child(note["at"])

    _READERS: Mapping[str, Callable[[Decoder, dict[str, Any]], Any]] = {
        "float": _float,
        "tuple": _tuple,
        "dict": _dict,
        "scalar": _scalar,
        "array": _array,
        "objects": _objects,
        "child": _object,
    }


def _plain_dtype(name: Any) -> np.dtype[Any]:
    """Return a dtype of plain bytes; any other would read memory the file does not own."""
    dtype = np.dtype(name) if isinstance(name, str) else None
    if dtype is None or dtype.kind not in _PLAIN_KINDS:
        raise ValueError(f"{name!r} is not a dtype of plain numbers, strings or dates")
    return dtype
