"""A journal that one process writes, in Optuna's own format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from cemai_opt.search.storage.journal import OwnJournal

DISTRIBUTIONS: dict[str, optuna.distributions.BaseDistribution] = {
    "x": optuna.distributions.FloatDistribution(0.0, 1.0),
    "kind": optuna.distributions.CategoricalDistribution(("a", "b")),
}


def study_in(backend: Any) -> optuna.Study:
    """The study of a journal."""
    return optuna.create_study(
        storage=JournalStorage(backend), study_name="s", load_if_exists=True, sampler=optuna.samplers.RandomSampler(0)
    )


def run_three(study: optuna.Study) -> None:
    """A complete trial, a failed one and one that is running; nested values in attributes."""
    for state in (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.FAIL, None):
        trial = study.ask(DISTRIBUTIONS)
        trial.set_user_attr("result", {"scores": (0.5, None), "text": "ü"})
        if state is not None:
            study.tell(trial, 0.25 if state.is_finished() and state.name == "COMPLETE" else None, state=state)


def shown(study: optuna.Study) -> list[tuple[object, ...]]:
    """What trials hold, without their times."""
    return [(t.number, t.state, t.values, t.params, t.user_attrs) for t in study.get_trials()]


def test_optuna_reads_what_was_written(tmp_path: Path) -> None:
    """During a run and later, and the writer sees what a reader sees."""
    study = study_in(OwnJournal(tmp_path / "journal"))
    run_three(study)
    assert shown(study_in(JournalFileBackend(str(tmp_path / "journal")))) == shown(study)
    assert shown(study_in(OwnJournal(tmp_path / "journal"))) == shown(study)
    assert [trial.user_attrs["result"]["scores"] for trial in study.trials] == [[0.5, None]] * 3


def test_what_others_append_is_read(tmp_path: Path) -> None:
    """A dashboard's notes come between entries of the search; nothing is read twice."""
    own = study_in(OwnJournal(tmp_path / "journal"))
    other = study_in(JournalFileBackend(str(tmp_path / "journal")))
    run_three(own)
    other.set_user_attr("note", "by hand")
    run_three(own)
    assert own.user_attrs == {"note": "by hand"}
    assert [trial.number for trial in own.trials] == list(range(6))
    assert shown(other) == shown(own)


def test_a_line_that_another_has_not_finished_waits(tmp_path: Path) -> None:
    """It is read when it is whole."""
    backend = OwnJournal(tmp_path / "journal")
    with (tmp_path / "journal").open("a") as other:
        other.write('{"a": 1}\n{"b"')
        other.flush()
        assert list(backend.read_logs(0)) == [{"a": 1}]
        other.write(": 2}\n")
    assert list(backend.read_logs(1)) == [{"b": 2}]
    assert list(backend.read_logs(2)) == []
    assert list(backend.read_logs(0)) == [{"a": 1}, {"b": 2}]


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that does not fit is an error, and no part of it stays."""
    backend, write = OwnJournal(tmp_path / "journal"), os.write
    backend.append_logs([{"a": 1}])
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:4]))
    with pytest.raises(OSError, match="full"):
        backend.append_logs([{"b": 2}])
    monkeypatch.undo()
    backend.append_logs([{"c": 3}])
    assert list(backend.read_logs(0)) == [{"a": 1}, {"c": 3}]


def test_results_are_on_disk_before_anything_else_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of a trial, and trials that are added whole; parameters of a running one are not waited for."""
    study, flushed = study_in(OwnJournal(tmp_path / "journal")), []
    monkeypatch.setattr(os, "fsync", lambda file: flushed.append(os.fstat(file).st_size))
    trial = study.ask(DISTRIBUTIONS)
    assert flushed == []
    trial.set_user_attr("result", 1)
    assert flushed == [(tmp_path / "journal").stat().st_size]
    study.add_trial(optuna.trial.create_trial(value=1.0, user_attrs={"result": 2}))
    assert len(flushed) == 2
