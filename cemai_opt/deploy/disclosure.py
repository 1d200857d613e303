"""What a run, a front member or an exported model consumed, in the formats in which organisations disclose it.

BoAmps: Boavizta's JSON format for measurements of AI tasks (https://github.com/Boavizta/BoAmps, `model/`), by the data
classes of CodeCarbon. SCI: Software Carbon Intensity, ISO/IEC 21031:2024, (O + M) per R; here R is one prediction.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cemai_opt.core.codecarbon_package import quiet_codecarbon
from cemai_opt.core.errors import StudyError
from cemai_opt.core.study import ResolvedCarbon
from cemai_opt.core.units import J_PER_KWH
from cemai_opt.deploy.model_document import ModelDocument
from cemai_opt.meters import BY_WALL_METER, METERS
from cemai_opt.runs.footprint import G_PER_KG, SECONDS_PER_YEAR
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.machine import Machine, library_versions
from cemai_opt.runs.payback import PER_READING
from cemai_opt.runs.recommendation import yearly_use
from cemai_opt.runs.run_view import RunView

SPECIFICATION = "https://github.com/Boavizta/BoAmps/tree/main/model"
SCI = "ISO/IEC 21031:2024"
HIGH_QUALITY = 0.1
FAMILIES = {"regression": "tabular regression", "classification": "tabular classification"}


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Who discloses, and to whom."""

    name: str | None = None
    confidentiality: str = "public"


@dataclass(frozen=True, kw_only=True)
class _Task:
    """What was measured: a search, or the training of one model."""

    stage: str
    description: str
    energy_j: float
    duration_s: float | None
    algorithm: str
    kind: str
    score_name: str
    score: float | None
    sources: tuple[str, ...]
    project: str
    carbon: ResolvedCarbon
    data_path: str | None


def boamps_of_run(view: RunView, publisher: Publisher) -> dict[str, Any]:
    """The whole search as one BoAmps report."""
    knee = view.front.knee
    task = _Task(
        stage="training",
        description=f"automated search over {view.front.search.trials} pipelines, everything included",
        energy_j=view.summary.search.energy_j,
        duration_s=view.summary.footprint.wall_s or None,
        algorithm="AutoML (NSGA-II)",
        kind=view.study.task,
        score_name=view.front.score,
        score=None if knee is None else knee.test,
        sources=view.summary.carbon.sources,
        project=view.study.name,
        carbon=view.study.carbon,
        data_path=view.study.data.path,
    )
    return _boamps(task, machine=view.summary.machine, publisher=publisher)


def boamps_of_member(view: RunView, member: FrontMember, *, publisher: Publisher) -> dict[str, Any]:
    """One run of all stages of a front member as a BoAmps report."""
    task = _Task(
        stage="preprocessing+training",
        description=f"one run of {member.name}, mean of {max(member.repeats, 1)}",
        energy_j=member.retraining_g / view.study.carbon.grams(1.0),
        duration_s=member.duration_s,
        algorithm=member.model,
        kind=view.study.task,
        score_name=view.front.score,
        score=member.test,
        sources=view.summary.carbon.sources,
        project=view.study.name,
        carbon=view.study.carbon,
        data_path=view.study.data.path,
    )
    return _boamps(task, machine=view.summary.machine, publisher=publisher)


def boamps_of_model(document: ModelDocument, publisher: Publisher, *, data_path: str | None) -> dict[str, Any]:
    """The training of an exported model as a BoAmps report; its machine is known by name only."""
    training = document.training
    task = _Task(
        stage="training",
        description=f"training of the exported model on {training.host}",
        energy_j=training.energy_j,
        duration_s=None,
        algorithm=document.picked.model,
        kind=document.kind,
        score_name=document.test.score,
        score=document.test.value,
        sources=(training.source,),
        project=document.study,
        carbon=document.carbon,
        data_path=data_path,
    )
    return _boamps(task, machine=None, publisher=publisher)


