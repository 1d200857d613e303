"""Measures the cost of predictions, which are repeated until the reading exceeds its own uncertainty."""

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
"""A measurement lasts this many resolutions of the slowest meter, within the limits that follow."""
MIN_WINDOW_S, MAX_WINDOW_S = 0.05, 5.0
"""A meter that needs longer states a wider uncertainty: its precision is not worth the joules of predicting on."""


def measure_inference(
    batch: Batch, cost: Cost, *, meters: Sequence[Meter], factor: float = 1.0
) -> tuple[Measurement, Cost]:
    """Cost of 1,000 predictions by the fitted model in `batch`, and the cost of measuring it.

    `cost` is that of the run so far, on `factor` times as many rows as the batch has: its preprocessing stages are
    charged per row, including the cost of fitting them, so their share is an upper bound.
    """
    rows = batch.eval_rows[: int(PREDICTIONS)]
    resolved_s = RESOLUTIONS * max(meter.resolution_s for meter in meters)
    wanted_s = min(MAX_WINDOW_S, max(MIN_WINDOW_S, resolved_s))
    predict(batch, rows)  # first calls allocate
    recorder = Recorder(meters)
    with recorder.stage(INFERENCE):
        n_predicted = predict_for(batch, wanted_s)
    spent = recorder.recording().spent
    return per_1000(spent.rows[0], n_predicted, cost=cost, n_rows=round(factor * len(batch.X))), spent


def predict_for(batch: Batch, wanted_s: float, *, clock: Callable[[], float] = time.perf_counter) -> int:
    """Repeats predictions for at least `wanted_s` seconds; returns the number of predicted rows."""
    rows, end_s, n_predicted = batch.eval_rows[: int(PREDICTIONS)], clock() + wanted_s, 0
    while n_predicted == 0 or clock() < end_s:
        predict(batch, rows)
        n_predicted += len(rows)
    return n_predicted


def per_1000(looped: Measurement, n_predicted: int, *, cost: Cost, n_rows: int) -> Measurement:
    """Cost of 1,000 predictions, from the cost of `n_predicted` predictions and of preprocessing `n_rows` rows."""
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
