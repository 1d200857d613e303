"""Which files are read."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._files import Source, table_of
from cemai_opt.datasets._schema import TextFormat


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files, a hidden one, and one that is no table."""
    for name in ("b.csv", "a.csv", ".hidden.csv"):
        (tmp_path / name).write_text(f"x,y\n{len(name)},1\n")
    (tmp_path / "README.md").write_text("about")
    return tmp_path


def test_a_folder_holds_each_file_once(folder: Path) -> None:
    """Links to files of it, compressed copies, links that lead nowhere; other kinds and subfolders are named."""
    (folder / "sub").mkdir()
    assert Source.at(folder).notes == (f"not read in {folder.name}: README.md, sub/",)
    for name, make, says in (
        ("c.csv", lambda path: path.symlink_to(folder / "a.csv"), "the same rows"),
        ("a.csv.gz", lambda path: path.write_bytes(gzip.compress((folder / "a.csv").read_bytes())), "the same rows"),
        ("d.csv", lambda path: path.symlink_to(folder / "nothing"), "leads nowhere"),
    ):
        make(folder / name)
        with pytest.raises(StudyError, match=says):
            Source.at(folder)
        (folder / name).unlink()


def test_words_for_no_value_are_null_in_every_column(folder: Path) -> None:
    """A quoted empty cell is a label unless it is named; an empty cell is not."""
    (folder / "a.csv").write_text('x,y\n"",1\n,2\nNA,3\n')
    for words, wanted in (((), ["", None, "NA"]), (("",), [None, None, "NA"]), (("", "NA"), [None, None, None])):
        table, _ = table_of(folder / "a.csv", TextFormat(na=words))
        assert table.column("x").to_pylist() == wanted
