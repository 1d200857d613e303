"""One session of a run: search, measure the front again, test it, keep everything."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from cemai_opt.compose import Settled
from cemai_opt.core.errors import StudyError, TrialError
from cemai_opt.core.objective import objective_g, objective_unit, wanted_of
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import PRUNED, TrialResult
from cemai_opt.core.spending import Spending
from cemai_opt.core.units import readable_grams
from cemai_opt.engines import ENGINES, Engine
from cemai_opt.meters import RECORD, SAMPLE_EVERY_S, WORLD_G_PER_KWH, Audit, machine_idle
from cemai_opt.report import Footprint, RunFolder, RunRecord
from cemai_opt.search import (
    CONFIRM,
    DRIVER,
    FINAL,
    INTERRUPTED,
    LOST,
    OTHERS,
    Allowance,
    Confirmation,
    Exchange,
    Ledger,
    Search,
    SearchState,
    baseline_of,
    driver_of,
    open_database,
    open_study,
    outcome_of,
    spending_of,
)
from cemai_opt.search.samplers import Budget, sampler_named
from cemai_opt.stages import STAGES

NOTE_EVERY_S = 1.0
"""So often the joules of the whole run are noted."""
KEEP_EVERY_S = 30.0
"""So often front and summary are written during a search; trials are written one by one."""
CACHE = "cache"
"""Folder inside the run folder for what is not kept when the session ends: the stored data, stage results."""
STAGES_CACHE = "stages"
CONFIRM_ROUNDS = 3
"""A member that costs more than it seemed may leave the front to others, which are then measured in turn."""


class Session:
    """One session of a study in a run folder; a run that is there already goes on where it ended."""

    def __init__(
        self,
        settled: Settled,
        folder: RunFolder,
        on_result: Callable[[TrialResult, SearchState], None] = lambda result, state: None,
        on_phase: Callable[[str], None] = lambda phase: None,
        with_audit: bool = True,
        password: str | None = None,
    ) -> None:
        """`password` opens the study's storage where that is a database."""
        self._settled, self._study, self._folder = settled, settled.study, folder
        self._on_result, self._on_phase, self._with_audit = on_result, on_phase, with_audit
        self._password = password
        self._exchange: Exchange | None = None
        self._sampler = sampler_named(self._study.search.sampler)
        folder.check_usable(self._study)
        self._check_storage()
        measured, tested = folder.confirmed() if folder.holds_a_run else ({}, {})
        self._members = {CONFIRM: measured, FINAL: tested}
        """Front members as they were measured again, and as they were tested."""
        self._earlier = self._earlier_results()
        self._sessions = folder.summary()["footprint"]["sessions"] if folder.has_summary() else []
        self._ledger = Ledger(settled.meters, settled.start_j, self._earlier_spending())
        self._allowance = Allowance(settled.study, self._ledger, settled.start_s)
        self._kept_s = self._noted_s = time.monotonic()
        self._search: Search

    def run(self) -> RunRecord:
        """The finished record, which the folder holds as well. TrialError where no trial was complete."""
        self._folder.start(self._study, self._settled.lock())
        try:
            return self._held()
        finally:
            self._folder.release()

    def _held(self) -> RunRecord:
        """The same, while nobody else may write into the folder."""
        audit = Audit() if self._with_audit else None
        engine = ENGINES.require(self._study.engine.name).opened(self._study, self._folder.path.resolve() / CACHE)
        try:
            self._ledger.unseen_j = engine.unseen_j
            self._search = self._new_search(engine)
            ended = self._search.run()
            record = self._record(ended)
            self._folder.finish(record)  # the front is safe before its members are measured and trained once more
            self._on_phase(ended)
            if ended != INTERRUPTED:
                record = self._confirmed(record, engine)
        except KeyboardInterrupt:
            if not hasattr(self, "_search"):
                raise  # nothing has begun
            record = self._record(INTERRUPTED)
        finally:
            engine.close()
        footprint = self._footprint(audit)
        self._on_phase(footprint.audit_line())
        sessions = [*self._sessions, footprint.to_json(self._study.carbon)]
        record = replace(record, spent=self._ledger.spent(), footprints=sessions)
        self._folder.finish(record)
        shutil.rmtree(self._folder.path / CACHE, ignore_errors=True)
        _refuse_emptiness(record)
        return record

    def _check_storage(self) -> None:
        """StudyError where the run in the folder is kept in another storage than is asked for now."""
        if not self._folder.holds_a_run:
            return
        before, now = self._folder.study().search.storage, self._study.search.storage
        if before != now:
            raise StudyError(
                f"the run in {self._folder.path} is kept in {before or 'its own journal'}",
                f"go on with --storage {before}" if before else "leave --storage out, or choose another --out",
            )

    def _new_search(self, engine: Engine) -> Search:
        study = self._study
        budget = Budget(
            study.search.trials,
            study.seed,
            study.search.population,
            done=len(self._earlier),
            driver=driver_of(self._folder.path) if study.search.storage else "",
            wanted=wanted_of(study),
        )
        sampler = self._sampler.build(self._settled.space, budget)
        metrics = (study.score, objective_unit(study.objective))
        finished = {result.trial: outcome_of(study, result) for result in self._earlier}
        storage = open_database(study.search.storage, self._password) if study.search.storage else None
        optuna_study = open_study(self._folder.path, study.name, metrics, sampler, finished, storage)
        if self._earlier and max(r.trial for r in self._earlier) >= len(optuna_study.get_trials(deepcopy=False)):
            raise StudyError(
                f"{self._folder.path}: the storage knows fewer trials than trials.jsonl", "choose another --out"
            )
        if storage is not None:
            self._exchange = Exchange(optuna_study, storage, driver_of(self._folder.path))
            self._exchange.check_question({**self._question(), "space": self._settled.lock()})
            self._exchange.settle_own(finished)
        # what is worth keeping depends on the clock, so a run that is to be replayed exactly keeps nothing
        is_traced = RECORD in os.environ or not all(meter.is_live for meter in self._settled.meters)
        cache = (
            str(self._folder.path.resolve() / CACHE / STAGES_CACHE) if study.search.cache_mb and not is_traced else None
        )
        return Search(
            study,
            self._settled.space,
            optuna_study,
            engine,
            self._ledger,
            self._allowance,
            self._earlier,
            self._keep,
            budget,
            cache,
            self._exchange,
            self._tick,
        )

    def _question(self) -> dict[str, Any]:
        """What the drivers of a study have to agree on. The data is told by its digest, wherever it lies."""
        question = self._study.question()
        for key in ("path", "test"):
            question["data"].pop(key)
        return question

    def _tick(self) -> None:
        """Notes now and then what was spent, so that a kill does not make the run look cheaper than it was."""
        if time.monotonic() - self._noted_s >= NOTE_EVERY_S:
            self._noted_s = time.monotonic()
            self._folder.keep_spent(self._ledger.total_j() - self._ledger.others_j)

    def _keep(self, result: TrialResult, state: SearchState) -> None:
        """Writes a finished trial, and now and then what else is known, so that a kill loses next to nothing."""
        self._folder.append(self._study, result, self._ledger.driver_j())
        self._tick()
        if self._settled.live is not None:
            self._settled.live.sample(SAMPLE_EVERY_S)
        if time.monotonic() - self._kept_s >= KEEP_EVERY_S:
            self._folder.finish(self._record("still running"))
            self._kept_s = time.monotonic()
        self._on_result(result, state)

    def _confirmed(self, record: RunRecord, engine: Engine) -> RunRecord:
        """The record with front members measured again and tested."""
        on_run = partial(self._folder.append_run, self._study)
        space = self._settled.space
        confirmation = Confirmation(
            self._study,
            space,
            engine,
            self._ledger,
            self._on_phase,
            on_run,
            self._allowance,
            self._known_member,
            self._keep_member,
            self._tick,
        )
        for _ in range(CONFIRM_ROUNDS):
            record = replace(record, results=confirmation.measured_again(record.results, record.front))
        self._folder.finish(replace(record, spent=self._ledger.spent()))
        front = record.front
        first = [front.knee, front.best, front.within(self._study.search.tolerance)] if len(front) else []
        members = list(dict.fromkeys(point.trial for point in (*first, *front)))
        baseline = baseline_of(space, record.points, record.results)
        asked = members if baseline is None or baseline in members else [*members, baseline]
        return replace(record, baseline=baseline, finals=confirmation.tested(record.results, asked))

    def _known_member(self, why: str, trial: int) -> TrialResult | None:
        """A front member as it was measured or tested before, here or by another driver."""
        return self._members[why].get(trial) or (self._exchange.member(why, trial) if self._exchange else None)

    def _keep_member(self, why: str, result: TrialResult) -> None:
        """Writes what was found out about a front member, so that a kill does not cost it."""
        self._members[why][result.trial] = result
        self._folder.confirm(self._members[CONFIRM], self._members[FINAL])
        if self._exchange is not None:
            self._exchange.post_member(why, result)

    def _record(self, ended: str) -> RunRecord:
        return RunRecord(
            study=self._study,
            results=[self._members[CONFIRM].get(result.trial, result) for result in self._search.results],
            finals=self._members[FINAL],
            spent=self._ledger.spent(),
            footprints=self._sessions,
            ended=ended,
            notes=self._settled.notes,
        )

    def _earlier_results(self) -> Sequence[TrialResult]:
        """Results of earlier sessions, front members with their repeated measurements. StudyError where what was
        searched is not what is to be searched now."""
        if not self._folder.holds_a_run:
            return ()
        before, now = self._folder.space(), self._settled.lock()
        if before.get("data_digest") != now["data_digest"]:
            raise StudyError(f"the data has changed since the run in {self._folder.path}", "choose another --out")
        if before != now:
            raise StudyError(
                f"the search space has changed since the run in {self._folder.path}", "choose another --out"
            )
        return [self._members[CONFIRM].get(result.trial, result) for result in self._folder.results()]

    def _earlier_spending(self) -> list[Spending]:
        """Joules of earlier sessions; those of trials from the trials themselves, which are never behind.

        What a killed session had spent beyond what it could write down is told by its last note of the total.
        """
        folder = self._folder
        trials = folder.results() if folder.holds_a_run else []
        anew = {*(result.state for result in trials), DRIVER, OTHERS}
        known = [s for s in folder.spending() if s.entry not in anew] + [s for r in trials for s in spending_of(r)]
        driver_j = sum(s.energy_j for s in folder.spending() if s.entry == DRIVER)
        driver_j = max(driver_j, folder.last_driver_j() if trials else 0.0)
        rest_j = folder.last_spent_j() - math.fsum(s.energy_j for s in known)
        lost = [Spending(LOST, "", "", rest_j - driver_j)] if rest_j > driver_j else []
        return [*known, *lost, Spending(DRIVER, "", "", min(driver_j, rest_j) if rest_j > 0.0 else driver_j)]

    def _footprint(self, audit: Audit | None) -> Footprint:
        """What this session has drawn until now."""
        idle_w, idle_source = machine_idle()
        live, wall_s = self._settled.live, time.monotonic() - self._settled.start_s
        reading = audit.stop() if audit is not None else None
        if live is not None:
            live.sample()
        return Footprint(
            dynamic_j=self._ledger.session_j(),
            idle_j=idle_w * wall_s,
            wall_s=wall_s,
            intensity_g_per_kwh=live.mean() if live else self._study.carbon.intensity_g_per_kwh or WORLD_G_PER_KWH,
            idle_source=idle_source,
            audit_j=reading.energy_j if reading is not None else None,
            audit_method=reading.method if reading is not None else "",
        )


