"""One session of a run: searches, measures the front again, tests it and stores everything."""

from __future__ import annotations

import logging
import math
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cemai_opt.carbon import SAMPLE_EVERY_S, Audit, LowCarbonGate
from cemai_opt.compose import PreparedStudy
from cemai_opt.core.errors import StudyError
from cemai_opt.core.objective import objective_unit
from cemai_opt.core.result import ScoredRows, TrialResult
from cemai_opt.core.scores import maximised
from cemai_opt.core.serialization import to_json
from cemai_opt.engines import ENGINES, Engine
from cemai_opt.meters import RECORD, machine_idle
from cemai_opt.pipeline import hides_extrapolation
from cemai_opt.runs import RunFolder, RunRecord
from cemai_opt.runs.footprint import Footprint
from cemai_opt.runs.forecast import Forecast, peak_memory_bytes, slowness_here
from cemai_opt.runs.power_log import PowerLog
from cemai_opt.runs.recommendation import recommendations_of, yearly_use
from cemai_opt.runs.test_rows import TestRows, never_predicted
from cemai_opt.search import (
    INTERRUPTED,
    OTHERS,
    Averaging,
    Budget,
    Events,
    Ledger,
    Remeasurement,
    Search,
    SearchContext,
    SearchState,
    baseline_of,
    bounded_of,
    contenders,
    outcome_of,
    untuned_of,
)
from cemai_opt.search.prior import Prior
from cemai_opt.search.samplers import SamplerContext, sampler_named
from cemai_opt.search.storage import open_study
from cemai_opt.session.earlier import check_same_trials, earlier_sessions, in_space_of_run, was_finished
from cemai_opt.session.empty_front import refuse_empty_front
from cemai_opt.session.waiting import Waiting

if TYPE_CHECKING:
    from cemai_opt.search.storage.coordination import StudyCoordinator
    from cemai_opt.search.storage.database import PatientStorage

NOTE_EVERY_S = 1.0
"""How often the joules of the whole run are recorded."""
WRITE_EVERY_S = 30.0
"""How often front and summary are written during a search; trials are written one by one."""
SCRATCH = "cache"
"""Folder inside the run folder for temporary files of a session: the stored data, stage results."""
STAGE_RESULTS = "stages"

log = logging.getLogger(__name__)


def forecast_of(prepared: PreparedStudy) -> Forecast:
    """What a new run of the study will take."""
    return Forecast.of(prepared.study, prepared.data.X.shape, slowness=slowness_here())


