"""The log of updates, and what an auditor finds in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.deploy.unit_errors import UnitErrors
from cemai_opt.updating.log import KEPT, LOG, REPLACED, UpdateEntry, UpdateLog
from cemai_opt.updating.policy import Drift


def entry(outcome: str = KEPT) -> UpdateEntry:
    """One update."""
    errors = UnitErrors(loss="squared", sums=(1.0, 2.5), rows=(3, 4))
    return UpdateEntry(
        number=0,
        time="2026-11-28T00:00:00+00:00",
        product="cemai-opt",
        data="/new.csv",
        data_digest="abc",
        data_sha256="fed",
        rows=7,
        score=0.5,
        score_name="r2",
        errors=errors,
        expected=errors,
        drift=Drift(ratio=1.0, low=0.5, high=None),
        gains={"refit": 0.1},
        expected_j={"refit": 2.0},
        choice="keep",
        reason="no drift",
        outcome=outcome,
        held_out=None,
        energy_j={"check": 0.1},
        carbon_g=1e-5,
        uncertainty_g=1e-6,
        model="def",
    )


def written(folder: Path, *outcomes: str) -> UpdateLog:
    """A log with entries of these outcomes, appended one by one."""
    log = UpdateLog()
    for outcome in outcomes:
        log = log.with_entry(entry(outcome))
        log.append_last(folder)
    return log


def test_what_is_appended_is_read_again(tmp_path: Path) -> None:
    """Numbered from 1; without a file there is none."""
    assert UpdateLog.read(tmp_path) == UpdateLog()
    log = written(tmp_path, KEPT, REPLACED, KEPT, KEPT)
    assert UpdateLog.read(tmp_path) == log
    assert [each.number for each in log.entries] == [1, 2, 3, 4]
    assert [each.number for each in log.since_made] == [3, 4]
    assert log.last_made == log.entries[1]


def test_a_line_that_a_crash_cut_off_is_not_an_entry(tmp_path: Path) -> None:
    """The next entry takes its place."""
    log = written(tmp_path, KEPT)
    with (tmp_path / LOG).open("a") as stream:
        stream.write('{"number": 2')
    assert UpdateLog.read(tmp_path) == log
    log.with_entry(entry()).append_last(tmp_path)
    assert len(UpdateLog.read(tmp_path).entries) == 2


@pytest.mark.parametrize("fault", ["changed", "missing", "swapped", "garbage"])
def test_any_change_is_found(tmp_path: Path, fault: str) -> None:
    """A figure, an entry that is gone, the order."""
    written(tmp_path, KEPT, KEPT, KEPT)
    lines = (tmp_path / LOG).read_text().splitlines()
    if fault == "changed":
        lines[1] = json.dumps({**json.loads(lines[1]), "carbon_g": 0.0})
    if fault == "missing":
        del lines[1]
    if fault == "swapped":
        lines[0], lines[1] = lines[1], lines[0]
    if fault == "garbage":
        lines[1] = "{}"
    (tmp_path / LOG).write_text("\n".join(lines) + "\n")
    with pytest.raises(StudyError, match="was changed"):
        UpdateLog.read(tmp_path)