def _refuse_emptiness(record: RunRecord) -> None:
    """TrialError where there is no front, with the reason that most trials gave."""
    if len(record.front):
        return
    complete = [result for result in record.results if result.is_complete and result.score is not None]
    max_g = record.study.search.max_carbon_g
    if not complete and max_g is not None and any(result.state == PRUNED for result in record.results):
        raise TrialError(f"no pipeline costs less than {readable_grams(max_g)}", "give a larger --max-grams")
    if complete:
        best = max(result.score or 0.0 for result in complete)
        greenest_g = min(objective_g(record.study, result) for result in complete)
        raise TrialError(
            f"none of {len(complete)} pipelines keeps --max-grams and --min-score: the best scores {best:.3f}, "
            f"the greenest costs {readable_grams(greenest_g)}",
            "ask for less, or give more --trials; the run goes on with the same --out",
        )
    reasons = Counter(result.reason for result in record.results)
    if not reasons:
        raise TrialError(
            f"no trial was run ({record.ended})", "give more --trials, a longer --timeout or a larger --budget-grams"
        )
    (reason, count), *_ = reasons.most_common(1)
    raise TrialError(
        f"none of {len(record.results)} trials was complete; {count} failed so: {reason}", "see trials.jsonl"
    )


def run_config(settled: Settled, config: Config) -> TrialResult:
    """Runs one pipeline: trained on train + validation, scored on test, explained.

    Stages that a search space may skip run where the configuration names them; explaining is always done.
    """
    stages = tuple(
        name
        for name in settled.space.stages
        if name in config.stages or name == "explain" or not STAGES.find(name).is_optional
    )
    plan = TrialPlan(0, settled.study, config, "final", stages, folds=1)
    engine = ENGINES.require(settled.study.engine.name).opened(settled.study, None)
    try:
        return engine.run(plan).result()
    finally:
        engine.close()
