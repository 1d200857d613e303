"""The Optuna study of a run, after its process has died."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from cemai_opt.core.errors import StudyError
from cemai_opt.search.storage import JOURNAL, open_study, read_journal
from cemai_opt.search.storage.study import EMPTY, Finished, quiet_optuna
from cemai_opt.testing.searches import METRICS, STUDY, run_search


def opened(folder: Path, finished: Finished = EMPTY) -> optuna.Study:
    """The study in `folder`, as a new session opens it."""
    sampler = optuna.samplers.RandomSampler(seed=0)
    return open_study(folder, STUDY, metrics=METRICS, sampler=sampler, finished=finished)


def test_what_dies_with_its_owner_is_tried_again_once(tmp_path: Path) -> None:
    """Its parameters are in line again after the first death, and not after the second: it may be what kills."""
    distribution = {"x": optuna.distributions.IntDistribution(0, 9)}
    params = []
    for n_waiting in (1, 0):
        params.append(opened(tmp_path).ask(distribution).params)
        states = Counter(trial.state.name for trial in opened(tmp_path).get_trials(deepcopy=False))
        assert states["RUNNING"] == 0
        assert states["WAITING"] == n_waiting
    assert params[0] == params[1]


def test_what_was_pruned_or_failed_is_not_tried_again(tmp_path: Path) -> None:
    """A trial that had finished before its owner died, unknown to Optuna, ends as it had ended."""
    study = opened(tmp_path)
    for _ in range(2):
        study.ask({"x": optuna.distributions.IntDistribution(0, 9)})
    again = opened(tmp_path, {0: (TrialState.PRUNED, None), 1: (TrialState.FAIL, None)})
    assert [trial.state for trial in again.get_trials()] == [TrialState.PRUNED, TrialState.FAIL]


def test_a_finished_trial_that_optuna_does_not_know_yet_becomes_known(tmp_path: Path) -> None:
    """A kill between writing a result and reporting it leaves a trial running; it gets its values on resume."""
    run_search(tmp_path, trials=10)
    begun = opened(tmp_path).ask()
    again = opened(tmp_path, {begun.number: (TrialState.COMPLETE, (0.7, 0.1))})
    assert again.trials[begun.number].values == [0.7, 0.1]


def test_what_a_killed_writer_left_is_repaired(tmp_path: Path) -> None:
    """Its lock and its partial last line are removed; the trials before them stay."""
    run_search(tmp_path, trials=5)
    journal = tmp_path / JOURNAL
    before = [trial.params for trial in opened(tmp_path).trials]
    with journal.open("a") as stream:
        stream.write('{"op_code": 4, "wor')
    journal.with_name(JOURNAL + ".lock").symlink_to(journal)
    assert [trial.params for trial in opened(tmp_path).trials] == before
    assert not journal.with_name(JOURNAL + ".lock").is_symlink()


def test_a_damaged_journal_is_one_message(tmp_path: Path) -> None:
    """Not a traceback of Optuna's."""
    (tmp_path / JOURNAL).write_text("no journal\n")
    with pytest.raises(StudyError, match=f"{JOURNAL} is damaged"):
        opened(tmp_path)


def test_a_folder_without_a_journal_cannot_be_read(tmp_path: Path) -> None:
    """And none is created."""
    with pytest.raises(StudyError, match=f"holds no {JOURNAL}"):
        read_journal(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_opening_leaves_optuna_as_talkative_as_it_was(tmp_path: Path) -> None:
    """Its messages are off only while a study is opened."""
    verbosity = optuna.logging.get_verbosity()
    with quiet_optuna():
        assert optuna.logging.get_verbosity() == optuna.logging.ERROR
    opened(tmp_path)
    assert optuna.logging.get_verbosity() == verbosity