class Session:
    """One session of a study in a run folder; a run that already exists there is resumed."""

    def __init__(
        self,
        prepared: PreparedStudy,
        folder: RunFolder,
        *,
        events: Events | None = None,
        with_audit: bool = True,
        password: str | None = None,
        set_aside_j: float = 0.0,
        gate: LowCarbonGate | None = None,
    ) -> None:
        """`password` is that of the study's storage, if the storage is a database.

        `set_aside_j`: joules of the budget that the caller spends after the run. `gate`: opens for each pipeline.
        """
        self._set_aside_j = set_aside_j
        self._study, self._folder = prepared.study, folder
        self._events, self._with_audit, self._password = events or Events(), with_audit, password
        self._sampler = sampler_named(self._study.search.sampler)
        folder.check_usable(self._study)
        self._check_storage()
        self._prior = Prior.of([RunFolder(Path(run)) for run in self._study.search.warm_start], self._study)
        self._prepared = in_space_of_run(prepared, folder)
        self._earlier = earlier_sessions(self._prepared, folder)
        self._was_finished = was_finished(folder, confirm=self._study.search.confirm)
        self._ledger = Ledger(prepared.meters, prepared.start_j, earlier=self._earlier.ledger)
        self._forecast = None if self._earlier.results else forecast_of(prepared)
        self._waiting = Waiting(
            gate,
            forecast=self._forecast,
            start_s=prepared.start_s,
            spent_j=self._ledger.session_j,
            announce=self.announce,
        )
        self._search: Search | None = None
        self._test_rows: Mapping[int, ScoredRows] = {}
        self._power = PowerLog(prepared.meters) if all(meter.is_live for meter in prepared.meters) else None
        self._written_s = self._noted_s = time.monotonic()

    def run(self) -> RunRecord:
        """The finished record, which is also written to the folder. TrialError if no trial was complete."""
        from threadpoolctl import threadpool_limits

        one_thread = threadpool_limits(limits=1)  # others would wait for work in loops; trials have their own limits
        with self._folder.writing(self._study, self._prepared.locked_space), one_thread:
            return self._run()

    def _run(self) -> RunRecord:
        for note in dict.fromkeys(self._folder.damaged):
            self.announce(note)
        if self._forecast is not None:
            self.announce(self._forecast.text)
        if self._prior.members:
            n_known = f"{len(self._prior.members)} configurations and {len(self._prior.costs)} costs"
            self.announce(f"warm start from {n_known} of {', '.join(self._study.search.warm_start)}")
        audit = Audit() if self._with_audit else None
        scratch = self._folder.path.resolve() / SCRATCH
        engine = ENGINES.require(self._study.engine.name).opened(self._study, scratch)
        try:
            self._ledger.unseen_j = engine.unseen_j
            engine = self._waiting.gated(engine)
            context = self._context(engine)
            self._search = Search(context, earlier=self._earlier.results)
            ended = self._search.run()
            record = self._record(ended)
            self._folder.finish(record)  # writes the front before its members are measured and trained once more
            self.announce(ended)
            if ended != INTERRUPTED:
                record = self._with_final_measurements(record, context)
        except KeyboardInterrupt:
            if self._search is None:
                raise  # nothing has started
            record = self._record(INTERRUPTED)
        finally:
            engine.close()
            shutil.rmtree(scratch, ignore_errors=True)
        footprint = self._footprint(audit)
        self.announce(footprint.audit_line())
        record = replace(record, spent=self._ledger.spent(), footprints=[*self._earlier.footprints, footprint])
        for note in (*never_predicted(self._test_rows, self._prepared.data.classes), *self._waiting.notes()):
            self.announce(note)
            record = replace(record, notes=(*record.notes, note))
        if self._forecast is not None and record.ended != INTERRUPTED:
            record = self._compared_with(self._forecast, record)
        self._folder.finish(record)
        self._keep_test_rows()
        self._note_power()
        own = [row.energy_j for row in record.spent if row.entry != OTHERS]
        self._folder.keep_spent(math.fsum(own))  # the last note may be a second old; a resumed run starts from it
        refuse_empty_front(record)
        return record

    def _compared_with(self, forecast: Forecast, record: RunRecord) -> RunRecord:
        """The record with a note on how right the forecast was."""
        note = forecast.compared(
            carbon_g=record.spent_g,
            duration_s=self._waiting.active_s(),
            memory_bytes=peak_memory_bytes(self._study),
        )
        self.announce(note)
        return replace(record, notes=(*record.notes, note))

    def announce(self, text: str) -> None:
        """Logs and reports that a new phase begins."""
        log.info("%s", text)
        self._events.on_phase(text)

    def _check_storage(self) -> None:
        """StudyError if the run in the folder uses another storage than the one given now."""
        if not self._folder.holds_a_run:
            return
        before, now = self._folder.study().search.storage, self._study.search.storage
        if before != now:
            raise StudyError(
                f"the run in {self._folder.path} is stored in {before or 'its own journal'}",
                f"resume it with --storage {before}" if before else "leave --storage out, or choose another --out",
            )

    def _context(self, engine: Engine) -> SearchContext:
        """The objects that search and remeasurement share."""
        study, folder = self._study, self._folder
        storage, driver = self._opened_storage()
        sampler = SamplerContext(
            trials=study.search.trials,
            seed=study.seed,
            population=study.search.population,
            done=len(self._earlier.results),
            driver=driver,
            constraints=study.constraints,
        )
        finished = {result.trial: outcome_of(study, result) for result in self._earlier.results}
        optuna_study = open_study(
            folder.path,
            study.name,
            metrics=(maximised(study.score), objective_unit(study.objective)),
            sampler=self._sampler.build(self._prepared.space, sampler),
            finished=finished,
            storage=storage,
        )
        check_same_trials(folder, optuna_study, finished=finished, is_shared=storage is not None)
        coordinator: StudyCoordinator | None = None
        if storage is not None:
            from cemai_opt.search.storage.coordination import StudyCoordinator

            coordinator = StudyCoordinator(optuna_study, storage, driver=driver)
            coordinator.check_settings(self._comparable_settings())
            coordinator.end_own_abandoned(finished)
        return SearchContext(
            study=study,
            space=self._prepared.space,
            engine=engine,
            ledger=self._ledger,
            budget=Budget(
                study, self._ledger, start_s=0.0, clock=self._waiting.active_s, set_aside_j=self._set_aside_j
            ),
            optuna_study=optuna_study,
            sampler=sampler,
            events=_SessionEvents(self),
            coordinator=coordinator,
            cache=self._cache_folder(),
            confirm_folds=self._prepared.confirm_folds,
            n_inputs=len(self._prepared.data.names),
            portfolio=self._prepared.portfolio,
            prior=self._prior,
        )

    def _opened_storage(self) -> tuple[PatientStorage | None, str]:
        """The database that drivers share, and this driver's name; None and an empty name if there is none."""
        if not self._study.search.storage:
            return None, ""
        from cemai_opt.search.storage.coordination import driver_of
        from cemai_opt.search.storage.database import open_database  # loads SQLAlchemy

        return open_database(self._study.search.storage, self._password), driver_of(self._folder.path)

    def _cache_folder(self) -> str | None:
        """Folder of shared stage results. What is cached depends on the clock, so a traced run has no cache."""
        is_traced = RECORD in os.environ or not all(meter.is_live for meter in self._prepared.meters)
        if not self._study.search.cache_mb or is_traced:
            return None
        return str(self._folder.path.resolve() / SCRATCH / STAGE_RESULTS)

    def _comparable_settings(self) -> dict[str, Any]:
        """What the drivers of a study must have in common. The data is identified by its digest, not by its path."""
        settings = self._study.comparable_settings()
        for key in ("path", "append", "test"):
            settings["data"].pop(key)
        return {**settings, "space": to_json(self._prepared.locked_space)}

    def note_spent(self) -> None:
        """Records at intervals what was spent, so that a killed run does not look cheaper than it was."""
        if time.monotonic() - self._noted_s >= NOTE_EVERY_S:
            self._noted_s = time.monotonic()
            self._folder.keep_spent(self._ledger.own_j())
            self._note_power()

    def _note_power(self) -> None:
        """Adds a row to the log of power, unless readings come from a trace."""
        if self._power is not None:
            self._folder.append_power(self._power.row())

    def keep_result(self, result: TrialResult, state: SearchState) -> None:
        """Writes a finished trial, and front and summary at intervals, so that a kill loses hardly anything."""
        self._folder.append(self._study, result, driver_j=self._ledger.driver_j())
        self.note_spent()
        if self._prepared.live is not None:
            self._prepared.live.sample(SAMPLE_EVERY_S)
        if time.monotonic() - self._written_s >= WRITE_EVERY_S:
            self._folder.finish(self._record("still running"))
            self._written_s = time.monotonic()
        self._events.on_result(result, state)

    def keep_run(self, why: str, result: TrialResult) -> None:
        """Writes the emissions of a run that measured or tested a front member."""
        self._folder.append_run(self._study, result, why=why)
        self._events.on_run(why, result)

    def _with_final_measurements(self, record: RunRecord, context: SearchContext) -> RunRecord:
        """The record with the scores and costs of front candidates confirmed, and the members tested."""
        remeasurement = Remeasurement(context, self._earlier.members)
        untuned = untuned_of(record.results, space=context.space, portfolio=context.portfolio)
        is_unsure = hides_extrapolation(self._prepared.data, self._study.split)
        bounded = bounded_of(record.results, untuned) if is_unsure else []
        baseline = partial(baseline_of, untuned=untuned, bounded=bounded, dummy=self._prepared.dummy)
        if self._was_finished and len(record.results) == len(self._earlier.results):
            self.announce("nothing has changed since the front was measured: --trials or --confirm ask for more")
            return replace(record, baseline=baseline(record.results))
        candidates = contenders(
            record.points,
            models={result.trial: result.model for result in record.results},
            untuned=untuned,
            bounded=bounded,
            tolerance=self._study.search.tolerance,
            is_explored=bool(self._study.split.explore_rows),
        )
        record = replace(record, results=remeasurement.confirmed(record.results, candidates))
        record = replace(
            record,
            baseline=baseline(record.results),
            spent=self._ledger.spent(),
        )
        self._folder.finish(record)
        front = record.pareto  # members that rules pick are tested first, in case the budget runs out
        asked = dict.fromkeys([*record.front.picks, *(point.trial for point in front)])
        if record.baseline is not None:
            asked[record.baseline] = None
        advice = recommendations_of(record.front, yearly_use(self._study.objective))
        recommended = dict.fromkeys([*(each.member.trial for each in advice), *record.front.picks])
        finals = remeasurement.tested(record.results, list(asked))
        averaging = Averaging(self._study, remeasurement, members=self._earlier.members)
        average = averaging.best(front, record.results, finals=finals)
        record = replace(record, finals={**self._earlier.members.tested, **finals}, average=average)
        if record.average is not None:
            self.announce(record.average_line)
        self._test_rows = remeasurement.known_test_rows(recommended)
        return record

    def _keep_test_rows(self) -> None:
        """Writes test rows of the pipelines that are recommended, for pictures of their errors."""
        if self._test_rows:
            data = self._prepared.data
            rows = TestRows.of(self._test_rows, classes=data.classes, group_names=data.group_names)
            self._folder.keep_test_rows(rows)

    def _record(self, ended: str) -> RunRecord:
        assert self._search is not None, "there is no record before the search"
        measured = self._earlier.members.measured
        return RunRecord(
            study=self._study,
            results=[measured.get(result.trial, result) for result in self._search.results],
            finals=self._earlier.members.tested,
            average=self._earlier.members.average,
            spent=self._ledger.spent(),
            footprints=self._earlier.footprints,
            ended=ended,
            notes=self._prepared.notes,
            dummy=self._prepared.dummy,
        )

    def _footprint(self, audit: Audit | None) -> Footprint:
        """The footprint of this session until now."""
        idle_w, idle_source = machine_idle()
        live, wall_s = self._prepared.live, time.monotonic() - self._prepared.start_s
        reading = audit.stop() if audit is not None else None
        why_none = audit.failure if audit is not None else ""
        if live is not None:
            live.sample()
        return Footprint.of(
            self._study.carbon,
            dynamic_j=self._ledger.session_j(),
            idle_j=idle_w * wall_s,
            wall_s=wall_s,
            intensity_g_per_kwh=live.mean() if live else self._study.carbon.intensity_g_per_kwh,
            idle_source=idle_source,
            audit_j=reading.energy_j if reading is not None else None,
            audit_method=reading.method if reading is not None else why_none,
        )


class _SessionEvents(Events):
    """Writes events to the run folder, then passes them on."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def on_result(self, result: TrialResult, state: SearchState) -> None:
        self._session.keep_result(result, state)

    def on_phase(self, text: str) -> None:
        self._session.announce(text)

    def on_run(self, why: str, result: TrialResult) -> None:
        self._session.keep_run(why, result)

    def on_tick(self) -> None:
        self._session.note_spent()
