"""Labels of all kinds, and what is refused."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.store.labels import as_array, encode

strings = st.text(st.characters(exclude_characters="\0")).map(str)
integers = st.integers(-(2**63), 2**63 - 1)


class Colour(str, enum.Enum):  # noqa: UP042
    RED = "red"


@given(st.one_of(*(st.lists(st.lists(kind)) for kind in (strings, integers, st.booleans()))))
def test_codes_name_the_labels(batches: list[list[Any]]) -> None:
    kind, classes = None, ()
    for batch in batches:
        before = classes
        codes, kind, classes = encode(batch, len(batch), kind, classes)
        assert as_array(classes, kind)[codes].tolist() == batch
        assert classes[: len(before)] == before
        new = list(classes[len(before) :])
        assert new == sorted(set(batch) - set(before))


@pytest.mark.parametrize(
    "y",
    [
        ["a", "b", "a"],
        ("a", "b", "a"),
        np.array(["a", "b", "a"]),
        np.array(["a", "b", "a"], dtype=np.dtypes.StringDType()),
        np.array([np.str_("a"), "b", "a"], dtype=object),
        pd.Series(["a", "b", "a"]),
        pd.Categorical(["a", "b", "a"]),
    ],
    ids=lambda y: type(y).__name__,
)
def test_strings_of_every_make(y: Any) -> None:
    codes, kind, classes = encode(y, 3, None, ())
    assert (codes.tolist(), kind, classes) == ([0, 1, 0], "str", ("a", "b"))
    assert [type(label) for label in classes] == [str, str]


def test_other_makes() -> None:
    assert encode(np.array([3, 1], np.uint8), 2, None, ())[1:] == ("int", (1, 3))
    assert encode([np.int64(3), 1], 2, None, ())[1:] == ("int", (1, 3))
    codes, kind, classes = encode([np.True_, False], 2, None, ())
    assert (kind, classes, [type(c) for c in classes]) == ("bool", (False, True), [bool, bool])
    assert codes.dtype == np.int32
    assert encode([Colour.RED], 1, None, ())[2] == ("red",)
    assert as_array((), None).dtype.kind == "U"
    assert as_array((1,), "int").dtype == np.int64


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (["a", 1], TypeError, "one type, int and str were got"),
        ([True, 1], TypeError, "bool and int"),
        ([1.0, 2.0], TypeError, "float was got"),
        (np.array([1.0, 2.0]), TypeError, "float64 was got"),
        ([None, "a"], TypeError, "NoneType"),
        ([b"a", b"b"], TypeError, "bytes"),
        (["a", float("nan")], TypeError, "float"),
        ([2**63, 0], ValueError, "does not fit 64 bits"),
        (np.array([2**64 - 1, 0], np.uint64), ValueError, "does not fit 64 bits"),
        (["a\0", "b"], ValueError, "NUL"),
        (["a"], ValueError, "2 labels are expected"),
        ([["a", "b"]], ValueError, "2 labels are expected"),
        ("ab", ValueError, "2 labels are expected"),
    ],
    ids=str,
)
def test_what_is_refused(y: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        encode(y, 2, None, ())


@pytest.mark.parametrize(("kind", "y"), [("int", ["a"]), ("str", [1]), ("int", [True])])
def test_another_kind_is_refused(kind: Any, y: Any) -> None:
    with pytest.raises(TypeError, match=f"of type {kind}, type"):
        encode(y, 1, kind, (0,))


def test_no_labels_decide_nothing() -> None:
    codes, kind, classes = encode([], 0, None, ())
    assert codes.shape == (0,) and kind is None and classes == ()
    assert encode(np.empty(0), 0, "int", (5,))[1:] == ("int", (5,))
