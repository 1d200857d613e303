"""Files as they come from machines and spreadsheets."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import Dataset
from cemai_opt.datasets.tabular import FILE_GROUP, Tabular, pieces

ROWS = "x,y\n1.5,1\n2.5,2.5\n"


def read(path: Path, **spec: object) -> Dataset:
    """The data set in a file or folder, with the target `y`."""
    return Tabular().read(DataSpec(path=str(path), target="y", **spec), "regression")  # type: ignore[arg-type]  # passed on


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", ROWS),
        ("a.CSV", ROWS),
        ("a.tsv", ROWS.replace(",", "\t")),
        ("a.txt", ROWS.replace(",", ";")),
        ("a.txt", ROWS.replace(",", "|")),
        ("excel.csv", ROWS.replace(",", ";").replace(".", ",")),
        ("bom.csv", "\ufeff" + ROWS),
        ("windows.csv", ROWS.replace("\n", "\r\n")),
    ],
)
def test_every_way_of_writing_a_table_gives_the_same_numbers(tmp_path: Path, name: str, text: str) -> None:
    """Comma, tab, semicolon and bar; a decimal comma if semicolons separate the columns; compressed too."""
    (tmp_path / name).write_text(text, newline="")
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    for path in (tmp_path / name, tmp_path / f"{name}.gz"):
        data = read(path)
        assert data.names == ("x",)
        assert (data.X[:, 0].tolist(), data.y.tolist()) == ([1.5, 2.5], [1.0, 2.5])


def test_parquet_gives_the_same_numbers_too(tmp_path: Path) -> None:
    """Compressed or not."""
    frame = pd.DataFrame({"x": [1.5, 2.5], "y": [1.0, 2.5]})
    frame.to_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress((tmp_path / "a.parquet").read_bytes()))
    for name in ("a.parquet", "a.parquet.gz"):
        assert read(tmp_path / name).X.tolist() == [[1.5], [2.5]]


def test_a_decimal_comma_needs_semicolons_and_a_column_of_nothing_else(tmp_path: Path) -> None:
    """Words with commas stay words, and the numbers beside them stay numbers."""
    (tmp_path / "a.csv").write_text("x;y;note\n1.5;1;a,b\n2.5;2;c\n")
    data = read(tmp_path / "a.csv")
    assert data.names == ("x", "note=a,b", "note=c")
    assert data.X[:, 0].tolist() == [1.5, 2.5]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of two rows, a hidden one, and one that is no table."""
    for name, start in (("b.csv", 10), ("a.csv", 0)):
        (tmp_path / name).write_text(f"x,y\n{start},{start}\n{start + 1},{start + 1}\n")
    (tmp_path / ".hidden.csv").write_text("x,y\n7,7\n")
    (tmp_path / "README.md").write_text("about")
    return tmp_path


def test_a_file_of_a_folder_is_a_group(folder: Path) -> None:
    """In the order of their names; hidden files and other kinds are left alone."""
    data = read(folder)
    assert data.group_names == ("a.csv", "b.csv")
    assert (data.group.tolist(), data.y.tolist()) == ([0, 0, 1, 1], [0, 1, 10, 11])
    assert data.schema.group == FILE_GROUP
    assert data.names == ("x",)


