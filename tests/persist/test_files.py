from __future__ import annotations

import builtins
import json
import os
import pickle
import stat

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from deeplimit.persist import State, load, read_header, register, save
from deeplimit.persist import files as module
from deeplimit.tables import TableEncoder


@register
class Toy(BaseEstimator):
    def __init__(self, activation="gelu", inner=None):
        self.activation = activation
        self.inner = inner


@register
class HandMade:
    """Writes the state it is given."""

    def __init__(self, state):
        self.state = state

    def _to_state(self):
        return self.state

    @classmethod
    def _from_state(cls, state):
        return cls(state)


def toy() -> Toy:
    model = Toy(inner=TableEncoder().fit([[1.0, "a"], [2.0, None]]))
    model.means_ = np.arange(6.0).reshape(2, 3)
    model.classes_ = np.array(["no", "yes"])
    model.empty_ = np.zeros((0, 3), dtype=np.float32)
    model.scalar_ = np.array(2.5)
    model.history_ = [1, 0.1, float("inf"), "x", None, (True,)]
    return model


@pytest.fixture
def path(tmp_path):
    return save(toy(), tmp_path / "model.safetensors", notes={"target": "species"})


def test_round_trip(path):
    model, copy = toy(), load(path)
    assert type(copy) is Toy
    assert vars(copy).keys() == vars(model).keys()
    for name in ("means_", "classes_", "empty_", "scalar_"):
        a, b = getattr(model, name), getattr(copy, name)
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    assert copy.history_ == model.history_
    new = [[1.5, "a"], [9.0, None]]
    assert copy.inner.transform(new).tobytes() == model.inner.transform(new).tobytes()


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.booleans())
def test_round_trip_of_any_array(tmp_path_factory, seed, width, transposed):
    model = Toy()
    bits = np.random.default_rng(seed).integers(0, 2**64, size=(3, width), dtype=np.uint64)
    model.bits_ = bits.view(np.float64).T if transposed else bits.view(np.float64)
    copy = load(save(model, tmp_path_factory.mktemp("m") / "m"))
    assert copy.bits_.tobytes() == model.bits_.tobytes()
    assert str(copy.bits_.flags) == str(model.bits_.copy("K").flags)


def test_the_same_estimator_gives_the_same_bytes(path, tmp_path):
    other = save(load(path), tmp_path / "again", notes={"target": "species"})
    assert other.read_bytes() == path.read_bytes()


def test_the_header_says_what_is_inside(path):
    header = read_header(path)
    assert header.class_name == "Toy"
    assert header.version == 1
    assert header.notes == {"target": "species"}
    assert {"python", "numpy", "scikit-learn", "safetensors"} <= header.libraries.keys()
    assert len(header.sha256) == 64


def test_other_tools_can_read_the_arrays(path):
    tensors = safetensors.numpy.load_file(path)
    assert tensors["means_"].tolist() == toy().means_.tolist()
    assert "inner.scale_" in tensors


