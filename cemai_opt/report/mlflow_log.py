"""A run in MLflow: one parent run, one child per front member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cemai_opt.core.errors import StudyError
from cemai_opt.core.registry import need
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.run_view import RunView

PARENT_RUN_TAG = "mlflow.parentRunId"
"""The tag by which MLflow nests runs."""


def log_run(view: RunView, tracking_uri: str | None = None, *, experiment: str | None = None) -> str:
    """Logs a run to `experiment`, by default named after its study; returns the id of the parent run.

    Metrics of a child are scores, grams and joules, also by stage; its parameters are the configuration. The server is
    `tracking_uri`, else that of MLFLOW_TRACKING_URI. StudyError if MLflow is missing, or cannot log it.
    """
    need("mlflow")
    from mlflow.exceptions import MlflowException

    try:
        return _logged(view, tracking_uri, experiment=experiment)
    except MlflowException as error:
        reason = " ".join(str(error).split())[:200]
        raise StudyError(f"MLflow cannot log the run: {reason}", "check --uri and --experiment") from error


def _logged(view: RunView, tracking_uri: str | None, *, experiment: str | None) -> str:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri)
    name = experiment or view.study.name
    known = client.get_experiment_by_name(name)
    experiment_id = known.experiment_id if known is not None else client.create_experiment(name)
    parent = client.create_run(experiment_id, run_name=view.study.name).info.run_id
    _log(client, parent, metrics=_study_metrics(view), params=_study_params(view))
    for member in view.candidates:
        tags = {PARENT_RUN_TAG: parent, "mark": view.front.mark_of(member)}
        child = client.create_run(experiment_id, run_name=member.label, tags=tags).info.run_id
        parts = {f"weight.{part.trial}": part.weight for part in member.parts}
        _log(client, child, metrics=_member_metrics(member), params={**member.config.flat(), **parts})
        client.set_terminated(child)
    client.set_terminated(parent)
    return str(parent)


def _log(client: Any, run: str, *, metrics: Mapping[str, float], params: Mapping[str, Any]) -> None:
    for name, metric in metrics.items():
        client.log_metric(run, name, metric)
    for name, param in params.items():
        client.log_param(run, name, param)


def _study_metrics(view: RunView) -> dict[str, float]:
    search = view.front.search
    metrics = {
        "trials": search.trials,
        "complete": search.complete,
        "pruned": search.pruned,
        "failed": search.failed,
        "hypervolume": search.hypervolume,
        "search_carbon_g": search.carbon_g,
        "search_energy_j": view.summary.search.energy_j,
    }
    by_entry = view.summary.search.carbon_g_by.entry
    return metrics | {f"search_carbon_g_{entry}": grams for entry, grams in by_entry.items()}


def _study_params(view: RunView) -> dict[str, Any]:
    study = view.study
    return {
        "task": study.task,
        "score": study.score,
        "objective": study.objective.of,
        "sampler": study.search.sampler,
        "seed": study.seed,
        "intensity_g_per_kwh": study.carbon.intensity_g_per_kwh,
        "knee": view.front.knee_trial,
    }


def _member_metrics(member: FrontMember) -> dict[str, float]:
    metrics: dict[str, float | None] = {
        "validation": member.validation,
        "test": member.test,
        "carbon_g": member.carbon_g,
        "uncertainty_g": member.uncertainty_g,
        "energy_j": member.energy_j,
        "duration_s": member.duration_s,
        "inference_g_per_1000": member.inference_g_per_1000,
    }
    for stage, cost in member.stages.items():
        metrics |= {f"{stage}_energy_j": cost.energy_j, f"{stage}_carbon_g": cost.carbon_g}
    return {name: metric for name, metric in metrics.items() if metric is not None}
