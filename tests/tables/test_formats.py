from __future__ import annotations

import gzip
import io
import sys
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from deeplimit.tables import read_table

FRAME = pd.DataFrame(
    {
        "n": [1.5, None, 3.0],
        "i": pd.array([1, None, 3], dtype="Int64"),
        "c": pd.Categorical(["a", "b", None]),
        "s": ["x", None, "z"],
        "d": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
        "b": pd.array([True, None, False], dtype="boolean"),
        "y": ["p", "q", "p"],
    }
)
KINDS = ("numeric", "numeric", "categorical", "categorical", "date", "boolean")


def save(path, kind):
    table = pa.Table.from_pandas(FRAME)
    if kind == "parquet":
        pa.parquet.write_table(table, path)
    elif kind == "feather":
        pa.feather.write_feather(table, path)
    else:
        new = pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file
        with pa.OSFile(str(path), "wb") as sink, new(sink, table.schema) as writer:
            writer.write_table(table)
    return path


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("parquet", "t.parquet"),
        ("parquet", "t.PQ"),
        ("parquet", "t"),
        ("feather", "t.feather"),
        ("file", "t.arrow"),
        ("stream", "t.arrow"),
        ("file", "t.data"),
    ],
)
def test_columnar_files(tmp_path, kind, name):
    table = read_table(save(tmp_path / name, kind), target="y")
    assert table.names == ("n", "i", "c", "s", "d", "b")
    assert table.kinds == KINDS
    assert table.target.tolist() == ["p", "q", "p"]
    assert table.features["n"].isna().tolist() == [False, True, False]


def test_types_of_arrow_without_a_numpy_one(tmp_path):
    import datetime as dt
    import decimal

    path = tmp_path / "t.parquet"
    columns = {
        "day": pa.array([dt.date(2020, 1, 1), dt.date(2020, 1, 2)]),
        "price": pa.array([decimal.Decimal("1.50"), None]),
        "at": pa.array([dt.time(1), dt.time(2)]),
        "zoned": pa.array([0, 1], pa.timestamp("s", tz="Asia/Tokyo")),
    }
    pa.parquet.write_table(pa.table(columns), path)
    assert read_table(path).kinds == ("date", "numeric", "duration", "date")


def test_a_folder_name_adds_no_columns(tmp_path):
    folder = tmp_path / "year=2020"
    folder.mkdir()
    assert "year" not in read_table(save(folder / "t.parquet", "parquet")).names


def test_a_saved_index_without_name_is_no_feature(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": [1, 2]}, index=[7, 9]).to_parquet(path)
    assert read_table(path).names == ("a",)
    pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 9], name="row")).to_parquet(path)
    table = read_table(path, id_column="row")
    assert table.ids.tolist() == [7, 9]


@pytest.mark.parametrize("column", [[[1], [2]], [{"a": 1}, {"a": 2}], [b"x", b"y"]])
def test_nested_and_binary_columns_are_refused(tmp_path, column):
    path = tmp_path / "t.parquet"
    pa.parquet.write_table(pa.table({"a": [1, 2], "deep": column}), path)
    with pytest.raises(ValueError, match=r"Column 'deep' .* not single values"):
        read_table(path)


def test_repeated_columns_of_arrow_are_refused(tmp_path):
    path = tmp_path / "t.arrow"
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(ValueError, match="several columns named 'a'"):
        read_table(path)


@pytest.mark.parametrize("empty", [{}, {"a": pa.array([], pa.float64())}])
def test_empty_columnar_files_are_refused(tmp_path, empty):
    path = tmp_path / "t.parquet"
    pa.parquet.write_table(pa.table(empty), path)
    with pytest.raises(ValueError, match=r"holds no (rows|columns)"):
        read_table(path)


@pytest.mark.parametrize(("kind", "name"), [("parquet", "t.parquet"), ("file", "t.arrow")])
def test_columnar_files_cut_off_are_refused(tmp_path, kind, name):
    path = save(tmp_path / name, kind)
    whole = path.read_bytes()
    for length in (8, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="is damaged"):
            read_table(path)


def npz(path, **arrays):
    np.savez(path, **arrays)
    return path


X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def test_an_npz_with_everything(tmp_path):
    path = npz(
        tmp_path / "t.npz",
        X=X,
        y=np.array(["a", "b", "a"]),
        ids=np.array([10, 20, 30]),
        feature_names=np.array(["u", "v"]),
        categorical=np.array([False, True]),
    )
    table = read_table(path)
    assert isinstance(table.features, np.ndarray)
    assert table.names == ("u", "v")
    assert table.kinds == ("numeric", "categorical")
    assert table.target.tolist() == ["a", "b", "a"]
    assert table.target_name == "y"
    assert table.ids.tolist() == [10, 20, 30]
    other = read_table(path, target="u")
    assert (other.names, other.target.tolist()) == (("v",), [1, 3, 5])
    assert other.kinds == ("categorical",)
    assert read_table(path, target="y", id_column="u").names == ("v",)