def test_groups_of_ones_own_do_without_the_names_of_files(tmp_path: Path) -> None:
    """A file's name may give the target away."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("unit,x,y\n1,1,1\n2,2,2\n")
    data = read(tmp_path, group="unit")
    assert data.group_names == ("1", "2")
    assert data.names == ("x",)
    assert FILE_GROUP not in data.schema.left_out


def test_files_of_a_folder_have_the_same_columns(folder: Path) -> None:
    """The odd file and its odd columns are named."""
    (folder / "c.csv").write_text("x,z\n1,2\n")
    with pytest.raises(StudyError, match=r"c\.csv has other columns than a\.csv \(y, z\)"):
        read(folder)


@settings(max_examples=25)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9), st.integers(1, 4), st.sampled_from(",;"))
def test_pieces_are_the_file(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float], n_rows: int, separator: str
) -> None:
    """Whatever their size, the same numbers as at once, decimal commas included."""
    path = tmp_path_factory.mktemp("pieces") / "a.csv"
    decimal = "," if separator == ";" else "."
    frame = pd.DataFrame({"n": np.arange(len(numbers)), "x": numbers})
    frame.to_csv(path, index=False, sep=separator, decimal=decimal)
    found = list(pieces(path, (), n_rows=n_rows))
    assert all(len(piece) <= n_rows for piece in found)
    joined = pd.concat(found)
    assert joined["n"].tolist() == frame["n"].tolist()
    assert joined["x"].tolist() == pytest.approx(numbers)


def test_pieces_of_a_folder_know_their_file(folder: Path) -> None:
    """One file after the other."""
    found = list(pieces(folder, (), n_rows=1))
    assert [piece[FILE_GROUP].item() for piece in found] == ["a.csv", "a.csv", "b.csv", "b.csv"]


def test_pieces_of_parquet_are_no_larger(tmp_path: Path) -> None:
    """A column that stays text is text."""
    pd.DataFrame({"x": range(5), "code": ["01"] * 5}).to_parquet(tmp_path / "a.parquet")
    found = list(pieces(tmp_path / "a.parquet", ["code"], n_rows=2))
    assert [len(piece) for piece in found] == [2, 2, 1]
    assert pd.concat(found)["code"].tolist() == ["01"] * 5


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"x,y\n", "has no rows"),
        ("a.csv", b"x,y,x\n1,2,3\n", "column 'x' occurs twice"),
        ("a.csv", b"x,y\n1,2,3\n", "first row has 3 fields, the header 2"),
        ("a.csv", b"x,y\n\xff\xfe,1\n", "give its --encoding"),
        ("a.csv.gz", b"no gzip", "cannot read"),
        ("a.parquet", b"no parquet", "cannot read"),
        ("a.xlsx", b"PK", "unknown file extension"),
    ],
)
def test_a_file_that_is_no_table_is_named_with_the_reason(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """No error of a library comes through."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StudyError, match=said) as error:
        read(tmp_path / name)
    assert name in str(error.value)


def test_a_misspelt_file_gets_its_neighbour(folder: Path) -> None:
    """And an empty folder the kinds of files that it could hold."""
    (folder / "wear_2026.csv").write_text(ROWS)
    with pytest.raises(StudyError, match=r"did you mean 'wear_2026\.csv'"):
        read(folder / "wear_2025.csv")
    (folder / "empty").mkdir()
    with pytest.raises(StudyError, match="holds no CSV or Parquet file"):
        read(folder / "empty")


def test_numbers_have_one_style_in_all_files_of_a_folder(tmp_path: Path) -> None:
    """What one file leaves open, another one says."""
    (tmp_path / "a.csv").write_text("x;y\n1,234;1\n2,345;2\n")
    with pytest.raises(StudyError, match="may have a decimal comma or a separator of thousands"):
        read(tmp_path)
    (tmp_path / "b.csv").write_text("x;y\n1,5;1\n2,5;3\n")
    data = read(tmp_path)
    assert data.X[:, 0].tolist() == [1.234, 2.345, 1.5, 2.5]
    assert any("decimal commas" in note for note in data.notes)


def test_options_decide(tmp_path: Path) -> None:
    """Thousands, missing words, columns of text; nonsense is refused."""
    (tmp_path / "a.csv").write_text("x;code;y\n1.234,5;1;1\n?;2;2\nout;3;4\n")
    data = read(tmp_path / "a.csv", thousands=".", na=("out",), keep_text=("code",))
    assert data.names == ("x", "code=1", "code=2", "code=3")
    assert data.X[0, 0] == 1234.5
    assert np.isnan(data.X[1:, 0]).all()
    for spec, says in (
        ({"sep": "ab"}, "is not one character"),
        ({"encoding": "utf-99"}, "there is no encoding"),
        ({"decimal": ",", "thousands": ","}, "are both ','"),
        ({"keep_text": ("cod",)}, "there is no column 'cod'"),
    ):
        with pytest.raises(StudyError, match=says):
            read(tmp_path / "a.csv", **spec)


