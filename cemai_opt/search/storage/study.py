"""Opens the Optuna study of a run, in its folder or in a database that several drivers share."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from cemai_opt.core.errors import StudyError
from cemai_opt.core.files import drop_partial_line
from cemai_opt.search.storage.indexed import IndexedStorage
from cemai_opt.search.storage.journal import OwnJournal

if TYPE_CHECKING:
    from optuna.storages import RetryHeartbeatStaleTrialCallback

Finished = Mapping[int, tuple[TrialState, Sequence[float] | None]]
"""State and objective values of finished trials, by number."""
EMPTY: Finished = {}
JOURNAL = "optuna.journal"
"""A journal file costs a driver less than SQLite does: docs/decisions/engines.md has the figures."""


def open_study(
    folder: Path,
    name: str,
    *,
    metrics: Sequence[str],
    sampler: BaseSampler,
    finished: Finished = EMPTY,
    storage: BaseStorage | None = None,
) -> optuna.Study:
    """The study in `storage`, by default the journal in `folder`; created if there is none yet.

    In a journal, trials that a dead process left running end as given in `finished`, or fail and are retried.
    StudyError if the storage cannot be read.
    """
    journal = folder.resolve() / JOURNAL  # absolute: its lock links to this path, and working directories change
    try:
        if storage is None:
            _repair(journal)
        with quiet_optuna():
            study = optuna.create_study(
                storage=storage or IndexedStorage(JournalStorage(OwnJournal(journal))),
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
            end_abandoned(study, trial.number, finished=finished)
    return study


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keeps Optuna's messages below errors off the terminal, and restores its verbosity afterwards."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def read_journal(folder: Path) -> BaseStorage:
    """The journal of a run, for readers: nothing is repaired, because a search may be running."""
    journal = folder.resolve() / JOURNAL
    if not journal.is_file():
        raise StudyError(f"{folder} holds no {JOURNAL}", "start a search with `optimize`")
    return JournalStorage(JournalFileBackend(str(journal)))


@cache
def _retry_callback() -> RetryHeartbeatStaleTrialCallback:
    from optuna.storages import RetryHeartbeatStaleTrialCallback

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return RetryHeartbeatStaleTrialCallback(max_retry=1)


def retry_once(study: optuna.Study, trial: FrozenTrial) -> None:
    """Enqueues the parameters of a trial again, but only once: the trial itself may be what kills its process."""
    bare = copy.copy(trial)
    bare.user_attrs = {}  # the driver and result of this try do not apply to the next one
    _retry_callback()(study, bare)


def end_abandoned(study: optuna.Study, number: int, *, finished: Finished = EMPTY) -> None:
    """Ends a trial whose process has died: as given in `finished`, or as failed, with its parameters enqueued again."""
    state, values = finished.get(number, (TrialState.FAIL, None))
    frozen = study.tell(number, values, state=state)
    if number not in finished and (frozen.params or "fixed_params" in frozen.system_attrs):
        retry_once(study, frozen)


def _repair(journal: Path) -> None:
    """Removes the lock and partial last line that a killed writer left. The caller has locked the run folder."""
    journal.with_name(journal.name + ".lock").unlink(missing_ok=True)
    if journal.is_file():
        drop_partial_line(journal)
