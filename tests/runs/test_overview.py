"""The list of runs in a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.runs import RunFolder
from cemai_opt.runs.overview import UNFINISHED, UNREADABLE, overviews_in
from cemai_opt.runs.run_folder import FRONT as FRONT_FILE
from cemai_opt.runs.run_folder import TRIALS
from cemai_opt.testing.searches import space_of, study_of
from tests.results import FRONT, run_of


def run_in(path: Path, *, age_s: float) -> RunFolder:
    """A run that has trials but no front yet."""
    folder = RunFolder(path)
    with folder.writing(study_of(), space_of(("ridge",)).locked("")):
        folder.append(study_of(), FRONT[1])
    os.utime(path / TRIALS, (1e9 - age_s, 1e9 - age_s))
    return folder


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    """With state, and the recommended pipeline of those that have one; a damaged front spoils only its own line."""
    done, damaged = (run_in(tmp_path / name, age_s=age) for name, age in (("done", 3.0), ("damaged", 2.0)))
    run_in(tmp_path / "begun", age_s=1.0)
    for folder in (done, damaged):
        folder.finish(run_of(*FRONT, ended="4 trials are done"))
    (damaged.path / FRONT_FILE).write_text("{")
    listed = overviews_in(tmp_path)
    assert [(run.name, run.state) for run in listed] == [
        ("begun", UNFINISHED), ("damaged", UNREADABLE), ("done", "4 trials are done"),
    ]  # fmt: skip
    assert (listed[2].model, listed[2].validation, listed[2].carbon_g) == ("decision_tree", 0.8, 2.0)


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    """And an empty one has no runs."""
    assert overviews_in(tmp_path) == []
    with pytest.raises(StudyError, match="no folder"):
        overviews_in(tmp_path / "none")


def test_a_run_itself_is_listed(tmp_path: Path) -> None:
    """Somebody may name it instead of the folder that it is in."""
    run_in(tmp_path / "begun", age_s=1.0)
    assert [run.name for run in overviews_in(tmp_path / "begun")] == ["begun"]
