"""Generates accelerometer signals of broaching strokes, as large as CEMAI's Broaching data, so that they can be tried.

Sources of the model:
- Shape: 40 files of 128,001 rows with six channels, as in CEMAI's Broaching case.
- A broach excites the machine at its tooth-passing frequency and harmonics, and broadband; both grow with flank wear:
  Axinte and Gindy (2003), Tool condition monitoring in broaching, Wear 254(3-4).
- Mounting and tool differ from stroke to stroke, so every channel has its own gain and offset in each.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.datasets._dataset import Frames
from cemai_opt.datasets._reader import Reader

STROKES, STROKE_ROWS = 40, 128_001
RATE_HZ = 25_600
SEED = 2024
CHANNELS = tuple(f"{place}_{axis}" for place in ("tool", "part") for axis in "xyz")
NEW_MM, WORN_MM, STROKE_MM = 0.02, 0.28, 0.02
"""Flank wear of the least and the most worn tool at the start of a stroke, and what a stroke adds."""
DECIMALS = 4
"""Digits of an acceleration in m/s2 behind the point: the resolution of a 24-bit converter over +-800 m/s2."""
TOOTH_HZ = 320.0
GAIN_SPREAD, OFFSET_SPREAD, TOOTH_SPREAD = 0.06, 2.0, 0.04


class BroachingDemo(Reader):
    """Generated broaching strokes: 40 with 128,001 rows of six accelerations each, or `spec.rows` rows in all."""

    generates = True

    def _read(self, spec: DataSpec) -> Frames:
        n_rows = STROKE_ROWS if spec.rows is None else -(-spec.rows // STROKES)
        return Frames(rows=broaching_strokes(n_rows=n_rows))

    def _filled(self, spec: DataSpec) -> DataSpec:
        return spec.model_copy(
            update={
                "target": spec.target or "tool_wear",
                "group": spec.group or "stroke",
                "time": spec.time or "sample",
            }
        )


def broaching_strokes(n_strokes: int = STROKES, *, n_rows: int = STROKE_ROWS, seed: int = SEED) -> pd.DataFrame:
    """`n_strokes` strokes of `n_rows` samples each; deterministic given the seed.

    Columns: `stroke` and `sample` (numbers), `tool_x` to `part_z` (accelerations, m/s2), `tool_wear` mm.
    """
    channels = np.empty((len(CHANNELS), n_strokes, n_rows))
    wear = np.empty((n_strokes, n_rows))
    for stroke in range(n_strokes):
        wear[stroke], channels[:, stroke] = _one_stroke(n_rows, np.random.default_rng([seed, stroke]))
    columns = {
        "stroke": np.repeat(np.arange(n_strokes), n_rows),
        "sample": np.tile(np.arange(n_rows), n_strokes),
        **{name: values.ravel() for name, values in zip(CHANNELS, channels, strict=True)},
        "tool_wear": wear.ravel(),
    }
    return pd.DataFrame(columns, copy=False)


def _one_stroke(n_rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Wear of each sample, (n_rows,) mm, and the accelerations, (n_channels, n_rows) m/s2."""
    wear = rng.uniform(NEW_MM, WORN_MM) + STROKE_MM * np.linspace(0.0, 1.0, n_rows)
    phase = 2.0 * np.pi * TOOTH_HZ * rng.normal(1.0, TOOTH_SPREAD) / RATE_HZ * np.arange(n_rows)
    made = np.empty((len(CHANNELS), n_rows))
    for i in range(len(CHANNELS)):
        gain, offset = rng.lognormal(0.0, GAIN_SPREAD), rng.normal(0.0, OFFSET_SPREAD)
        strength = rng.uniform(0.6, 1.4, 3) / np.arange(1, 4)
        teeth = sum(
            a * np.sin(k * phase + turn) for k, a, turn in zip((1, 2, 3), strength, rng.uniform(0, 7, 3), strict=True)
        )
        noise = rng.standard_normal(n_rows)
        made[i] = offset + gain * ((2.0 + 10.0 * wear) * teeth + 1.5 * np.exp(5.0 * wear) * noise)
    return wear.round(2 * DECIMALS), made.round(DECIMALS)