def test_an_existing_file_is_replaced(path):
    model = Toy("tanh")
    assert load(save(model, path)).activation == "tanh"
    assert [p.name for p in path.parent.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_usual_permissions_and_an_old_one_keeps_its_own(tmp_path, umask):
    before = os.umask(umask)
    try:
        path = save(Toy(), tmp_path / "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    path.chmod(0o640)
    assert stat.S_IMODE(save(Toy(), path).stat().st_mode) == 0o640


def test_a_link_keeps_pointing_at_the_file(path):
    link = path.with_name("link")
    link.symlink_to(path)
    save(Toy("tanh"), link)
    assert link.is_symlink()
    assert load(path).activation == "tanh"


@pytest.mark.parametrize("step", ["save_file", "fsync", "replace"])
def test_a_failed_save_leaves_what_was_there(path, monkeypatch, step):
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise safetensors.SafetensorError("full") if step == "save_file" else OSError("full")

    where = safetensors.numpy if step == "save_file" else module.os
    monkeypatch.setattr(where, step, fail)
    with pytest.raises(OSError, match="full"):
        save(Toy("tanh"), path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["model.safetensors"]


def test_an_estimator_that_can_not_be_saved_leaves_what_was_there(path):
    before = path.read_bytes()
    with pytest.raises(TypeError, match=r"^Toy\.activation is a Python callable"):
        save(Toy(np.tanh), path)
    assert path.read_bytes() == before


def test_places_that_can_not_be_written(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        save(Toy(), tmp_path / "no" / "model")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        save(Toy(), tmp_path)


def test_notes_are_strict_json(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(Toy(), tmp_path / "m", notes={"a": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_description_too_long_for_a_header_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_HEADER_LIMIT", 5000)
    with pytest.raises(ValueError, match="more than the 5000 bytes"):
        save(Toy("x" * 5000), tmp_path / "m")


def test_many_strings_do_not_fill_the_header(tmp_path):
    model = Toy()
    model.ids_ = np.array([f"row {i}" for i in range(20_000)], dtype=object)
    path = save(model, tmp_path / "m")
    assert int.from_bytes(path.read_bytes()[:8], "little") < 2000
    assert load(path).ids_.tolist() == model.ids_.tolist()


def test_states_made_by_hand_are_checked(tmp_path):
    one = np.zeros(1)
    inner = State("HandMade", {}, {"b": one})
    for state, error in (
        (State("HandMade", {}, {"a.b": one}, {"a": inner}), ValueError),
        (State("HandMade", {}, {"a": np.array(["x"])}), TypeError),
        (State("HandMade", {}, {"a": one.astype(">f8")}), TypeError),
    ):
        with pytest.raises(error, match=r"'a(\.b)?'"):
            save(HandMade(state), tmp_path / "m")


def test_no_pickle_and_no_code(path, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("called on loading")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, never)
    for name in ("eval", "exec"):
        monkeypatch.setattr(builtins, name, never)
    assert type(load(path)) is Toy


# --- hostile files -------------------------------------------------------------------------------

REFUSED = r"^'.*' is not a model file that can be read: "


def parts(path):
    """The header of a file as JSON, and its data."""
    raw = path.read_bytes()
    end = 8 + int.from_bytes(raw[:8], "little")
    return json.loads(raw[8:end]), raw[end:]


def write(path, header, data):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)


def forge(path, change, seal=True):
    """Change a file's document, with a hash that fits the change if `seal`."""
    header, data = parts(path)
    document = json.loads(header["__metadata__"]["deeplimit"])
    change(document["body"])
    if seal:
        tensors = safetensors.numpy.load_file(path)
        document["sha256"] = module._digest(module._dump(document["body"]), tensors)
    header["__metadata__"]["deeplimit"] = json.dumps(document)
    write(path, header, data)


def refused(path, reason):
    with pytest.raises(ValueError, match=REFUSED + reason) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_files_cut_off_at_any_length(path):
    whole = path.read_bytes()
    for length in [*range(12), 50, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        refused(path, "")
    path.write_bytes(whole + b"\0")
    refused(path, "")


def test_any_byte_altered_is_noticed(path):
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in [*range(8), *rng.integers(8, len(whole), 300).tolist(), len(whole) - 1]:
        altered = bytearray(whole)
        altered[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(altered)
        with pytest.raises(ValueError, match=REFUSED):
            load(path)


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**63, 2**64 - 1])
def test_lengths_of_header_that_can_not_be(path, length):
    raw = path.read_bytes()
    path.write_bytes(length.to_bytes(8, "little") + raw[8:])
    refused(path, "it is (too short|cut off)")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04\x95" + b"\0" * 50, pickle.dumps({"a": 1}), b"PK\x03\x04" * 10, b"{" * 5000],
)
def test_other_files(path, content):
    path.write_bytes(content)
    refused(path, "")


def test_a_header_that_is_no_json(path):
    for raw in (b"not json!!", b"\xff\xfe" * 8, b"[" * 100_000, b'{"a":1,"a":2}', b'{"a":NaN}'):
        write(path, raw, b"")
        refused(path, "")


def test_tensors_that_are_no_model(tmp_path):
    path = tmp_path / "t.safetensors"
    for metadata in (None, {"format": "pt"}):
        safetensors.numpy.save_file({"a": np.zeros(3)}, path, metadata=metadata)
        refused(path, "it may hold tensors, but nothing that deeplimit saved")
        with pytest.raises(ValueError, match="nothing that deeplimit saved"):
            read_header(path)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{}",
        "[]",
        "null",
        "NaN",
        "[" * 100_000,
        '{"a":1,"a":1}',
        '{"body": {}, "sha256": ""}',
        '{"body": {"format": "other", "version": 1}, "sha256": ""}',
        '{"body": {"format": "deeplimit-model", "version": 1}, "sha256": ""}',
        '{"body": {"format": "deeplimit-model", "version": "1"}, "sha256": ""}',
    ],
)
def test_documents_that_describe_no_model(path, document):
    header, data = parts(path)
    header["__metadata__"]["deeplimit"] = document
    write(path, header, data)
    refused(path, "its description is not one of a model")


def test_another_version_of_the_format(path):
    forge(path, lambda body: body.update(version=2))
    refused(path, "it has format version 2, this deeplimit reads version 1")


def test_a_change_without_a_new_hash(path):
    forge(path, lambda body: body["state"]["meta"]["params"].update(activation="relu"), seal=False)
    refused(path, "its content does not match its hash")


def test_nan_in_the_description(path):
    header, data = parts(path)
    document = header["__metadata__"]["deeplimit"]
    header["__metadata__"]["deeplimit"] = document.replace(
        '"activation": "gelu"', '"activation": NaN'
    )
    assert header["__metadata__"]["deeplimit"] != document
    write(path, header, data)
    refused(path, r"its description .*NaN is not a JSON value")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s["arrays"].remove("means_"), "it holds tensors that belong to nothing: means_"),
        (lambda s: s["arrays"].append("more"), "its description .*tensor more is missing"),
        (lambda s: s["arrays"].append("means_"), "its description .*tensor means_ is missing"),
        (lambda s: s["arrays"].append(3), "its description"),
        (lambda s: s.update(arrays=None), "its description"),
        (lambda s: s.update(children=[]), "its description"),
        (lambda s: s.update(meta=[]), "its description"),
        (lambda s: s.pop("children"), "its description"),
        (lambda s: s["children"].clear(), "it holds tensors that belong to nothing"),
        (lambda s: s.update({"class": "Popen"}), "Popen can't be built .*'Popen' is not a class"),
        (
            lambda s: s["children"]["inner"].update({"class": "StandardScaler"}),
            "Toy can't be built from it .*'StandardScaler' is not a class model files may hold",
        ),
        (lambda s: s["meta"].pop("attrs"), "Toy can't be built"),
        (lambda s: s["meta"]["params"].update(unknown=1), "Toy can't be built"),
        (lambda s: s["meta"]["attrs"].update(__class__=1), "Toy can't be built"),
        (lambda s: s["meta"]["attrs"].update(__dict__={}), "Toy can't be built"),
        (
            lambda s: s["meta"]["attrs"]["classes_"].update(dtype="O"),
            "Toy can't be built .*'O' is not a dtype of plain",
        ),
    ],
)
def test_forged_descriptions(path, change, reason):
    forge(path, lambda body: change(body["state"]))
    refused(path, reason)


def test_dtypes_this_library_does_not_write(tmp_path, path):
    header, _ = parts(path)
    document = json.loads(header["__metadata__"]["deeplimit"])
    new = {"__metadata__": {"deeplimit": json.dumps(document)}}
    for dtype, size in (("BF16", 2), ("F8_E4M3", 1), ("XYZ", 4)):
        new["a"] = {"dtype": dtype, "shape": [1], "data_offsets": [0, size]}
        write(path, new, b"\0" * size)
        refused(path, "")


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no model file"):
        load(tmp_path / "nothing")
    with pytest.raises(ValueError, match="is a folder"):
        load(tmp_path)


def test_a_pipeline_in_a_file(tmp_path):
    table = [[1.0, "a"], [2.0, "b"]]
    model = make_pipeline(TableEncoder(), TableEncoder()).fit(table)
    copy = load(save(model, tmp_path / "m"))
    assert copy.transform(table).tobytes() == model.transform(table).tobytes()
