"""Stage results on disk: whole or not there, never more than asked for, never pickled."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cemai_opt.core.batch import Batch, Profile, Task
from cemai_opt.core.measurement import Measurement
from cemai_opt.pipeline.cache import ENTRY, StageCache, stage_key

MB = 10**6
ROW = Measurement(stage="clean", duration_s=0.5, cpu_s=0.5, energy_j={"cpu": 2.0}, uncertainty_j=0.1, source="test")


def batch(n_rows: int = 100) -> Batch:
    """Rows as they come."""
    X = np.arange(3.0 * n_rows).reshape(-1, 3)
    mask = np.ones(n_rows, bool)
    return Batch(
        task=Task(kind="regression", score="r2"),
        X=X,
        y=X[:, 0],
        group=np.zeros(n_rows, np.int64),
        is_train=mask,
        is_eval=~mask,
        names=("a", "b", "c"),
    )


def cleaned(before: Batch) -> Batch:
    """As a stage might leave them."""
    column = np.array([1.0, np.nan, 3.0])
    return replace(
        before.with_columns(before.X[:, :2] * 2, ("a", "b")),
        profile=Profile(missing=column, zeros=column, low=column, high=column, mean=column, notes=("one", "two")),
        train_rows=np.arange(5),
        target_shift=1.5,
        notes=("dropped c",),
    )


def test_a_batch_comes_back_as_it_was(tmp_path: Path) -> None:
    """Arrays bit for bit and mapped, numbers, words and the profile."""
    before, cache = batch(), StageCache(tmp_path, MB)
    after = cleaned(before)
    assert cache.keep("k", before, after=after, rows=[ROW], gain_s=1.0)
    hit = StageCache(tmp_path, MB).find("k", before)
    assert hit is not None
    assert hit.rows == (ROW,)
    assert np.array_equal(hit.batch.X, after.X)
    assert isinstance(hit.batch.X.base, np.memmap)
    assert not hit.batch.X.flags.writeable
    assert hit.batch.y is before.y
    assert (hit.batch.names, hit.batch.notes, hit.batch.target_shift) == (after.names, after.notes, 1.5)
    assert hit.batch.profile is not None
    assert after.profile is not None
    assert hit.batch.profile.notes == after.profile.notes
    assert np.array_equal(hit.batch.profile.missing, after.profile.missing, equal_nan=True)


def test_what_is_quickly_made_is_not_kept(tmp_path: Path) -> None:
    """Reading it back would cost more."""
    before = batch()
    assert not StageCache(tmp_path, MB).keep("k", before, after=cleaned(before), rows=[ROW], gain_s=1e-4)
    assert list(tmp_path.iterdir()) == []


def test_a_batch_with_a_model_is_not_kept(tmp_path: Path) -> None:
    """No pickle, so no objects."""
    before = batch()
    assert not StageCache(tmp_path, MB).keep("k", before, after=replace(before, model=object()), rows=[ROW], gain_s=9.0)


def test_the_folder_stays_within_its_size(tmp_path: Path) -> None:
    """What was not used for longest goes first."""
    before = batch(1000)
    after = before.with_columns(before.X + 1, before.names)
    cache = StageCache(tmp_path, 5 * after.X.nbytes)
    for i in range(12):
        assert cache.keep(f"k{i}", before, after=after, rows=[ROW], gain_s=1.0)
        os.utime(tmp_path / f"k{i}", (i, i))
    kept = {path.name for path in tmp_path.iterdir()}
    assert sum(f.stat().st_size for path in tmp_path.iterdir() for f in path.iterdir()) <= 5 * after.X.nbytes
    assert "k11" in kept
    assert "k0" not in kept


def test_who_has_an_entry_mapped_keeps_it(tmp_path: Path) -> None:
    """Another process may make room meanwhile."""
    import shutil

    before = batch()
    cache = StageCache(tmp_path, MB)
    cache.keep("k", before, after=cleaned(before), rows=[ROW], gain_s=1.0)
    hit = cache.find("k", before)
    shutil.rmtree(tmp_path / "k")
    assert hit is not None
    assert float(hit.batch.X.sum()) == float(cleaned(before).X.sum())
    assert cache.find("k", before) is None


@pytest.mark.parametrize("damage", ["{", ""])
def test_a_damaged_entry_is_a_miss(tmp_path: Path, damage: str) -> None:
    """A power cut may leave half a file."""
    before = batch()
    cache = StageCache(tmp_path, MB)
    cache.keep("k", before, after=cleaned(before), rows=[ROW], gain_s=1.0)
    (tmp_path / "k" / ENTRY).write_text(damage)
    assert cache.find("k", before) is None
    cache.keep("m", before, after=cleaned(before), rows=[ROW], gain_s=1.0)
    (tmp_path / "m" / "X.npy").write_bytes(b"\x93NUMPY")
    assert cache.find("m", before) is None


def test_what_a_killed_process_had_begun_is_swept_away(tmp_path: Path) -> None:
    """Its number belongs to no process any more; that of a living one stays."""
    (tmp_path / "tmp-999999999-1").mkdir()
    (tmp_path / f"tmp-{os.getpid()}-1").mkdir()
    StageCache(tmp_path, MB)
    assert [path.name for path in tmp_path.iterdir()] == [f"tmp-{os.getpid()}-1"]


def test_two_processes_that_keep_the_same_are_both_content(tmp_path: Path) -> None:
    """The second finds the first one's entry in place."""
    before = batch()
    first, second = StageCache(tmp_path, MB), StageCache(tmp_path, MB)
    assert first.keep("k", before, after=cleaned(before), rows=[ROW], gain_s=1.0)
    assert second.keep("k", before, after=cleaned(before), rows=[ROW], gain_s=1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["k"]
    assert json.loads((tmp_path / "k" / ENTRY).read_text())["values"]["target_shift"] == 1.5


def test_a_key_names_everything() -> None:
    """Another parameter, another order, another key."""
    assert stage_key("a", {"x": 1}) == stage_key("a", {"x": 1})
    assert len({stage_key("a", {"x": 1}), stage_key("a", {"x": 2}), stage_key({"x": 1}, "a")}) == 3


HAMMER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.pipeline.test_cache import ROW, batch
from cemai_opt.pipeline.cache import StageCache

before = batch(2000)
cache = StageCache(Path(sys.argv[1]), 20 * before.X.nbytes)
for i in range(10**9):
    number = (i * 7 + int(sys.argv[2])) % 40
    hit = cache.find(f"k{number}", before)
    if hit is not None:
        assert (hit.batch.X == before.X + number).all(), number
    else:
        after = before.with_columns(before.X + number, before.names)
        cache.keep(f"k{number}", before, after=after, rows=[ROW], gain_s=1.0)
"""


def test_several_processes_share_it_and_are_killed(tmp_path: Path) -> None:
    """Each reads only whole entries of its own key, whoever wrote them, and whenever that one was killed."""
    import subprocess
    import sys
    import time

    from tests.conftest import ROOT

    folder = tmp_path / "cache"
    folder.mkdir()

    def start(seed: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", HAMMER, str(folder), str(seed), str(ROOT)]
        return subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT)

    for round_ in range(3):
        hammers = [start(3 * round_ + k) for k in range(2)]
        deadline = time.monotonic() + 60.0
        while len(list(folder.glob("k*"))) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)
        for hammer in hammers:
            assert hammer.poll() is None, hammer.stderr.read().decode() if hammer.stderr else ""
            hammer.kill()
            hammer.wait()
    before = batch(2000)
    cache = StageCache(folder, 20 * before.X.nbytes)
    assert not list(folder.glob("tmp-*"))
    for entry in folder.iterdir():
        hit = cache.find(entry.name, before)
        assert hit is not None
        assert np.array_equal(hit.batch.X, before.X + int(entry.name[1:]))


def test_an_entry_that_lost_a_file_is_a_miss_and_is_made_anew(tmp_path: Path) -> None:
    """A missing array does not stand for "unchanged", and a damaged entry does not keep its name for ever."""
    before = batch()
    cache = StageCache(tmp_path, MB)
    cache.keep("k", before, after=cleaned(before), rows=[ROW], gain_s=1.0)
    (tmp_path / "k" / "X.npy").unlink()
    assert cache.find("k", before) is None
    assert cache.keep("k", before, after=cleaned(before), rows=[ROW], gain_s=1.0)
    hit = cache.find("k", before)
    assert hit is not None
    assert np.array_equal(hit.batch.X, cleaned(before).X)
    (tmp_path / "k" / ENTRY).write_text("[]")
    assert cache.find("k", before) is None
