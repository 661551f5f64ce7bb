from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deeplimit.persist.codec import NATIVE, Decoder, Encoder


def round_trip(value):
    encoder = Encoder("Toy", lambda value, name: False)
    text = json.dumps(encoder.encode(value, "v"), allow_nan=False)
    assert all(array.dtype.name in NATIVE for array in encoder.arrays.values())
    return Decoder(encoder.arrays, {}.__getitem__).decode(json.loads(text))


def same(a, b) -> bool:
    """Whether two values are equal in type, shape, order and every bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    if isinstance(a, np.ndarray):
        if (a.dtype.str, a.shape) != (b.dtype.str, b.shape):
            return False
        if a.dtype == object:
            return same(a.ravel().tolist(), b.ravel().tolist())
        return a.tobytes() == b.tobytes() and a.flags.f_contiguous == b.flags.f_contiguous
    return bool(a == b)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text()
)
VALUES = st.recursive(
    SCALARS | hnp.arrays(st.sampled_from(["f8", "i4", "?", "U3"]), hnp.array_shapes(min_side=0)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.just("$"), inner, max_size=3)
        | st.dictionaries(st.integers() | st.booleans(), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_every_value_comes_back_bit_for_bit(value):
    assert same(round_trip(value), value)


@given(hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, min_side=0, max_dims=3)))
def test_every_array_comes_back_bit_for_bit(array):
    if array.dtype.name in ("float128", "longdouble", "complex256", "clongdouble"):
        with pytest.raises(TypeError, match="an array of dtype"):
            round_trip(array)
    else:
        assert same(round_trip(array), array)


@pytest.mark.parametrize(
    "value",
    [
        -0.0,
        math.nan,
        struct.unpack("d", struct.pack("Q", 0xFFF8000000000123))[0],
        -math.inf,
        5e-324,
        10**30,
        "\ud800 lone",
        {"$": 1},
        {1: "a", (2, "b"): [3]},
        np.float64(0.1),
        np.float32("nan"),
        np.int8(-3),
        np.bool_(True),
        np.str_("é"),
        np.str_(""),
        np.datetime64("NaT"),
        np.array(3.0),
        np.array(["a", "bcd", ""]),
        np.array([b"a\0b", b"c"]),
        np.array(["2020-01-01", "NaT"], dtype="M8[ns]"),
        np.array([1 + 2j]),
        np.array([1.0, 2.0], dtype=">f8"),
        np.array(["a", "\ud800", "é" * 100], dtype=object),
        np.array([], dtype=object),
        np.array([["a"], ["b"]], dtype=object),
        np.array(["a", None, 1, 2.5, True], dtype=object),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6.0).reshape(2, 3)[:, ::2].copy(),
    ],
)
def test_values_of_all_kinds(value):
    assert same(round_trip(value), value)


def test_a_view_comes_back_as_its_content():
    base = np.arange(12.0).reshape(3, 4)
    for view in (base[:, ::2], base[::-1], base.T):
        assert round_trip(view).tolist() == view.tolist()


def test_what_comes_back_is_writeable():
    for array in (np.zeros(3), np.array(["a"]), np.array(["a"], dtype=object)):
        array.flags.writeable = False
        assert round_trip(array).flags.writeable


def function(z):
    return z


class Callable:
    def __call__(self, z):
        return z


@pytest.mark.parametrize("value", [function, len, Callable(), np.tanh, lambda z: z, int])
def test_a_callable_is_refused_with_a_way_out(value):
    with pytest.raises(TypeError, match=r"^Toy\.activation is a Python callable .*expression such"):
        Encoder("Toy", lambda value, name: False).encode(value, "activation")


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1, 2},
        1j,
        b"bytes",
        np.ma.array([1.0]),
        np.random.default_rng(0),
        np.zeros(2, dtype=[("a", "f8")]),
        np.longdouble(1),
    ],
)
def test_other_objects_are_refused_by_the_attribute_name(value):
    with pytest.raises(TypeError, match=r"^Toy\.deep\.1\.x "):
        Encoder("Toy", lambda value, name: False).encode([0, {"x": value}], "deep")


def test_addresses_of_arrays_do_not_meet():
    array = np.zeros(1)
    encoder = Encoder("Toy", lambda value, name: False)
    value = {"a": {"b": array}, "a.b": array + 1, "1": array + 2, 2: array + 3, "keys": array + 4}
    encoder.encode([value, {"0": {"a": {"b": array + 5}}}], "v")
    assert len(encoder.arrays) == 6


def test_children_are_put_aside():
    found = {}

    def child(value, name):
        found[name] = value
        return isinstance(value, Callable)

    inside = Callable()
    note = Encoder("Toy", child).encode([("encoder", inside)], "steps")
    assert found == {"steps.0.1": inside}
    assert Decoder({}, found.__getitem__).decode(note) == [("encoder", inside)]


@pytest.mark.parametrize(
    "note",
    [
        {"$": "code", "v": "1"},
        {"$": 1},
        {"$": "float", "hex": "00"},
        {"$": "float", "hex": "zz"},
        {"$": "array", "at": "missing", "order": "C"},
        {"$": "array", "at": "raw", "dtype": "O", "shape": [1], "order": "C"},
        {"$": "array", "at": "raw", "dtype": "V8", "shape": [1], "order": "C"},
        {"$": "array", "at": "raw", "dtype": "f8,O", "shape": [1], "order": "C"},
        {"$": "array", "at": "raw", "dtype": "<f8", "shape": [10**15], "order": "C"},
        {"$": "array", "at": "raw", "dtype": 3, "shape": [1], "order": "C"},
        {"$": "array", "at": "raw", "dtype": "nonsense", "shape": [1], "order": "C"},
        {"$": "array", "at": "empty", "dtype": "<U9", "shape": [10**15], "order": "C"},
        {"$": "scalar", "dtype": "O", "hex": "0011223344556677"},
        {"$": "scalar", "dtype": "<f8", "hex": "00"},
        {"$": "objects", "at": "text", "shape": [2]},
        {"$": "objects", "items": ["a"], "shape": [3]},
        {"$": "dict", "keys": [1, 2], "values": [1]},
        {"$": "dict", "keys": [[1]], "values": [1]},
        {"$": "child", "at": "missing"},
        {"$": "tuple"},
    ],
)
def test_descriptions_that_make_no_sense_are_refused(note):
    arrays = {
        "raw": np.zeros(8, dtype=np.uint8),
        "empty": np.zeros(0, dtype=np.uint8),
        "text.text": np.zeros(3, dtype=np.uint8),
        "text.lengths": np.array([1, 9]),
    }
    with pytest.raises((ValueError, KeyError, TypeError, struct.error)):
        Decoder(arrays, {}.__getitem__).decode(note)
