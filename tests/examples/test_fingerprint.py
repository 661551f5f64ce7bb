"""What a fingerprint tells apart, and what it does not."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest

from deeplimit.examples.fingerprint import canonical, fingerprint, label_text, multiset_hash
from deeplimit.persist.state import State

ROWS = np.array([[1.0, 2.0], [0.0, -3.5], [1e-310, 1e300]])
CODES, WEIGHTS, CLASSES = np.array([0, 1, 1]), np.array([1.0, 2.0, 0.5]), np.array(["a", "bc"])


def test_the_hash_is_as_documented():
    total = 0
    for row, code, weight in zip(ROWS, CODES, WEIGHTS, strict=True):
        name = f"text {CLASSES[code]}".encode()
        text = f"deeplimit example 1 2 {len(name)} ".encode() + name
        text += struct.pack("<3d", *row, weight)
        total += int.from_bytes(hashlib.shake_256(text).digest(256), "little")
    assert multiset_hash(ROWS, CODES, WEIGHTS, CLASSES) == total % 2**2048


def test_order_and_the_sign_of_zero_do_not_count():
    order = [2, 0, 1]
    found = multiset_hash(ROWS[order], CODES[order], WEIGHTS[order], CLASSES)
    assert found == multiset_hash(ROWS, CODES, WEIGHTS, CLASSES)
    negative = np.where(ROWS == 0.0, -0.0, ROWS)
    assert np.signbit(negative).sum() > np.signbit(ROWS).sum()
    assert multiset_hash(negative, CODES, WEIGHTS, CLASSES) == found


def test_the_order_of_classes_and_their_width_do_not_count():
    swapped = multiset_hash(ROWS, 1 - CODES, WEIGHTS, CLASSES[::-1].astype("<U9"))
    assert swapped == multiset_hash(ROWS, CODES, WEIGHTS, CLASSES)


@pytest.mark.parametrize("what", ["row", "weight", "code", "label", "once more", "once less"])
def test_everything_else_counts(what):
    rows, codes, weights, classes = ROWS.copy(), CODES.copy(), WEIGHTS.copy(), CLASSES.copy()
    if what == "row":
        rows[0, 0] = np.nextafter(1.0, 2.0)
    elif what == "weight":
        weights[0] = np.nextafter(1.0, 2.0)
    elif what == "code":
        codes[0] = 1
    elif what == "label":
        classes[0] = "b"
    else:
        at = [0, 1, 2, 2] if what == "once more" else [0, 1]
        rows, codes, weights = rows[at], codes[at], weights[at]
    assert multiset_hash(rows, codes, weights, classes) != multiset_hash(
        ROWS, CODES, WEIGHTS, CLASSES
    )


def test_more_rows_than_are_hashed_at_once():
    rows = np.arange(5000.0)[:, None]
    codes, weights, classes = np.zeros(5000, dtype=np.int64), np.ones(5000), np.array([7])
    parts = [
        multiset_hash(rows[a : a + 7], codes[a : a + 7], weights[a : a + 7], classes)
        for a in range(0, 5000, 7)
    ]
    assert sum(parts) % 2**2048 == multiset_hash(rows, codes, weights, classes)


def test_labels_of_different_kinds_differ():
    labels = [np.int64(1), np.True_, np.float64(1), "1", "number 1", np.datetime64("2020-01-01")]
    assert len({label_text(label) for label in labels}) == len(labels)
    assert label_text(np.float64(-0.0)) == label_text(np.float64(0.0))
    assert label_text(np.int8(5)) == label_text(np.uint64(5))


def test_settings_are_equal_if_their_values_are():
    one = {"a": 1, "b": [1.0, 2], "c": {0: 2.0, "x": None}, "d": True, "e": 2**80}
    other = {"c": {"x": None, 0: 2}, "b": np.array([1, 2]), "d": True, "a": 1.0, "e": 2**80}
    assert canonical(one) == canonical(other)
    assert canonical(2**53 + 1) != canonical(float(2**53))
    assert canonical(True) != canonical(1)
    assert canonical("1") != canonical(1)
    assert canonical(0.1) != canonical(np.nextafter(0.1, 1.0))
    states = [State("A", {"x": 1}, {"y": np.array([1.0, value])}) for value in (2.0, 3.0, 2.0)]
    assert canonical(states[0]) == canonical(states[2]) != canonical(states[1])
    with pytest.raises(TypeError, match="a function among the parameters cannot be hashed"):
        canonical({"f": canonical})


def test_a_fingerprint_is_of_all_its_parts():
    found = {
        fingerprint({"a": 1.0, "b": 2.0}, 1, 5),
        fingerprint({"a": 1.0, "b": 2.5}, 1, 5),
        fingerprint({"a": 1.0, "b": 2.0}, 2, 5),
        fingerprint({"a": 1.0, "b": 2.0}, 1, 6),
    }
    assert len(found) == 4
    assert fingerprint({"b": 2.0, "a": 1.0}, 1, 5) in found
