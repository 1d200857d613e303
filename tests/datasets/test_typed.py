"""Columns of tables get one type in all files."""

from __future__ import annotations

import pyarrow as pa
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._typed import Typing, frames_of, strings_of


def tables(*columns: pa.Array) -> dict[str, pa.Table]:
    """A table of a file for each column x."""
    return {f"{i}.parquet": pa.table({"x": column}) for i, column in enumerate(columns)}


def test_types_that_agree_are_brought_together() -> None:
    """Whole numbers with others, moments of other units, columns without any value."""
    whole, real = pa.array([1, 2]), pa.array([0.5])
    assert [frame["x"].tolist() for frame in frames_of(tables(whole, real), Typing())] == [[1.0, 2.0], [0.5]]
    moments = [pa.array([1], pa.timestamp(unit)) for unit in ("s", "ns")]
    assert [str(frame["x"].dtype) for frame in frames_of(tables(*moments), Typing())] == ["datetime64[ns]"] * 2
    written = pa.array(["7", "n/a"])
    assert [frame["x"].dropna().tolist() for frame in frames_of(tables(written, real), Typing())] == [[7.0], [0.5]]
    empty = pa.nulls(2)
    assert [len(frame["x"].dropna()) for frame in frames_of(tables(empty, real), Typing())] == [0, 1]


@pytest.mark.parametrize(
    "columns",
    [
        (pa.array(["a"]), pa.array([1.5])),
        (pa.array([2**53 + 1]), pa.array([0.5])),
        (pa.array([1], pa.timestamp("s")), pa.array([1], pa.timestamp("s", "UTC"))),
    ],
)
def test_types_that_lose_something_are_refused(columns: tuple[pa.Array, ...]) -> None:
    """With the files that they are in."""
    with pytest.raises(StudyError, match=r"column 'x' is .* in 0\.parquet, .* in 1\.parquet"):
        frames_of(tables(*columns), Typing())


def test_words_are_counted_over_all_files() -> None:
    """And a column that is known to be text stays text."""
    typing = Typing(exact=("t",))
    table = pa.table({"x": ["1", "NA"], "t": ["01", "NA"], "n": [1, 2]})
    assert strings_of(table).column_names == ["x", "t"]
    for _ in range(2):
        (frame,) = frames_of({"a.csv": table}, typing)
    assert frame["t"].tolist() == ["01", "NA"]
    assert typing.notes() == ["column 'x' is numeric: 2 x 'NA' taken as missing"]
