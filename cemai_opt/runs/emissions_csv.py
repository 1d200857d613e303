"""Writes measurements in the columns of CodeCarbon's emissions file, which existing tools can read."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterator
from typing import Any

from cemai_opt.core.measurement import Measurement
from cemai_opt.core.result import TrialResult
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.core.units import kwh
from cemai_opt.meters import cpu_model
from cemai_opt.runs.machine import library_versions

COLUMNS = [
    "timestamp",
    "project_name",
    "run_id",
    "experiment_id",
    "duration",
    "emissions",
    "emissions_rate",
    "cpu_power",
    "gpu_power",
    "ram_power",
    "cpu_energy",
    "gpu_energy",
    "ram_energy",
    "energy_consumed",
    "water_consumed",
    "country_name",
    "country_iso_code",
    "region",
    "cloud_provider",
    "cloud_region",
    "os",
    "python_version",
    "codecarbon_version",
    "cpu_count",
    "cpu_model",
    "gpu_count",
    "gpu_model",
    "longitude",
    "latitude",
    "ram_total_size",
    "tracking_mode",
    "cpu_utilization_percent",
    "gpu_utilization_percent",
    "ram_utilization_percent",
    "ram_used_gb",
    "on_cloud",
    "pue",
    "wue",
]
"""Fields of CodeCarbon's `EmissionsData`; compared with it in a test only, because its import would cost energy."""

G_PER_KG = 1000.0


def emissions_rows(study: ResolvedStudy, result: TrialResult, *, run_id: str) -> Iterator[dict[str, Any]]:
    """One row per stage that ran; `experiment_id` is the stage, `run_id` states the trial and why it ran."""
    timestamp = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    constant = {
        "timestamp": timestamp,
        "project_name": study.name,
        "country_iso_code": study.carbon.country or "",
        "os": platform.platform(),
        "python_version": platform.python_version(),
        "codecarbon_version": library_versions().get("codecarbon", ""),
        "cpu_count": os.cpu_count(),
        "cpu_model": cpu_model(),
        "on_cloud": "N",
        "pue": study.carbon.pue,
        "wue": 0,
    }
    for row in result.spent.rows:
        yield {**dict.fromkeys(COLUMNS, ""), **constant, "run_id": run_id, **_measured(study, row)}


def _measured(study: ResolvedStudy, row: Measurement) -> dict[str, Any]:
    cpu_j = row.energy_j.get("cpu", 0.0)
    gpu_j = sum(joules for device, joules in row.energy_j.items() if device.startswith("gpu"))
    emissions_kg = study.carbon.grams(row.total_j) / G_PER_KG
    per_second = 1.0 / row.duration_s if row.duration_s > 0 else 0.0
    return {
        "experiment_id": row.stage,
        "duration": row.duration_s,
        "emissions": emissions_kg,
        "emissions_rate": emissions_kg * per_second,
        "cpu_power": cpu_j * per_second,
        "gpu_power": gpu_j * per_second,
        "cpu_energy": kwh(cpu_j),
        "gpu_energy": kwh(gpu_j),
        "energy_consumed": kwh(row.total_j),
        "tracking_mode": row.source,
    }
