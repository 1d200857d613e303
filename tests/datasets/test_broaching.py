"""The PHM 2010 challenge as its own files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import Dataset
from cemai_opt.datasets.broaching import CHANNELS, Broaching


def read(folder: Path) -> Dataset:
    """All cutters."""
    return Broaching().read(DataSpec(path=str(folder)), "regression")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two cutters with two cuts of ten samples, of which four make a row."""
    monkeypatch.setattr("cemai_opt.datasets.broaching.BLOCK_ROWS", 4)
    for cutter in ("c1", "c4"):
        (tmp_path / cutter).mkdir()
        (tmp_path / cutter / f"{cutter}_wear.csv").write_text("cut,flute_1,flute_2,flute_3\n1,40,50,45\n2,60,55,50\n")
        for cut in (1, 2):
            samples = np.tile(np.arange(10.0)[:, None] * cut, (1, len(CHANNELS)))
            name = f"c_{cutter[1:]}_{cut:03d}.csv"
            np.savetxt(tmp_path / cutter / name, samples, delimiter=",", fmt="%g")
    return tmp_path


def test_a_row_holds_root_mean_squares_of_a_block(folder: Path) -> None:
    """In the order of the cuts; the wear is that of the worst flute in millimetres."""
    data = read(folder)
    assert data.group_names == ("c1", "c4")
    assert data.names == CHANNELS
    first = data.X[data.group == 0, 0]
    blocks = [np.arange(10.0)[start : start + 4] for start in (0, 4, 8)]
    assert first[:3] == pytest.approx([np.sqrt(np.mean(block**2)) for block in blocks])
    assert first[3:] == pytest.approx(2 * first[:3])
    assert data.y[data.group == 0].tolist() == [0.05] * 3 + [0.06] * 3
    assert (np.diff(data.order[data.group == 0]) > 0).all()


def test_a_folder_that_is_not_complete_is_refused(folder: Path) -> None:
    """The file is named."""
    (folder / "c4" / "c_4_003.csv").write_text("1,2,3,4,5,6,7\n")
    with pytest.raises(StudyError, match="cut 3 has no wear"):
        read(folder)
    (folder / "c4" / "c_4_003.csv").unlink()
    (folder / "c4" / "c_4_002.csv").write_text("1,2\n")
    with pytest.raises(StudyError, match="has 2 columns, not 7"):
        read(folder)
    (folder / "c4" / "c_4_002.csv").write_text("1,2,x,4,5,6,7\n")
    with pytest.raises(StudyError, match=r"cannot read .*c_4_002\.csv"):
        read(folder)
    for file in (folder / "c4").glob("c_4_*.csv"):
        file.unlink()
    with pytest.raises(StudyError, match="c4 holds no file of a cut"):
        read(folder)