def test_an_npz_with_x_alone(tmp_path):
    table = read_table(npz(tmp_path / "t.npz", X=X))
    assert table.names == ("x0", "x1")
    assert table.target is None
    assert table.ids.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="no column 'y'"):
        read_table(tmp_path / "t.npz", target="y")


@pytest.mark.parametrize("marks", [[1], ["x1"], [False, True]])
def test_categorical_columns_of_an_npz(tmp_path, marks):
    path = npz(tmp_path / "t.npz", X=X, categorical=np.array(marks))
    assert read_table(path).kinds == ("numeric", "categorical")


def test_an_npz_of_text(tmp_path):
    path = npz(tmp_path / "t.npz", X=np.array([["1", "a"], ["2", "b"]]), y=np.array([[1], [0]]))
    table = read_table(path)
    assert table.kinds == ("numeric", "categorical")
    assert table.target.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"data": X}, "has no array 'X' but data"),
        ({"X": X[0]}, "must be rows by columns"),
        ({"X": X[:0]}, "holds no rows"),
        ({"X": X[:, :0]}, "holds no columns"),
        ({"X": X, "y": np.zeros(2)}, "'y' .* one entry for each of the 3 rows"),
        ({"X": X, "ids": np.zeros(4)}, "'ids' .* one entry for each"),
        ({"X": X, "ids": np.zeros(3)}, "occurs more than once"),
        ({"X": X, "feature_names": np.array(["a"])}, "has 1 names for 2 columns"),
        ({"X": X, "feature_names": np.array(["a", "a"])}, "several columns named 'a'"),
        ({"X": X, "categorical": np.array([2])}, "must be a mask"),
        ({"X": X, "categorical": np.array(["z"])}, "must be a mask"),
        ({"X": X, "y": np.array([1, None, 2], dtype=object)}, "take pickle to read"),
    ],
)
def test_npz_files_that_are_no_table(tmp_path, arrays, what):
    with pytest.raises(ValueError, match=what):
        read_table(npz(tmp_path / "t.npz", **arrays))


def test_npz_files_cut_off_or_altered_are_refused(tmp_path):
    path = npz(tmp_path / "t.npz", X=np.arange(600.0).reshape(200, 3))
    whole = path.read_bytes()
    altered = bytearray(whole)
    altered[2000] ^= 0xFF
    for content in (whole[:20], whole[: len(whole) // 2], bytes(altered)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is damaged"):
            read_table(path)


def test_an_npz_that_claims_to_be_huge_is_refused(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 1000), }"
    header += b" " * (117 - len(header)) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    path = tmp_path / "t.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", content)
    with pytest.raises(ValueError, match="is damaged"):
        read_table(path)


def _bytes(write) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _workbook() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("t.csv", b"PAR1....", "is named as a delimited text file, but its content is a Parquet"),
        ("t.parquet", b"a,b\n1,2\n", "is named as a Parquet file, but its content is something"),
        ("t.npz", b"a,b\n1,2\n", "is named as an NPZ file, but its content is something else"),
        ("t.arrow", b"PAR1....", "is named as an Arrow file, but its content is a Parquet file"),
        ("t.csv", gzip.compress(b"a,b\n1,2\n", mtime=0), "but its content is compressed"),
        ("t.csv", _workbook(), "but its content is a ZIP archive without arrays"),
        ("t.xlsx", _workbook(), "which can't be read as a table; save it as CSV"),
        ("t.npy", _bytes(lambda f: np.save(f, X)), r"is a single array \(NPY\)"),
        ("t.h5", b"\x89HDF\r\n", "is an HDF5 file"),
        ("t.csv", b"", "is empty"),
        ("t.npz", b"", "is empty"),
    ],
)
def test_content_must_agree_with_the_name(tmp_path, name, content, what):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=what):
        read_table(path)


def test_text_under_any_other_name(tmp_path):
    path = tmp_path / "iris.data"
    path.write_text("a,b\n1,2\n")
    assert read_table(path).names == ("a", "b")


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(ValueError, match="is a folder"):
        read_table(tmp_path)


@pytest.mark.parametrize("module", ["pandas", "pyarrow"])
def test_the_extra_is_named_when_absent(tmp_path, monkeypatch, module):
    path = save(tmp_path / "t.parquet", "parquet")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf'{module}, .*pip install "deeplimit\[tables\]"'):
        read_table(path)


def test_an_npz_needs_no_extra(tmp_path, run_without_extra):
    path = npz(tmp_path / "t.npz", X=X, y=np.array([0, 1, 0]))
    code = (
        "from deeplimit.tables import TableEncoder, read_table\n"
        f"table = read_table({str(path)!r})\n"
        "print(TableEncoder(kinds=table.kinds).fit_transform(table.features).shape)\n"
    )
    assert run_without_extra(code) == "(3, 2)\n"
