"""Records of measured pipelines, which can be carried to another machine and compared there."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict

from cemai_opt.core.errors import StudyError
from cemai_opt.core.measurement import Cost, JsonCost, Measurement, repeated
from cemai_opt.core.plan import JsonConfig
from cemai_opt.core.result import TrialResult
from cemai_opt.core.scores import maximised
from cemai_opt.core.seal import opened_json, sealed_json
from cemai_opt.core.serialization import RECORD, from_json, to_json
from cemai_opt.core.study import ResolvedCarbon, ResolvedStudy
from cemai_opt.runs.front_member import StageCost, stage_costs
from cemai_opt.runs.machine import Machine, library_versions, this_machine
from cemai_opt.runs.run_folder import RunFolder, write_file

FORMAT = 1
KIND = "cemai-opt measurements"
"""What the first key of a record says, by which it is told from other JSON files."""


@dataclass(frozen=True, kw_only=True)
class MeasuredPipeline:
    """A pipeline that was trained on training and validation rows and tested several times, `costs` one per time.

    `reason` says why there is no score.
    """

    __pydantic_config__: ClassVar[ConfigDict] = RECORD

    label: str
    config: JsonConfig
    score: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    costs: tuple[JsonCost, ...] = ()
    inference: tuple[Measurement, ...] = ()
    """Cost of 1,000 predictions, one per time."""
    importances: Mapping[str, float] = field(default_factory=dict)
    foreign_load: float = 0.0
    reason: str = ""

    @property
    def cost(self) -> Cost:
        """The mean of all times, with its uncertainty."""
        return repeated(self.costs) if self.costs else Cost()

    def with_result(self, result: TrialResult) -> MeasuredPipeline:
        """The pipeline, measured once more."""
        if not result.is_complete:
            return replace(self, reason=result.reason)
        return replace(
            self,
            score=result.score,
            metrics=dict(result.metrics),
            costs=(*self.costs, result.cost),
            inference=(*self.inference, *([result.inference] if result.inference is not None else [])),
            importances=dict(result.importances),
            foreign_load=max(self.foreign_load, result.foreign_load),
        )


@dataclass(frozen=True, kw_only=True)
class MeasuredRecord:
    """Pipelines of one study, measured on one machine. `label` names the machine, `case` is the name of the study."""

    __pydantic_config__: ClassVar[ConfigDict] = RECORD

    kind: str = KIND
    format: int = FORMAT
    label: str
    case: str
    data: str
    """Digest of the rows, on which the cost of a pipeline depends; empty if it is not known."""
    score: str
    task: str
    seed: int
    threads: int
    device: str
    carbon: ResolvedCarbon
    machine: Machine
    versions: Mapping[str, str]
    pipelines: tuple[MeasuredPipeline, ...]

    @staticmethod
    def of(study: ResolvedStudy, pipelines: Sequence[MeasuredPipeline], *, data: str, label: str) -> MeasuredRecord:
        """The record of pipelines measured here."""
        machine = this_machine()
        return MeasuredRecord(
            label=label or f"{machine.cpu}, {study.device}, {study.threads} thread{'s' if study.threads > 1 else ''}",
            case=study.name,
            data=data,
            score=maximised(study.score),
            task=study.task,
            seed=study.seed,
            threads=study.threads,
            device=study.device,
            carbon=study.carbon,
            machine=machine,
            versions=library_versions(),
            pipelines=tuple(pipelines),
        )

    @staticmethod
    def of_run(folder: RunFolder) -> MeasuredRecord:
        """The front members of a run as they were tested once, greenest first. StudyError if none was."""
        study, summary, tested = folder.study(), folder.summary(), {r.trial: r for r in folder.members().tested}
        pipelines = [
            MeasuredPipeline(label=f"{member.trial} {member.model}", config=member.config).with_result(
                tested[member.trial]
            )
            for member in folder.front().members
            if member.trial in tested
        ]
        if not pipelines:
            raise StudyError(f"no member of the run in {folder.path} was tested", "resume it, or give it a budget")
        return replace(
            MeasuredRecord.of(study, pipelines, data="", label=summary.machine.cpu),
            machine=summary.machine,
            versions=summary.versions,
        )

    @property
    def sources(self) -> list[str]:
        """Where the energy was read, each once."""
        found = (row.source for pipeline in self.pipelines for cost in pipeline.costs for row in cost.rows)
        return list(dict.fromkeys(found))

    def write(self, path: Path) -> None:
        """Writes the record; an earlier one is replaced, any other file is not. StudyError if it cannot be written."""
        if path.exists() and path.stat().st_size:
            MeasuredRecord.read(path)  # StudyError if it is something else
        write_file(path, sealed_json(json.dumps(to_json(self), allow_nan=False)) + "\n")

    @staticmethod
    def read(path: Path) -> MeasuredRecord:
        """The record in a file. StudyError if it holds another thing, is damaged, or comes from a later version."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise StudyError(f"cannot read {path}: {error}", "`table` and `run --out` write records") from error
        try:
            document = json.loads(opened_json(text))
            if not isinstance(document, dict) or document.get("kind") != KIND:
                raise StudyError(f"{path} holds no measurements", "`table` and `run --out` write some")
            if int(document["format"]) > FORMAT:
                raise StudyError(f"{path} was written by a later version", "update cemai-opt")
            return from_json(MeasuredRecord, document)
        except (ValueError, KeyError, TypeError) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
            raise StudyError(f"{path} is damaged ({reason})", "measure it again") from error


@dataclass(frozen=True, kw_only=True)
class EmissionRow:
    """One row of a table of emissions: a pipeline with its score and the cost of each stage; `stages` add up to it."""

    label: str
    score: float | None
    metrics: Mapping[str, float]
    stages: Mapping[str, StageCost]
    per_1000_g: float | None
    reason: str = ""

    @property
    def total(self) -> StageCost:
        """The sum of all stages; their uncertainties are correlated, so they add up."""
        costs = list(self.stages.values())
        return StageCost(
            energy_j=math.fsum(cost.energy_j for cost in costs),
            carbon_g=math.fsum(cost.carbon_g for cost in costs),
            uncertainty_g=math.fsum(cost.uncertainty_g for cost in costs),
            duration_s=math.fsum(cost.duration_s for cost in costs),
        )

    @staticmethod
    def of(pipeline: MeasuredPipeline, carbon: ResolvedCarbon) -> EmissionRow:
        """The row of a measured pipeline."""
        joules = [measurement.total_j for measurement in pipeline.inference]
        return EmissionRow(
            label=pipeline.label,
            score=pipeline.score,
            metrics=pipeline.metrics,
            stages=stage_costs(carbon, pipeline.cost),
            per_1000_g=carbon.grams(math.fsum(joules) / len(joules)) if joules else None,
            reason=pipeline.reason,
        )