def _boamps(task: _Task, *, machine: Machine | None, publisher: Publisher) -> dict[str, Any]:
    with quiet_codecarbon():
        from codecarbon.output_methods.boamps import models

    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    versions = library_versions()
    carbon = task.carbon
    report = models.BoAmpsReport(
        header=models.BoAmpsHeader(
            format_version_specification_uri=SPECIFICATION,
            report_id=str(uuid.uuid4()),
            report_datetime=now,
            report_status="final",
            publisher=models.BoAmpsPublisher(
                name=publisher.name, project_name=task.project, confidentiality_level=publisher.confidentiality
            ),
        ),
        task=models.BoAmpsTask(
            task_stage=task.stage,
            task_family=FAMILIES[task.kind],
            algorithms=[
                models.BoAmpsAlgorithm(
                    training_type="supervisedLearning",
                    algorithm_name=task.algorithm,
                    framework="cemai-opt",
                    framework_version=versions.get("cemai-opt"),
                )
            ],
            dataset=[
                models.BoAmpsDataset(data_usage="input", data_type="tabular", data_format=_format_of(task.data_path))
            ],
            measured_accuracy=task.score if task.score is not None and 0.0 <= task.score <= 1.0 else None,
            task_description=f"{task.description}; measuredAccuracy is {task.score_name} on test rows",
        ),
        measures=[
            models.BoAmpsMeasure(
                measurement_method="cemai-opt",
                version=versions.get("cemai-opt"),
                cpu_tracking_mode=", ".join(task.sources),
                power_consumption=task.energy_j / J_PER_KWH,
                measurement_duration=task.duration_s,
                measurement_date_time=now,
            )
        ],
        system=None if machine is None else models.BoAmpsSystem(os=machine.system),
        software=models.BoAmpsSoftware(language="python", version=None if machine is None else machine.python),
        infrastructure=models.BoAmpsInfrastructure(
            infra_type="publicCloud" if carbon.cloud else "other",
            cloud_provider=carbon.cloud.split("/")[0] if carbon.cloud else None,
            components=[
                models.BoAmpsHardware(
                    component_type="cpu", component_name=None if machine is None else machine.cpu, nb_component=1
                )
            ],
        ),
        environment=_environment(carbon),
        quality=_quality(task.sources),
    )
    document: dict[str, Any] = report.to_dict()
    return document


def _quality(sources: Sequence[str]) -> str:
    """BoAmps's quality of a measurement: within 10 % (high), by energy counters; within 25 % (medium), or worse."""
    text = "; ".join(sources)
    if BY_WALL_METER in text:
        return "medium"
    names = {source.split(":")[0] for source in text.split("; ")} - {"ram"}
    errors = [METERS.find(name).model_error if name in METERS.names else math.inf for name in names]
    return "high" if max(errors, default=math.inf) <= HIGH_QUALITY else "low"


def _environment(carbon: ResolvedCarbon) -> Any:
    """Country and intensity; None if no country was given, because the format asks for one."""
    from codecarbon.output_methods.boamps import models

    if carbon.country is None:
        return None
    return models.BoAmpsEnvironment(country=carbon.country, power_source_carbon_intensity=carbon.intensity_g_per_kwh)


def _format_of(path: str | None) -> str | None:
    suffixes = Path(path).suffixes if path else []
    return next((suffix[1:] for suffix in suffixes if suffix in (".csv", ".parquet")), None)


def sci_of_member(view: RunView, member: FrontMember, *, wue_l_per_kwh: float | None = None) -> dict[str, Any]:
    """The Software Carbon Intensity of a front member per prediction, with its parts and its boundary.

    Training is spread over the fits and predictions that the study assumes for a year. StudyError if the cost of
    predictions was not measured.
    """
    carbon, use = view.study.carbon, yearly_use(view.study.objective)
    inference = next((r.inference for r in view.results if r.trial == member.trial and r.inference), None)
    if member.inference_g_per_1000 is None:
        raise StudyError(f"the predictions of {member.name} were not measured", "choose another --pick")
    if not use.predictions:
        raise StudyError("a study of no predictions a year has no SCI per prediction", "--predictions-per-year")
    operational_g = member.inference_g_per_1000 / PER_READING
    energy_kwh = operational_g / carbon.intensity_g_per_kwh
    seconds = None if inference is None else inference.duration_s / PER_READING
    embodied_g = carbon.embodied_kg * G_PER_KG * (seconds or 0.0) / (carbon.lifetime_years * SECONDS_PER_YEAR)
    training_g = use.retrainings * member.retraining_g / use.predictions
    document: dict[str, Any] = {
        "standard": SCI,
        "functional_unit": "one prediction",
        "sci_g": operational_g + embodied_g + training_g,
        "operational": {
            "carbon_g": operational_g,
            "energy_kwh_with_pue": energy_kwh,
            "intensity_g_per_kwh": carbon.intensity_g_per_kwh,
            "pue": carbon.pue,
        },
        "embodied": {
            "carbon_g": embodied_g,
            "machine_kg": carbon.embodied_kg,
            "lifetime_years": carbon.lifetime_years,
            "seconds": seconds,
        },
        "training": {"carbon_g": training_g, "fits_per_year": use.retrainings, "predictions_per_year": use.predictions},
        "energy_wh_per_1000_predictions": 1e3 * PER_READING * energy_kwh,
        "boundary": _boundary(carbon.embodied_kg > 0.0),
    }
    if wue_l_per_kwh is not None:
        document["water_ml_per_1000_predictions"] = 1e3 * wue_l_per_kwh * PER_READING * energy_kwh
    return document


def _boundary(has_embodied: bool) -> Mapping[str, list[str]]:
    """What is in the figures and what is not."""
    embodied = "manufacturing of one machine, by its time per prediction"
    inside = ["energy of predictions with the pipeline's stages", "energy of fits in a year, spread over predictions"]
    outside = ["the search", "reading, storing and sending data", "idle power", "networks and end-user devices"]
    (inside if has_embodied else outside).append(embodied)
    return {"included": inside, "excluded": outside}
