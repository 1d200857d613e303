"""Power laws of what runs took, and how wide their intervals have to be for data sets that were not recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.runs.forecast import PowerLaw

COVERAGE = 0.9
QUIET = 0.25
"""The seconds per CPU second of a quiet machine are this quantile of what was recorded: others used it as well."""
Rows = Sequence[dict[str, Any]]
Quantity = Callable[[dict[str, Any]], float]
QUANTITIES: dict[str, Quantity] = {
    "CPU_S": lambda row: (row["driver_cpu_s"] + row["trials_cpu_s"]) / row["slowness"],
    "MEMORY_BYTES": lambda row: row["memory_bytes"],
}


def fitted(rows: Rows, quantity: Quantity) -> tuple[float, float, float, float]:
    """Fixed part, constant, exponents: fixed + constant x (values / 1e5)^size x (trials / 100)^trials.

    Least squares of the logarithm; the fixed part is the best of a grid below the smallest run.
    """
    y = np.array([quantity(row) for row in rows])
    size = np.log(np.array([row["values"] for row in rows]) / 1e5)
    trials = np.log(np.array([row["ran"] for row in rows]) / 100)
    X = np.column_stack([np.ones(len(rows)), size, trials])
    best = (np.inf, (0.0, 1.0, 1.0, 1.0))
    for share in np.linspace(0.0, 0.95, 20):
        fixed = share * y.min()
        weights = np.linalg.lstsq(X, np.log(y - fixed), rcond=None)[0]
        error = float(np.mean((np.log(fixed + np.exp(X @ weights)) - np.log(y)) ** 2))
        best = min(best, (error, (fixed, float(np.exp(weights[0])), float(weights[1]), float(weights[2]))))
    return best[1]


def law_of(rows: Rows, quantity: Quantity, factor: float = 1.0) -> PowerLaw:
    """The law in all rows."""
    fixed, constant, size, trials = fitted(rows, quantity)
    return PowerLaw(fixed=fixed, constant=constant, size=size, trials=trials, factor=factor)


def left_out(rows: Rows, quantity: Quantity) -> list[float]:
    """Log ratio of what each run took to the law of the other data sets; fd001 and fd002 are one source."""
    ratios = []
    for source in sorted({_source(row) for row in rows}):
        law = law_of([row for row in rows if _source(row) != source], quantity)
        own = [row for row in rows if _source(row) == source]
        ratios += [float(np.log(quantity(row) / law.at(row["values"], row["ran"]))) for row in own]
    return ratios


def _source(row: dict[str, Any]) -> str:
    return str(row["set"])[:4] if str(row["set"]).startswith("fd00") else str(row["set"])


def report(path: Path) -> str:
    """The laws with their factors, as Python, and the errors for data sets that were left out."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    machine_s = float(np.median([row["work_s"] for row in rows]))
    rows = [{**row, "slowness": row["work_s"] / machine_s} for row in rows]
    values = sorted(row["values"] for row in rows)
    lines = [f"# {len(rows)} runs on {len({row['set'] for row in rows})} data sets"]
    for name, quantity in QUANTITIES.items():
        ratios = left_out(rows, quantity)
        factor = float(np.exp(np.quantile(np.abs(ratios), COVERAGE)))
        law = law_of(rows, quantity)
        lines += [
            f"{name} = PowerLaw(fixed={law.fixed:.3g}, constant={law.constant:.3g}, size={law.size:.2f}, "
            f"trials={law.trials:.2f}, factor={factor:.2f})",
            f"# left out: median ratio {np.exp(np.median(ratios)):.2f}, "
            f"within a factor of {np.exp(np.median(np.abs(ratios))):.2f} for half, largest {np.exp(max(ratios)):.1f}, "
            f"smallest {np.exp(min(ratios)):.2f}",
        ]
    ratios = [row["wall_s"] / (row["driver_cpu_s"] + row["trials_cpu_s"]) for row in rows]
    lines.append(f"WORK_S = {machine_s:.2g}")
    lines.append(f"SECONDS_PER_CPU_SECOND = {np.quantile(ratios, QUIET):.2f}")
    lines.append(f"RECORDED_VALUES = ({values[0]}, {values[-1]})")
    return "\n".join(lines)
