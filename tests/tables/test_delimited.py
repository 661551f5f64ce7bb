from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.tables import read_table


@pytest.fixture
def write(tmp_path):
    def write(content: str | bytes, name: str = "t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(write, delimiter, end):
    rows = ["a,b,c", "1,x y,2.5", "3,z,4"]
    table = read_table(write(end.join(rows).replace(",", delimiter) + end))
    assert table.names == ("a", "b", "c")
    assert table.kinds == ("numeric", "categorical", "numeric")
    assert table.features["c"].tolist() == [2.5, 4.0]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        # The other delimiter occurs as often, but not in every row, or only within quotes.
        ("a;b\n1;x, y\n2;u, v, w\n", ("a", "b")),
        ('a,b\n"1;2",x\n"3;4",y\n', ("a", "b")),
        ("a,b;c\n1,2\n3,4\n", ("a", "b;c")),
        ("one\n1\n2\n", ("one",)),
        ("one column\nx y\nz\n", ("one column",)),
        ('"a,b"\n1\n2\n', ("a,b",)),
        ("a\tb\n1,5\t2\n", ("a", "b")),
    ],
)
def test_the_delimiter_cuts_every_row_alike(write, text, names):
    assert read_table(write(text)).names == names


def test_quotes_newlines_and_doubled_quotes(write):
    table = read_table(write('a,b\n"x, ""y""\nz",1\nplain,2\n'))
    assert table.features["a"].tolist() == ['x, "y"\nz', "plain"]


def test_a_space_after_the_delimiter_is_none_of_the_cell(write):
    table = read_table(write('a, b\n1, "x, y"\n2, z\n'))
    assert table.names == ("a", "b")
    assert table.features["b"].tolist() == ["x, y", "z"]


def test_missing_cells(write):
    table = read_table(write("a,b\n1,x\nNA,\n?,NULL\n2,y\n"))
    assert table.features["a"].isna().tolist() == [False, True, True, False]
    assert table.features["b"].isna().tolist() == [False, True, True, False]
    assert table.kinds == ("numeric", "categorical")
    own = read_table(write("a,b\n1,NA\n-,y\n"), missing_values=["-"])
    assert own.features["a"].isna().tolist() == [False, True]
    assert own.features["b"].tolist() == ["NA", "y"]


def test_there_are_no_comments(write):
    assert read_table(write("a,b\n#1,2\n")).features["a"].tolist() == ["#1"]


def test_blank_lines_are_passed_over(write):
    table = read_table(write("\na,b\n\n1,2\n   \n3,4\n\n"))
    assert table.features["a"].tolist() == [1, 3]


def test_numbers_are_read_exactly(write):
    values = np.random.default_rng(0).normal(size=500) * 10.0 ** np.arange(-250, 250)
    text = "x\n" + "\n".join(repr(float(v)) for v in values)
    assert read_table(write(text)).features["x"].to_numpy().tobytes() == values.tobytes()


@pytest.mark.parametrize("bom", [b"\xef\xbb\xbf", b""])
def test_utf8_with_and_without_mark(write, bom):
    table = read_table(write(bom + "größe,b\n1,é\n2,日本\n".encode()))
    assert table.names == ("größe", "b")
    assert table.features["b"].tolist() == ["é", "日本"]
    assert table.notes == ()


def test_utf16_by_its_mark(write):
    table = read_table(write("größe\tb\n1\té\n2\tx\n".encode("utf-16")))
    assert table.names == ("größe", "b")
    assert table.features["b"].tolist() == ["é", "x"]


@pytest.mark.parametrize("tail", [b"\n", b""])
def test_latin1_is_read_with_a_note(write, tail):
    path = write("a,b\n1,x\n2,Zoé".encode("latin-1") + tail)
    table = read_table(path)
    assert table.features["b"].tolist() == ["x", "Zoé"]
    assert [note for note in table.notes if "Latin-1" in note]
    assert read_table(path, encoding="latin-1").notes == ()
    with pytest.raises(ValueError, match="is not ascii text"):
        read_table(path, encoding="ascii")


