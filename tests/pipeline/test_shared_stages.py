"""Results of stages that trials share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cemai_opt.core.batch import Batch
from cemai_opt.core.hyperparameters import Value
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.pipeline import Recorder
from cemai_opt.pipeline import cache as stage_cache
from cemai_opt.pipeline.cache import StageCache
from cemai_opt.pipeline.recorder import CACHE
from cemai_opt.pipeline.shared_stages import SharedStages
from cemai_opt.stages import STAGES
from cemai_opt.testing.batches import batch_of

NAMES = ("profile", "clean", "featurize")


@pytest.fixture(autouse=True)
def kept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages of a few milliseconds are stored, too."""
    monkeypatch.setattr(stage_cache, "MIN_GAIN_S", -1.0)
    monkeypatch.setattr(stage_cache, "LOAD_BYTES_PER_S", np.inf)


def rows(seed: int = 0) -> Batch:
    """Two hundred rows of three values."""
    X = np.random.default_rng(seed).normal(size=(200, 3))
    return batch_of(X, X[:, 0])


def trial(folder: Path, before: Batch, digest: str = "rows", **params: dict[str, Value]) -> tuple[Batch, int, Recorder]:
    """The batch after the three stages of one trial, how many of them were found, and what was recorded."""
    recorder = Recorder([CpuTime(watts=1.0)])
    shared = SharedStages(StageCache(folder, 10**8), digest, before=before, recorder=recorder)
    stages = []
    for name in NAMES:
        kind = STAGES.require(name)
        checked = kind.checked(name, params.get(name, {}), task=before.task.kind)
        stage = kind()
        stage.prepare(checked, before.task)
        stages.append((name, stage, checked))
        shared.add(name, stage, params=checked)
    batch, n_found = shared.found()
    for i, (name, stage, checked) in enumerate(stages[n_found:], n_found):
        with recorder.stage(name):
            batch = stage.run(batch, checked)
        shared.offer(i, batch)
    return batch, n_found, recorder


def test_a_second_trial_finds_what_the_first_one_stored(tmp_path: Path) -> None:
    """The same batch, and the same cost as if the stages had run; looking it up is spent, but charged to none."""
    first, n_first, ran = trial(tmp_path, rows(), featurize={"rolling": "mean_std_range"})
    second, n_second, found = trial(tmp_path, rows(), featurize={"rolling": "mean_std_range"})
    assert (n_first, n_second) == (0, 3)
    assert np.array_equal(first.X, second.X, equal_nan=True)
    assert first.names == second.names

    def charged(recorder: Recorder) -> dict[str, float]:
        return {row.stage: row.total_j for row in recorder.recording().cost.rows if row.stage in NAMES}

    assert charged(found) == pytest.approx(charged(ran))
    recording = found.recording()
    assert CACHE in [row.stage for row in recording.spent.rows]
    assert CACHE not in [row.stage for row in recording.cost.rows]
    assert not set(NAMES) & {row.stage for row in recording.spent.rows}


def test_what_is_equal_until_a_stage_is_shared_until_there(tmp_path: Path) -> None:
    """Other features share the cleaned rows; another cleaning shares only the profile."""
    trial(tmp_path, rows())
    assert trial(tmp_path, rows(), featurize={"rolling": "mean_std_range"})[1] == 2
    assert trial(tmp_path, rows(), clean={"missing": "median"})[1] == 1


def test_other_rows_share_nothing(tmp_path: Path) -> None:
    """Another data set, another split, another seed of the task."""
    trial(tmp_path, rows())
    before = rows()
    others = {
        "another": before,
        "rows": replace(before, is_train=np.roll(before.is_train, 7)),
    }
    for digest, batch in others.items():
        assert trial(tmp_path, batch, digest)[1] == 0
    seeded = replace(before, task=replace(before.task, seed=1))
    assert trial(tmp_path, seeded)[1] == 0
    assert trial(tmp_path, before)[1] == 3
