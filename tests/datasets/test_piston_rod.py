"""C-MAPSS as NASA publishes it, and as a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import Dataset
from cemai_opt.datasets.piston_rod import COLUMNS, PistonRod


def read(path: Path, test: Path | None = None) -> Dataset:
    """The engines, with the lives of those that were not run to failure."""
    return PistonRod().read(DataSpec(path=str(path), test=None if test is None else str(test)), "regression")


def engines(*lives: int) -> str:
    """Lines as NASA writes them, two blanks at the end."""
    rng = np.random.default_rng(0)
    rows = [[unit + 1, cycle + 1, *rng.normal(size=24).round(4)] for unit, n in enumerate(lives) for cycle in range(n)]
    return "".join(" ".join(map(str, row)) + "  \n" for row in rows)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two engines run to failure, two others with 5 and 200 cycles left."""
    train, test = tmp_path / "train_FD009.txt", tmp_path / "test_FD009.txt"
    train.write_text(engines(3, 130))
    test.write_text(engines(2, 1))
    (tmp_path / "RUL_FD009.txt").write_text("5 \n200 \n")
    return train, test


def test_lives_count_down_to_the_end_or_to_what_is_left(files: tuple[Path, Path]) -> None:
    """Clipped at 125 cycles; the test units come after the others."""
    data = read(*files)
    assert data.names == COLUMNS[1:]
    assert data.y[data.group == 0].tolist() == [2, 1, 0]
    assert data.y[data.group == 1].tolist() == [*[125.0] * 5, *range(124, -1, -1)]
    assert data.y[data.is_test].tolist() == [6, 5, 125]


def test_a_table_gives_the_same(files: tuple[Path, Path]) -> None:
    """As the files are found elsewhere, with a header and the life of each row."""
    import pandas as pd

    rows = np.loadtxt(files[0])
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"unit": int, "cycle": int})
    frame["RUL"] = frame.groupby("unit")["cycle"].transform("max") - frame["cycle"]
    frame.to_csv(files[0].with_suffix(".csv"), index=False)
    table, text = read(files[0].with_suffix(".csv")), read(files[0])
    assert np.array_equal(table.X, text.X)
    assert np.array_equal(table.y, text.y)


def test_files_that_do_not_belong_together_are_refused(files: tuple[Path, Path]) -> None:
    """With the line, or with the file that is missing."""
    train, test = files
    test.with_name("RUL_FD009.txt").write_text("5\n")
    with pytest.raises(StudyError, match="has 2 units, its file of lives 1"):
        read(train, test)
    test.with_name("RUL_FD009.txt").unlink()
    with pytest.raises(StudyError, match=r"there is no file .*RUL_FD009\.txt"):
        read(train, test)
    train.write_text(engines(2) + "1 2 3\n")
    with pytest.raises(StudyError, match="line 3 has 3 numbers, not 26"):
        read(train)
    train.write_text("unit cycle\n")
    with pytest.raises(StudyError, match="line 1: could not convert"):
        read(train)
