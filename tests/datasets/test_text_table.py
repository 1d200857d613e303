"""CSV files are read cell by cell as they were written, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._schema import TextFormat
from cemai_opt.datasets._text_table import BLOCK_BYTES, MAX_COLUMNS, TextFile


def read(folder: Path, content: bytes | str, **form: str) -> tuple[dict[str, list[str | None]], tuple[str, ...]]:
    """The cells by column, and the notes."""
    path = folder / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table, notes = TextFile.opened(path, TextFormat(**form)).table()  # type: ignore[arg-type]  # separators, encodings
    return table.to_pydict(), notes


@pytest.mark.parametrize("text", ["001", "NA", " x ", "1e5", "TRUE", "1,5", "nan", "ü"])
def test_a_cell_is_as_it_was_written(tmp_path: Path, text: str) -> None:
    """Nothing is converted, stripped or dropped; an empty cell is null, a quoted empty one is not."""
    cells, notes = read(tmp_path, f'a;b;c\n{text};;""\n')
    assert cells == {"a": [text], "b": [None], "c": [""]}
    assert notes == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    """Those with a mark are found out, others have to be given."""
    given = {} if encoding in ("utf-8", "utf-8-sig", "utf-16") else {"encoding": encoding}
    assert read(tmp_path, "a,b\n1,ü\n".encode(encoding), **given)[0] == {"a": ["1"], "b": ["ü"]}
    if encoding == "latin-1":
        with pytest.raises(StudyError, match=r"is not in UTF-8 .*--encoding"):
            read(tmp_path, "a,b\n1,ü\n".encode(encoding))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a,b\n1,2\n3\n", r"row 1 has 1 fields, the header 2: '3'"),
        ("a,b\n1,2\n3,4,5\n", r"row 1 has 3 fields, the header 2"),
        ("a,b\n1,2\n3,4\n5", r"row 2 has 1 fields"),
        ('a,b\n1,"2\n3,4\n', "a quote is not closed"),
        ("a,b,a\n1,2,3\n", "column 'a' occurs twice"),
        ("a,,b\n1,2,3\n", "column 2 has no name"),
        ("a,b\n1,2\x00\n", "NUL bytes"),
        ("a;b,c\n1;2,5\n2;3,5\n", "may be separated by ',' or ';'"),
        ("a,b\n" + "x" * (BLOCK_BYTES + 9) + ",2\n", r"a row has \d+ characters"),
        ("a,b\n" + "1,2\n" * 100 + "x" * (3 * BLOCK_BYTES) + ",2\n", "longer than 8 MB"),
        (",".join(f"c{i}" for i in range(MAX_COLUMNS + 1)) + "\n1\n", "has 20001 columns"),
    ],
)
def test_what_is_not_a_whole_table_is_refused(tmp_path: Path, content: str, says: str) -> None:
    """With the row, and what to do."""
    with pytest.raises(StudyError, match=says):
        read(tmp_path, content)


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    """Row numbers, rows and columns without any value; a file that may have been cut off."""
    cells, notes = read(tmp_path, ",a,b,\n0,1,2,\n1,,5,\n2,3,4,\n")
    assert cells == {"a": ["1", None, "3"], "b": ["2", "5", "4"]}
    assert notes == ("a.csv: the first column has no name and numbers the rows: left out",)
    cells, notes = read(tmp_path, "a;b\n1;2\n;\n;\n3;4")
    assert cells == {"a": ["1", "3"], "b": ["2", "4"]}
    assert [note.split(": ", 1)[1][:30] for note in notes] == [
        "the last line does not end wit",
        "2 rows have no value at all an",
    ]


def test_pieces_are_the_table(tmp_path: Path) -> None:
    """Rows without a value are left out of them too."""
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "".join(f"{i},x\n,\n" for i in range(100)))
    file = TextFile.opened(path, TextFormat())
    parts = [row for table in file.batches() for row in table.to_pydict()["a"]]
    assert parts == file.table()[0].to_pydict()["a"] == [str(i) for i in range(100)]


def test_a_separator_that_was_given_is_taken(tmp_path: Path) -> None:
    """Whatever else the file holds."""
    content = "a;b,c\n1;2,5\n"
    assert read(tmp_path, content, sep=";")[0] == {"a": ["1"], "b,c": ["2,5"]}
    assert read(tmp_path, content, sep=",")[0] == {"a;b": ["1;2"], "c": ["5"]}
