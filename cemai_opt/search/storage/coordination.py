"""Exchanges results between the drivers of one study, through the storage that they share."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from cemai_opt.core.errors import StudyError
from cemai_opt.core.result import TrialResult
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.search.storage.study import Finished, end_abandoned

if TYPE_CHECKING:
    from cemai_opt.search.storage.database import PatientStorage

CLAIM, RESULT, DRIVER_J = "cemai:claim", "cemai:result", "cemai:driver_j"
"""User attributes: driver and digest of a running trial; result of a finished one, and what its driver has spent."""
SETTINGS = "cemai:question"
"""User attribute of the study: the data, options and search space that all drivers must share."""
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
HEARTBEAT_S = 10.0
"""Interval of heartbeats; docs/cluster.md describes the consequences."""


class StudyCoordinator:
    """One driver's view of a shared study. A driver has the same name in every session of its run."""

    def __init__(
        self,
        study: optuna.Study,
        storage: PatientStorage,
        *,
        driver: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._study, self._storage, self._driver, self._clock = study, storage, driver, clock
        self._last_beat_s = -HEARTBEAT_S

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """StudyError if the data, options or search space of the study differ from those of this driver."""
        asked = self._study.user_attrs.get(SETTINGS)
        if asked is None:
            self._study.set_user_attr(SETTINGS, settings)
        elif asked != json.loads(json.dumps(settings)):
            raise StudyError(
                f"the storage holds a study {self._study.study_name!r} with other data, options or search space",
                "all drivers of a study must share them; give this study another name",
            )

    def end_own_abandoned(self, finished: Finished) -> None:
        """Ends the trials that this driver was running when an earlier session of it died."""
        for trial in self._study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            if _claim(trial).get("driver") == self._driver:
                end_abandoned(self._study, trial.number, finished=finished)

    def claim(self, trial: optuna.Trial, digest: str) -> bool:
        """Claims a pipeline for this driver; False if another driver is running it, or has run it."""

        def claimed() -> bool:
            others = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING, *FINISHED))
            if any(_claim(other).get("digest") == digest and _has_run(other) for other in others):
                return False
            trial.set_user_attr(CLAIM, {"driver": self._driver, "digest": digest})
            self._storage.record_heartbeat(self._study.study_name, trial.number)
            return True

        return self._storage.exclusively(self._study.study_name, claimed)

    def elsewhere(self) -> list[FrozenTrial]:
        """Trials that other drivers are running."""
        running = self._study.get_trials(deepcopy=False, states=[TrialState.RUNNING])
        return [t for t in running if CLAIM in t.user_attrs and _claim(t)["driver"] != self._driver]

    def attributes_of(self, result: TrialResult, driver_j: float) -> dict[str, Any]:
        """The user attributes that publish a finished trial to other drivers."""
        return {RESULT: to_json(result), DRIVER_J: {self._driver: driver_j}}

    def new_results(self, known: Container[int]) -> list[TrialResult]:
        """Results of other drivers that are not among the `known` trial numbers."""
        finished = self._study.get_trials(deepcopy=False, states=FINISHED)
        fresh = [t for t in finished if t.number not in known and RESULT in t.user_attrs]
        return [replace(from_json(TrialResult, t.user_attrs[RESULT]), trial=t.number) for t in fresh]

    def post_member(self, why: str, result: TrialResult) -> None:
        """Publishes the result of a front member that was measured again or tested."""
        self._study.set_user_attr(f"cemai:{why}:{result.trial}", to_json(result))

    def member(self, why: str, trial: int) -> TrialResult | None:
        """The result of a front member that another driver has published, if any."""
        document = self._study.user_attrs.get(f"cemai:{why}:{trial}")
        return None if document is None else from_json(TrialResult, document)

    def drivers_j(self) -> float:
        """Joules that other drivers have spent outside their trials, as published with their latest ones."""
        spent_j: dict[str, float] = {}
        finished = self._study.get_trials(deepcopy=False, states=FINISHED)
        for trial in sorted(finished, key=lambda trial: trial.datetime_complete or datetime.min):
            spent_j |= trial.user_attrs.get(DRIVER_J, {})
        return sum(energy_j for driver, energy_j in spent_j.items() if driver != self._driver)

    def beat(self, running: Iterable[optuna.Trial]) -> None:
        """Sends heartbeats of these trials at intervals, and ends trials whose drivers have died."""
        if self._clock() - self._last_beat_s < HEARTBEAT_S:
            return
        self._last_beat_s = self._clock()
        for trial in running:
            self._storage.record_heartbeat(self._study.study_name, trial.number)
        self._storage.fail_stale_trials(self._study.study_name)


def driver_of(folder: Path) -> str:
    """The name of the driver whose run folder this is."""
    return f"{platform.node()}:{folder.resolve()}"


def _has_run(trial: FrozenTrial) -> bool:
    """Whether a claimed trial is running or has finished; neither is true of one whose driver died."""
    return trial.state == TrialState.RUNNING or RESULT in trial.user_attrs


def _claim(trial: FrozenTrial) -> dict[str, Any]:
    return dict(trial.user_attrs.get(CLAIM, {}))
