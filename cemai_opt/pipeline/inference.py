"""Measures what predictions cost, by predicting until the reading stands out from its own uncertainty."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cemai_opt.core.batch import Batch
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.objective import PREDICTIONS
from cemai_opt.meters import Meter
from cemai_opt.pipeline.recorder import INFERENCE, Recorder
from cemai_opt.stages import STAGES
from cemai_opt.stages.evaluate import predict

RESOLUTIONS = 10.0
"""A window is long enough when it lasts this many resolutions of the slowest meter."""
MIN_WINDOW_S = 0.05


def measure_inference(batch: Batch, cost: Cost, meters: Sequence[Meter]) -> tuple[Measurement, Cost]:
    """Cost of 1,000 predictions by the fitted model in `batch`, and what measuring it has spent.

    `cost` is that of the run so far: its preparing stages are charged per row of the batch, with what they spent on
    learning, so the figure is an upper bound for them.
    """
    rows = batch.judge_rows[: int(PREDICTIONS)]
    wanted_s = max(MIN_WINDOW_S, RESOLUTIONS * max(meter.resolution_s for meter in meters))
    predict(batch, rows)  # first calls allocate
    recorder = Recorder(meters)
    with recorder.stage(INFERENCE):
        n_predicted = predict_for(batch, wanted_s)
    spent = recorder.recording().spent
    return per_1000(spent.rows[0], n_predicted, cost, len(batch.X)), spent


def predict_for(batch: Batch, wanted_s: float, clock: Callable[[], float] = time.perf_counter) -> int:
    """Predicts again and again for so many seconds; how many rows that were."""
    rows, end_s, n_predicted = batch.judge_rows[: int(PREDICTIONS)], clock() + wanted_s, 0
    while n_predicted == 0 or clock() < end_s:
        predict(batch, rows)
        n_predicted += len(rows)
    return n_predicted


def per_1000(looped: Measurement, n_predicted: int, cost: Cost, n_rows: int) -> Measurement:
    """Cost of 1,000 predictions, from that of `n_predicted`, and from what preparing `n_rows` rows cost."""
    prepared = [row for row in cost.rows if row.stage in STAGES.names and STAGES.find(row.stage).is_for_new_rows]
    per_loop, per_row = PREDICTIONS / n_predicted, PREDICTIONS / n_rows
    return Measurement(
        stage=INFERENCE,
        duration_s=per_loop * looped.duration_s + per_row * sum(row.duration_s for row in prepared),
        cpu_s=per_loop * looped.cpu_s + per_row * sum(row.cpu_s for row in prepared),
        energy_j={
            device: per_loop * joules + per_row * sum(row.energy_j[device] for row in prepared)
            for device, joules in looped.energy_j.items()
        },
        uncertainty_j=per_loop * looped.uncertainty_j + per_row * sum(row.uncertainty_j for row in prepared),
        source=looped.source,
    )