def test_columns_have_one_type_in_all_files(tmp_path: Path) -> None:
    """A label is text in each file, and in the test file, even where all of its labels there look like numbers."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("state,x,y\n0,1,1\n0,2,2\n")
    (tmp_path / "data" / "b.csv").write_text("state,x,y\ntrue,1,3\ntrue,2,4\n")
    (tmp_path / "data" / "c.csv").write_text("state,x,y\nworn,1,5\nworn,2,6\n")
    (tmp_path / "test.csv").write_text("state,x,y\n0,1,7\n0,2,8\n")
    data = read(tmp_path / "data", test=str(tmp_path / "test.csv"))
    assert data.names == ("state=0", "state=true", "state=worn", "x")
    assert data.X[:, 0].tolist() == [1, 1, 0, 0, 0, 0, 1, 1]


def test_a_word_among_numbers_of_another_file_is_refused(tmp_path: Path) -> None:
    """A file of numbers beside one with a word does not make it a column of labels."""
    (tmp_path / "a.csv").write_text("x,y\n" + "".join(f"{i}.5,{i}\n" for i in range(12)))
    (tmp_path / "b.csv").write_text("x,y\nabout 3,1\n")
    with pytest.raises(StudyError, match="column 'x' is numeric except for 1 of 13 values"):
        read(tmp_path)


def three_files(folder: Path) -> dict[str, str]:
    """Three weeks: units 1 and 2, then 1 goes on and another unit is called 2, then two new units."""
    first = pd.DataFrame({"u": [1, 1, 2, 2], "t": [1, 2, 1, 2], "x": np.arange(4.0), "y": [1.0, 2.0, 3.0, 4.5]})
    first.to_csv(folder / "a.csv", index=False)
    first.assign(t=[3, 4, 1, 2])[["y", "x", "t", "u"]].to_csv(folder / "b.csv", index=False)
    first.assign(u=[7, 7, 8, 8]).to_csv(folder / "c.csv", index=False)
    return {name: str(folder / f"{name}.csv") for name in "abc"}


def test_appended_files_follow_in_their_order(tmp_path: Path) -> None:
    """A unit goes on where its time does; another of the same name gets one of its own, which is said."""
    paths = three_files(tmp_path)
    data = read(tmp_path / "a.csv", append=(paths["b"], paths["c"]), group="u", time="t")
    assert data.group_names == ("1", "2", "b.csv:2", "7", "8")
    assert data.group.tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert data.y[:4].tolist() == [1.0, 2.0, 1.0, 2.0]
    assert any("b.csv: groups 2 are other units" in note for note in data.notes)


def test_without_times_a_known_name_is_another_unit(tmp_path: Path) -> None:
    """Nothing says that it goes on, so that no feature crosses the seam."""
    paths = three_files(tmp_path)
    data = read(tmp_path / "a.csv", append=(paths["b"],), group="u", ignore=("t",))
    assert data.group_names == ("1", "2", "b.csv:1", "b.csv:2")


def test_a_folder_is_appended_to_by_a_file_or_a_folder(tmp_path: Path) -> None:
    """Each file is one group, wherever it lies."""
    paths = three_files(tmp_path)
    (tmp_path / "first").mkdir()
    Path(paths["a"]).rename(tmp_path / "first" / "a.csv")
    data = read(tmp_path / "first", append=(paths["c"],), ignore=("u", "t"))
    assert data.group_names == ("a.csv", "c.csv")


@pytest.mark.parametrize(("other", "message"), [("a", "given twice"), ("d", "other columns than .*z")])
def test_what_cannot_be_appended_is_refused(tmp_path: Path, other: str, message: str) -> None:
    """A file twice, or with other columns."""
    paths = three_files(tmp_path)
    (tmp_path / "d.csv").write_text("u,t,x,y,z\n1,1,1,1,1\n")
    with pytest.raises(StudyError, match=message):
        read(Path(paths["a"]), append=(str(tmp_path / f"{other}.csv"),), group="u", time="t")


CELLS = (
    "1",
    "-2",
    "1.5",
    "",
    "+3",
    "1e5",
    "0x1A",
    "nan",
    "inf",
    "NA",
    "true",
    "12:30",
    "2024-01-01",
    " 7 ",
    "1,5",
    "٣",
)


@given(st.lists(st.tuples(st.sampled_from(CELLS), st.sampled_from(CELLS[:4])), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_columns_of_numbers_are_read_in_one_pass_with_the_same_result(
    tmp_path: Path, cells: list[tuple[str, str]]
) -> None:
    """As if every cell was looked at as text first, which a word for missing values makes necessary."""
    path = tmp_path / "a.csv"
    path.write_text("a;b;c\n" + "".join(f"{a};{b};{i}\n" for i, (a, b) in enumerate([*[("1", "2")] * 60, *cells])))

    def frame(na: tuple[str, ...]) -> pd.DataFrame | str:
        try:
            return Tabular().frames(DataSpec(path=str(path), na=na)).rows
        except StudyError as error:
            return str(error)

    one_pass, as_text = frame(()), frame(("no such cell",))
    if isinstance(one_pass, str) or isinstance(as_text, str):
        assert one_pass == as_text
    else:
        pd.testing.assert_frame_equal(one_pass, as_text)
