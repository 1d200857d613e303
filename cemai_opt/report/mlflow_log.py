"""A run as MLflow shows it: one parent run, a child for each front member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cemai_opt.core.registry import need
from cemai_opt.report.run_view import Member, RunView, flat

PARENT = "mlflow.parentRunId"
"""The tag by which MLflow nests runs."""


def log_run(view: RunView, tracking_uri: str | None = None, experiment: str | None = None) -> str:
    """Logs a run into an experiment of its study's name, or another; the id of the parent run.

    Metrics of a child are scores, grams and joules, by stage too; its parameters are the configuration. Where to is
    said by `tracking_uri`, else by MLFLOW_TRACKING_URI. StudyError where MLflow is missing.
    """
    need("mlflow")
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri)
    name = experiment or view.study.name
    known = client.get_experiment_by_name(name)
    place = known.experiment_id if known is not None else client.create_experiment(name)
    parent = client.create_run(place, run_name=view.study.name).info.run_id
    _log(client, parent, _study_metrics(view), _study_params(view))
    for member in view.members:
        marks = view.mark_of(member)
        child = client.create_run(
            place, run_name=f"trial {member['trial']} {member['model']}", tags={PARENT: parent, "mark": marks}
        ).info.run_id
        _log(client, child, _member_metrics(member), flat(member["config"]))
        client.set_terminated(child)
    client.set_terminated(parent)
    return str(parent)


def _log(client: Any, run: str, metrics: Mapping[str, float], params: Mapping[str, Any]) -> None:
    for name, value in metrics.items():
        client.log_metric(run, name, value)
    for name, value in params.items():
        client.log_param(run, name, value)


def _study_metrics(view: RunView) -> dict[str, float]:
    search = view.front["search"]
    by = view.summary["search"]["carbon_g_by"]
    metrics = {key: float(search[key]) for key in ("trials", "complete", "pruned", "failed", "hypervolume")}
    metrics |= {"search_carbon_g": search["carbon_g"], "search_energy_j": view.summary["search"]["energy_j"]}
    return metrics | {f"search_carbon_g_{entry}": grams for entry, grams in by["entry"].items()}


def _study_params(view: RunView) -> dict[str, Any]:
    study = view.study
    return {
        "task": study.task,
        "score": study.score,
        "objective": study.objective.of,
        "sampler": study.search.sampler,
        "seed": study.seed,
        "intensity_g_per_kwh": study.carbon.intensity_g_per_kwh,
        "knee": view.front["knee"],
    }


def _member_metrics(member: Member) -> dict[str, float]:
    kinds = ("validation", "test", "carbon_g", "uncertainty_g", "energy_j", "duration_s", "inference_g_per_1000")
    metrics = {kind: float(member[kind]) for kind in kinds if member[kind] is not None}
    for stage, row in member["stages"].items():
        metrics |= {f"{stage}_energy_j": row["energy_j"], f"{stage}_carbon_g": row["carbon_g"]}
    return metrics
