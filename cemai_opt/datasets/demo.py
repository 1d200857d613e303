"""Generates tool-wear runs, so that the product can be tried without any data.

Sources of the model:
- Tool life by the extended Taylor equation `T = C v^-a f^-b d^-c`: Taylor (1907), Trans. ASME 28; exponents of the
  order given for coated carbide in Altintas (2012), Manufacturing Automation, 2nd ed., section 2.9.
- Wear as a gamma process, monotone with independent increments: van Noortwijk (2009), Reliability Engineering &
  System Safety 94(1). Its mean follows the three stages (break-in, steady, accelerated) of ISO 3685:1993, Annex.
- Cutting force `F = k_c1.1 b h^(1-m)`: Kienzle (1952), VDI-Z 94; with a term that grows with the worn flank area,
  as in Altintas (2012), section 2.2.
- Vibration whose amplitude grows with wear, and a temperature that follows power with a lag: Teti et al. (2010), CIRP
  Annals 59(2), sections 3 and 4, on the signals of tool condition monitoring.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.datasets._dataset import Frames
from cemai_opt.datasets._reader import Reader

RUNS, MIN_RUNS = 60, 5
SEED = 2024
WORN_MM = 0.3
"""Flank wear at the end of tool life: ISO 3685's criterion."""
MISSING_SHARE = 0.01
DECIMALS = 9
"""The last digits of an exponential depend on the processor; rounded rows are the same on every machine."""


class Demo(Reader):
    """Generated tool-wear runs with cutting conditions, forces, vibration and temperature."""

    generates = True

    def _read(self, spec: DataSpec) -> Frames:
        if spec.rows is None:
            return Frames(rows=tool_wear_runs())
        n_runs = max(MIN_RUNS, round(spec.rows * RUNS / len(tool_wear_runs())))
        return Frames(rows=tool_wear_runs(n_runs))

    def _filled(self, spec: DataSpec) -> DataSpec:
        return spec.model_copy(
            update={
                "target": spec.target or "tool_wear",
                "group": spec.group or "run",
                "time": spec.time or "cut",
            }
        )


def tool_wear_runs(n_runs: int = RUNS, seed: int = SEED) -> pd.DataFrame:
    """`n_runs` tools worn to the end of their life, one row per cut; deterministic given the seed.

    Columns: `run`, `cut` (number of the cut), `speed` m/min, `feed` mm/rev, `depth` mm, `force_c` and `force_f` N,
    `vibration` m/s2 (root mean square), `temperature` degrees C, `coolant` bar (constant), `tool_wear` mm.
    """
    rng = np.random.default_rng(seed)
    rows = pd.concat([_one_run(run, rng) for run in range(n_runs)], ignore_index=True)
    return rows.round(DECIMALS)


def _one_run(run: int, rng: np.random.Generator) -> pd.DataFrame:
    speed, feed, depth = rng.uniform(120, 320), rng.uniform(0.08, 0.4), rng.uniform(0.5, 3.0)
    life_cuts = 130.0 * (speed / 200) ** -2.5 * (feed / 0.2) ** -1.1 * (depth / 1.2) ** -0.4
    life_cuts = float(np.clip(life_cuts * rng.lognormal(0.0, 0.12), 30, 400))
    n_cuts = int(life_cuts)
    wear = _gamma_wear(n_cuts, life_cuts, rng=rng)
    force_c, force_f = _kienzle_forces(feed, depth, wear=wear, rng=rng)
    vibration = (0.8 + 0.004 * speed * depth) * np.exp(4.0 * wear) * rng.lognormal(0.0, 0.35, n_cuts)
    power_kw = force_c * speed / 60_000
    columns = {
        "run": f"tool{run:02d}",
        "cut": np.arange(n_cuts),
        "speed": np.full(n_cuts, round(speed, 1)),
        "feed": np.full(n_cuts, round(feed, 3)),
        "depth": np.full(n_cuts, round(depth, 2)),
        "force_c": _with_gaps(force_c, rng),
        "force_f": _with_gaps(force_f, rng),
        "vibration": _with_gaps(vibration, rng),
        "temperature": _with_gaps(_lagged(40.0 + 45.0 * power_kw * (1.0 + 2.0 * wear), rng), rng),
        "coolant": np.full(n_cuts, 6.0),
        "tool_wear": wear,
    }
    return pd.DataFrame(columns)


def _gamma_wear(n_cuts: int, life_cuts: float, *, rng: np.random.Generator) -> np.ndarray:
    """A gamma process whose mean has a break-in, a steady and an accelerated phase: (n_cuts,) mm."""
    age = np.arange(1, n_cuts + 1) / life_cuts
    mean = WORN_MM * (0.22 * (1 - np.exp(-age / 0.06)) + 0.45 * age + 0.33 * age**6)
    steps = np.diff(mean, prepend=0.0)
    scale_mm = 0.002
    return np.cumsum(rng.gamma(steps / scale_mm, scale_mm))


def _kienzle_forces(
    feed: float, depth: float, *, wear: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cutting and feed force, N: Kienzle's law plus friction on the worn flank, each tool with its own offset."""
    k_c11, m = 1800.0 * rng.lognormal(0.0, 0.02), 0.25
    ideal = k_c11 * depth * feed ** (1 - m)
    flank_n_per_mm2 = 1200.0 * rng.lognormal(0.0, 0.05)
    noise = rng.normal(1.0, 0.08, (2, len(wear)))
    return (ideal + flank_n_per_mm2 * depth * wear) * noise[0], (
        0.45 * ideal + 1.4 * flank_n_per_mm2 * depth * wear
    ) * noise[1]


def _lagged(target_values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """First-order lag with a time constant of 8 cuts, from room temperature, with sensor noise."""
    weights = np.exp(-np.arange(len(target_values)) / 8.0) * (1 - np.exp(-1 / 8.0))
    warm = np.convolve(target_values - 22.0, weights)[: len(target_values)]
    return 22.0 + warm + rng.normal(0.0, 1.5, len(target_values))


def _with_gaps(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random(len(values)) < MISSING_SHARE, np.nan, values)
