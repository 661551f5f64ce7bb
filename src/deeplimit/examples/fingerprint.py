"""Fingerprints: a hash of a multiset of examples that follows each change, and one of a state.

Each example is hashed to 2048 bits by SHAKE-256, and the hash of a multiset is the sum modulo
2^2048: AdHash [1]_. Order does not count, multiplicity does, and an example is taken out by a
subtraction. Whoever could find two multisets of equal sum could break it: for short moduli Wagner's
generalised birthday attack [2]_ does, at about 2^(2√b) steps for b bits; at 2048 that is some 2^90.

.. [1] M. Bellare, D. Micciancio, "A new paradigm for collision-free hashing: incrementality at
   reduced cost", EUROCRYPT 1997.
.. [2] D. Wagner, "A generalized birthday problem", CRYPTO 2002.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.persist.state import State

__all__ = ["canonical", "fingerprint", "label_text", "multiset_hash"]

#: The hash of a multiset is an integer below this.
MODULUS = 2**2048

_BYTES = 2048 // 8
_CHUNK = 4096


def label_text(label: Any) -> str:
    """Name a class so that different labels differ, and the width of their type does not count.

    Parameters
    ----------
    label : NumPy scalar or str
        Entry of an array of labels.

    Returns
    -------
    str
        Kind and value.

    Examples
    --------
    >>> import numpy as np
    >>> [label_text(label) for label in (np.int8(3), np.float32(3), np.True_, "three")]
    ['number 3', 'real 0x1.8000000000000p+1', 'boolean True', 'text three']
    """
    kind = np.asarray(label).dtype.kind
    if kind in "iu":
        return f"number {int(label)}"
    if kind == "b":
        return f"boolean {bool(label)}"
    if kind == "f":
        # Adding zero makes -0.0, which is equal to 0.0, the same.
        return f"real {(float(label) + 0.0).hex()}"
    if isinstance(label, str):
        return f"text {label}"
    return f"{np.asarray(label).dtype.str} {label!s}"


def canonical(value: Any) -> Any:
    """Give a parameter or a state as JSON in which equal ones are equal.

    Parameters
    ----------
    value : None, bool, number, str, array, list, tuple, dict or State
        What to describe.

    Returns
    -------
    JSON value
        Numbers of the same value are the same whatever their type, and so are sequences.

    Raises
    ------
    TypeError
        If it is or holds anything else.

    Examples
    --------
    >>> import numpy as np
    >>> canonical({1: 2, "a": (1.0,)}) == canonical({"a": np.array([1]), np.int8(1): 2.0})
    True
    """
    if hasattr(value, "__array__"):
        value = np.asarray(value).tolist()
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        exact = isinstance(value, float) or float(value) == value
        return {"number": (float(value) + 0.0).hex() if exact else str(value)}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, dict):
        pairs = [[canonical(key), canonical(item)] for key, item in value.items()]
        return {"pairs": sorted(pairs, key=json.dumps)}
    if isinstance(value, State):
        arrays = {
            name: [array.dtype.str, list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]
            for name, array in value.arrays.items()
        }
        children = {name: canonical(child) for name, child in value.children.items()}
        return [value.class_name, canonical(value.meta), arrays, children]
    raise TypeError(f"a {type(value).__name__} among the parameters cannot be hashed.")


def multiset_hash(
    rows: NDArray[np.float64],
    codes: NDArray[np.int64],
    weights: NDArray[np.float64],
    classes: NDArray[Any],
) -> int:
    """Hash examples whatever their order.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        Finite rows; -0.0 counts as 0.0.
    codes : ndarray of int64, shape (n,)
        Place of the class of each among `classes`.
    weights : ndarray of shape (n,)
        Weight of each.
    classes : ndarray of shape (n_classes,)
        Labels.

    Returns
    -------
    int
        At least 0 and less than 2^2048. The hash of two multisets together is the sum of theirs
        modulo 2^2048.

    Examples
    --------
    >>> import numpy as np
    >>> rows, weights, classes = np.eye(2), np.ones(2), np.array(["a", "b"])
    >>> both = multiset_hash(rows, np.array([0, 1]), weights, classes)
    >>> both == multiset_hash(rows[::-1], np.array([1, 0]), weights, classes)
    True
    >>> first = multiset_hash(rows[:1], np.array([0]), weights[:1], classes)
    >>> second = multiset_hash(rows[1:], np.array([1]), weights[1:], classes)
    >>> (first + second) % 2**2048 == both
    True
    """
    d = rows.shape[1]
    width = 8 * (d + 1)
    heads: dict[int, bytes] = {}
    total = 0
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        numbers = np.empty((len(rows[part]), d + 1), dtype="<f8")
        numbers[:, :d] = rows[part]
        numbers[:, d] = weights[part]
        numbers += 0.0  # -0.0 becomes 0.0
        text = numbers.tobytes()
        for i, code in enumerate(codes[part].tolist()):
            head = heads.get(code)
            if head is None:
                head = heads[code] = _head(classes[code], d)
            digest = hashlib.shake_256(head + text[i * width : (i + 1) * width]).digest(_BYTES)
            total += int.from_bytes(digest, "little")
    return total % MODULUS


def _head(label: Any, d: int) -> bytes:
    # Lengths first: what is hashed can be read in one way only.
    name = label_text(label).encode("utf-8", "surrogatepass")
    return f"deeplimit example 1 {d} {len(name)} ".encode() + name


def fingerprint(settings: Mapping[str, Any], n_examples: int, total: int) -> str:
    """Hash settings and a multiset of examples into one fingerprint.

    Parameters
    ----------
    settings : mapping of str to JSON values
        What decides beside the examples; the order of its keys does not count.
    n_examples : int
        Number of examples.
    total : int
        Their `multiset_hash`.

    Returns
    -------
    str
        SHA-256 in 64 hexadecimal digits.

    Examples
    --------
    >>> fingerprint({"exponent": 2.0}, 0, 0)[:8]
    '1402213b'
    """
    text = json.dumps(settings, sort_keys=True, allow_nan=False, separators=(",", ":"))
    state = hashlib.sha256(f"deeplimit state 1 {n_examples} {len(text)} ".encode())
    state.update(text.encode("ascii"))
    state.update(total.to_bytes(_BYTES, "little"))
    return state.hexdigest()
