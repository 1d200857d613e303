"""The score of a constant prediction is kept with the front."""

from __future__ import annotations

from pathlib import Path

from cemai_opt.runs import RunFolder
from cemai_opt.runs.dummy import DummyScore
from cemai_opt.testing.searches import space_of, study_of
from tests.results import FRONT, run_of


def test_a_front_keeps_it(tmp_path: Path) -> None:
    """And a front of an earlier version has none."""
    folder, dummy = RunFolder(tmp_path), DummyScore(prediction="the mean", validation=0.0, test=None)
    with folder.writing(study_of(), space_of(("ridge",)).locked("")):
        for known in (dummy, None):
            folder.finish(run_of(*FRONT, dummy=known))
            assert folder.front().dummy == known
