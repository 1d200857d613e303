"""Opens the Optuna study of a run, in its folder or in a database that several drivers share."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import optuna
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, JournalStorage, RetryHeartbeatStaleTrialCallback
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from cemai_opt.core.errors import StudyError

Finished = Mapping[int, tuple[TrialState, Sequence[float] | None]]
EMPTY: Finished = {}
JOURNAL = "optuna.journal"
"""A journal file costs a driver less than SQLite does: docs/decisions/engines.md has the figures."""
RETRY_HISTORY = "retry_history"
"""System attribute that Optuna's callback gives to a trial which is tried again."""
with warnings.catch_warnings():
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    _retry = RetryHeartbeatStaleTrialCallback(max_retry=1)


def open_study(
    folder: Path,
    name: str,
    metrics: Sequence[str],
    sampler: BaseSampler,
    finished: Finished = EMPTY,
    storage: BaseStorage | None = None,
) -> optuna.Study:
    """The study in `storage`, by default the journal in `folder`; made where there is none yet.

    In a journal, trials that a dead owner left running end as `finished` knows by number, or fail and are tried again.
    StudyError where the storage cannot be read.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    journal = folder.resolve() / JOURNAL  # whole: the lock is a link to this path, wherever a later process stands
    try:
        if storage is None:
            _mend(journal)
        study = optuna.create_study(
            storage=storage or JournalStorage(JournalFileBackend(str(journal))),
            study_name=name,
            sampler=sampler,
            directions=["maximize", "minimize"],
            load_if_exists=True,
        )
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise StudyError(f"{journal} is damaged ({type(error).__name__}: {error})", "choose another --out") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(list(metrics))
    if storage is None:
        for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            settle(study, trial.number, finished)
    return study


def read_journal(folder: Path) -> BaseStorage:
    """The journal of a run, for who only looks on: nothing is mended, for a search may be running."""
    journal = folder.resolve() / JOURNAL
    if not journal.is_file():
        raise StudyError(f"{folder} holds no {JOURNAL}", "let `optimize` begin")
    return JournalStorage(JournalFileBackend(str(journal)))


def try_again(study: optuna.Study, trial: FrozenTrial) -> None:
    """Puts the parameters of a trial in line once more, but not a second time: it may be what kills its owners."""
    bare = copy.copy(trial)
    bare.user_attrs = {}  # who ran it, and what came of it, is not true of the next try
    _retry(study, bare)


def settle(study: optuna.Study, number: int, finished: Finished = EMPTY) -> None:
    """Ends a trial whose owner is gone: as `finished` knows it, or as failed, with its parameters in line once more."""
    state, values = finished.get(number, (TrialState.FAIL, None))
    frozen = study.tell(number, values, state=state)
    if number not in finished and (frozen.params or "fixed_params" in frozen.system_attrs):
        try_again(study, frozen)


def _mend(journal: Path) -> None:
    """Takes away what a killed writer leaves: its lock, and a line without its end. The caller holds the run folder."""
    journal.with_name(journal.name + ".lock").unlink(missing_ok=True)
    if journal.is_file():
        whole, newline, torn = journal.read_bytes().rpartition(b"\n")
        if torn:
            os.truncate(journal, len(whole + newline))
