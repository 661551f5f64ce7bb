from __future__ import annotations

import numpy as np
import pytest

from deeplimit.tables import Table, TableEncoder, read_table


@pytest.fixture
def flowers(tmp_path):
    path = tmp_path / "flowers.csv"
    path.write_text(
        "name,petal,colour,species\nf1,1.4,red,setosa\nf2,,blue,virginica\nf3,4.7,red,setosa\n"
    )
    return path


def test_features_target_and_ids(flowers):
    table = read_table(flowers, "species", "name")
    assert isinstance(table, Table)
    assert table.names == tuple(table.features.columns) == ("petal", "colour")
    assert table.kinds == ("numeric", "categorical")
    assert table.target.tolist() == ["setosa", "virginica", "setosa"]
    assert table.target.dtype.kind == "U"
    assert table.target_name == "species"
    assert table.ids.tolist() == ["f1", "f2", "f3"]
    assert table.n_rows == 3
    assert table.notes == ()


def test_without_target_and_ids(flowers):
    table = read_table(flowers)
    assert table.names == ("name", "petal", "colour", "species")
    assert table.target is None
    assert table.target_name is None
    assert table.ids.tolist() == [0, 1, 2]


def test_the_encoder_takes_what_was_read(flowers):
    table = read_table(flowers, "species", "name")
    encoder = TableEncoder(kinds=table.kinds).fit(table.features)
    names = encoder.get_feature_names_out().tolist()
    assert names == ["petal", "petal=(missing)", "colour=blue", "colour=red"]


def test_chosen_columns_in_their_order(flowers):
    table = read_table(flowers, "species", columns=["colour", "petal"])
    assert table.names == tuple(table.features.columns) == ("colour", "petal")


def test_declared_kinds(flowers):
    table = read_table(flowers, "species", "name", kinds={"petal": "categorical"})
    assert table.kinds == ("categorical", "categorical")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (
            {"target": "specie"},
            r"no column 'specie' in .*: did you mean 'species'\? It has 'name',",
        ),
        ({"target": "zzz"}, r"no column 'zzz' in .*flowers\.csv': It has 'name', 'petal',"),
        ({"id_column": "names"}, "did you mean 'name'"),
        ({"columns": ["petals"]}, "did you mean 'petal'"),
        ({"kinds": {"petals": "date"}}, "did you mean 'petal'"),
        ({"kinds": {"petal": "number"}}, "'number' is no kind of column"),
        ({"target": "name", "id_column": "name"}, "can't be both"),
        ({"target": "petal", "columns": ["petal"]}, "can't be a feature and the target"),
        ({"columns": []}, "no columns left"),
        ({"id_column": "species"}, "'setosa' occurs more than once"),
        ({"id_column": "petal"}, "has 1 missing ids"),
        ({"target": "petal"}, r"missing in 1 of 3 rows \(from 0: 1\); fill them or pass drop_"),
    ],
)
def test_errors(flowers, arguments, what):
    with pytest.raises(ValueError, match=what):
        read_table(flowers, **arguments)


def test_many_columns_are_not_all_listed(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{i}" for i in range(50)) + "\n" + ",".join("1" * 50) + "\n")
    with pytest.raises(ValueError, match=r"'c19' and 30 more\.$"):
        read_table(path, target="zzz")


def test_the_only_column_as_target_leaves_none(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("y\n1\n2\n")
    with pytest.raises(ValueError, match="no columns left"):
        read_table(path, target="y")


def test_rows_without_target_are_left_out_on_demand(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "1,\n2,5\n3,\n4,6\n")
    with pytest.raises(ValueError, match=r"missing in 2 of 4 rows \(from 0: 0, 2\)"):
        read_table(path, "y")
    table = read_table(path, "y", drop_missing_target=True)
    assert table.features["a"].tolist() == [2, 4]
    assert table.features.index.tolist() == [0, 1]
    assert table.ids.tolist() == [1, 3]
    assert table.target.tolist() == [5, 6]
    assert table.target.dtype == np.int64
    assert table.notes == ("2 rows without a target were left out.",)


def test_a_target_missing_everywhere(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1,\n2,\n")
    with pytest.raises(ValueError, match="missing in every row"):
        read_table(path, "y", drop_missing_target=True)


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        ("1 2 3", np.int64, [1, 2, 3]),
        ("0.5 2 3", np.float64, [0.5, 2.0, 3.0]),
        ("True False True", np.bool_, [True, False, True]),
        ("a b 1", "<U1", ["a", "b", "1"]),
    ],
)
def test_dtype_of_the_target(tmp_path, cells, dtype, values):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells.split())))
    target = read_table(path, "y").target
    assert target.dtype == dtype
    assert target.tolist() == values


def test_booleans_with_a_gap_stay_booleans(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1,True\n2,\n3,False\n")
    target = read_table(path, "y", drop_missing_target=True).target
    assert target.dtype == np.bool_
    assert target.tolist() == [True, False]


def test_an_infinite_target_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1,inf\n2,3\n")
    with pytest.raises(ValueError, match="infinite"):
        read_table(path, "y")