def test_bytes_that_are_no_text_are_refused(write):
    with pytest.raises(ValueError, match="has NUL bytes"):
        read_table(write(b"a,b\n1,\0\n"))
    with pytest.raises(ValueError, match="has NUL bytes"):
        read_table(write(b"a,b\n\xff\xfe,1\n" + b"1,2\n" * 300_000 + b"\0"))


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a,b,c\n1,2,3\n1,2\n", 3, "has 2 cells, the first row has 3"),
        ("a,b\n1,2\n\n1,2,3\n", 4, "has 3 cells, the first row has 2"),
        ('a,b\n"1\n2",3\n4\n', 4, "has 1 cells, the first row has 2"),
        ("a,b\n" + "1,2\n" * 300 + "1\n", 302, "has 1 cells"),
        ("a,b\n1,2,3\n4,5,6\n", 2, "has 3 cells, the first row has 2"),
        ('a,b\n1,"x\n2,3\n', 3, "can't be parsed"),
        ('a,b\n1,"x"y\n2,3\n', 2, "can't be parsed"),
    ],
)
def test_a_ragged_or_broken_row_is_named_by_its_line(write, text, line, what):
    with pytest.raises(ValueError, match=rf"^Line {line} of '.*t\.csv' {what}"):
        read_table(write(text))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("\n\n", "holds no rows"),
        ("a,b\n", "column names and no rows"),
        ("a,b,a,b\n1,2,3,4\n", "several columns named 'a', 'b'"),
        ("1,2\n3,4\n", "has only numbers on its first line"),
    ],
)
def test_tables_that_are_none(write, text, what):
    with pytest.raises(ValueError, match=what):
        read_table(write(text))


def test_a_file_without_column_names(write):
    path = write("1,x\n3,y\n")
    table = read_table(path, header=False)
    assert table.names == ("column_1", "column_2")
    assert table.features["column_1"].tolist() == [1, 3]
    years = read_table(write("2019,2020\n3,4\n"), header=True)
    assert years.names == ("2019", "2020")


def test_an_index_saved_with_the_table_is_noted(write):
    table = read_table(write(",a\n0,5\n1,7\n2,5\n"))
    assert table.names == ("column_1", "a")
    assert [note for note in table.notes if "numbers the rows" in note]
    for text in (",a\n5,5\n1,7\n", "i,a\n0,5\n1,7\n", ",a\nx,5\ny,7\n", ",a\n,5\n1,7\n"):
        assert not [note for note in read_table(write(text)).notes if "numbers the rows" in note]


def test_decimal_commas(write):
    table = read_table(write("a;b\n1,5;x\n-2;y\n;z\n"))
    assert table.features["a"].tolist()[:2] == [1.5, -2.0]
    assert table.kinds == ("numeric", "categorical")
    assert [note for note in table.notes if "decimal comma" in note]
    for text in ("a;b\n1,5;x\nu;y\n", "a;b\n1.5;x\n2.5;y\n"):
        assert read_table(write(text)).notes == ()


def test_a_number_mistyped_is_noted(write):
    table = read_table(write("a,b\n1,x\n2,y\nn.a.,z\n4,w\n"))
    assert table.kinds == ("categorical", "categorical")
    assert table.notes == (
        "Column 'a' is categorical because 1 of its 4 values are not numbers; mark those as "
        "missing if that is what they mean.",
    )


cells = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(',;|"\n'), max_size=8
).filter(lambda text: text == text.lstrip() and text.strip())


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8))
def test_what_csv_writes_is_what_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    table = read_table(path, missing_values=[], kinds=dict.fromkeys("abc", "categorical"))
    read = table.features.astype(str).to_numpy().tolist()
    numbers = [table.features[name].dtype.kind in "biuf" for name in "abc"]
    for row, back in zip(rows, read, strict=True):
        for cell, got, number in zip(row, back, numbers, strict=True):
            assert got == cell or number
