"""Folders that do not fit into memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.compose import prepare
from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.core.study import StudySpec
from cemai_opt.datasets import _sampling
from cemai_opt.datasets.tabular import Tabular

N_FILES, N_ROWS = 16, 500


@pytest.fixture(params=["csv", "parquet", "csv.gz"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Sixteen files of 500 rows and two columns."""
    place = tmp_path / "data"
    place.mkdir()
    rng = np.random.default_rng(0)
    for i in range(N_FILES):
        frame = pd.DataFrame({"x": rng.normal(size=N_ROWS), "y": rng.normal(size=N_ROWS)})
        path = place / f"f{i:02d}.{request.param}"
        frame.to_parquet(path) if request.param == "parquet" else frame.to_csv(path, index=False)
    return place


def test_rows_are_estimated_without_reading_them(folder: Path) -> None:
    """Exactly where the file says it, else from the length of its lines."""
    path = next(iter(folder.iterdir()))
    found = _sampling.size_of(path)
    assert found.rows == pytest.approx(N_ROWS, rel=0.05)
    assert found.cells == pytest.approx(2 * found.rows)


def test_a_folder_larger_than_memory_is_sampled_and_that_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole files, always the same ones; the study keeps the number, so that a resumed run reads the same rows."""
    cells = sum(_sampling.size_of(path).cells for path in folder.iterdir())
    monkeypatch.setattr(_sampling, "free_bytes", lambda: int(cells * _sampling.BYTES_PER_VALUE))
    study = StudySpec(data=DataSpec(path=str(folder), target="y"))
    prepared = prepare(study)
    assert prepared.study.data.sample_rows is not None
    assert len(prepared.data.group_names) == N_FILES // 2
    assert len(prepared.data.y) == N_FILES // 2 * N_ROWS
    assert any(f"{N_FILES // 2} of the {N_FILES} files of data are read" in note for note in prepared.notes)
    monkeypatch.setattr(_sampling, "free_bytes", lambda: int(0.9 * cells * _sampling.BYTES_PER_VALUE))
    assert prepare(study).study.data.sample_rows != prepared.study.data.sample_rows
    again = prepare(study.model_copy(update={"data": prepared.study.data}))
    assert again.data.digest == prepared.data.digest
    monkeypatch.setattr(_sampling, "free_bytes", lambda: 10**12)
    assert prepare(study).study.data.sample_rows is None


def test_as_many_rows_as_wanted(folder: Path) -> None:
    """At least five files; a number above all is all."""
    for wanted, files in ((1, 5), (3600, 7), (10**6, N_FILES)):
        frames = Tabular().frames(DataSpec(path=str(folder), target="y", sample_rows=wanted))
        assert frames.rows["file"].nunique() == files


def test_a_file_that_is_too_large_is_an_error_before_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to do is said; the machine is not driven out of memory."""
    monkeypatch.setattr(_sampling, "free_bytes", lambda: 1000)
    path = next(iter(folder.iterdir()))
    with pytest.raises(StudyError, match=r"GB of memory, and .* are free .*one file for each group"):
        prepare(StudySpec(data=DataSpec(path=str(path), target="y")))
