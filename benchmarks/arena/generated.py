"""Data sets that are generated with a fixed seed, so that their truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

SEED = 20240601


def drift(n_rows: int = 6000) -> pd.DataFrame:
    """One time series whose relation turns slowly: `y = x1 cos(a) + x2 sin(a) + noise`, `a` from 0 to 90 degrees.

    Inputs are autocorrelated (0.9 from row to row) with variance 1; `x3` and `x4` have no effect. The noise has
    variance 1/9, so a model that knows the present relation reaches R2 0.90. A fit to all earlier rows lags behind.
    """
    rng = np.random.default_rng(SEED)
    X = np.empty((n_rows, 4))
    X[0] = rng.normal(size=4)
    for row in range(1, n_rows):
        X[row] = 0.9 * X[row - 1] + np.sqrt(1 - 0.9**2) * rng.normal(size=4)
    angle = np.linspace(0.0, np.pi / 2, n_rows)
    y = X[:, 0] * np.cos(angle) + X[:, 1] * np.sin(angle) + rng.normal(0.0, 1 / 3, n_rows)
    columns = {f"x{i + 1}": X[:, i] for i in range(4)}
    return pd.DataFrame({"time": np.arange(n_rows), **columns, "y": y})


def regimes(n_groups: int = 60) -> pd.DataFrame:
    """Units that wear slowly under six operating conditions, which switch every 10 rows on average.

    The condition moves the level of each sensor by up to 100 times as much as the wear. `s1` to `s4` respond to wear
    (0 to 1, linear in time; a unit lives 80 to 200 rows) with gain 1 and noise 0.5 per row; `s5` to `s7` do not.
    The conditions can be told from `op1` to `op3` without error.
    """
    rng = np.random.default_rng(SEED + 1)
    centres, levels = rng.uniform(0, 100, (6, 3)), rng.normal(0, 50, (6, 7))
    gain = np.array([1.0, -1.0, 1.0, -1.0, 0.0, 0.0, 0.0])
    units = []
    for unit in range(n_groups):
        life = int(rng.integers(80, 200))
        condition = _switching(life, rng)
        wear = np.arange(life) / life
        sensors = levels[condition] + gain * wear[:, None] + rng.normal(0, 0.5, (life, 7))
        conditions = centres[condition] + rng.normal(0, 0.05, (life, 3))
        names = [*(f"op{i + 1}" for i in range(3)), *(f"s{i + 1}" for i in range(7))]
        rows = pd.DataFrame(np.hstack([conditions, sensors]), columns=names)
        units.append(rows.assign(unit=f"u{unit:02d}", cycle=np.arange(life), wear=wear))
    return pd.concat(units, ignore_index=True)


def _switching(n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """A condition per row, 0 to 5; each row has a new one with probability 0.1."""
    fresh, is_new = rng.integers(0, 6, n_rows), rng.random(n_rows) < 0.1
    is_new[0] = True
    first = np.maximum.accumulate(np.where(is_new, np.arange(n_rows), 0))
    return fresh[first]


def imbalance(n_groups: int = 80, n_rows: int = 150) -> pd.DataFrame:
    """Machines of which half have one fault of 15 rows: 5 % positives.

    During a fault `a` and `b` rise by 1.5 standard deviations of their noise. Each machine has its own level of both
    (standard deviation 1.5), so raw values of two machines cannot be compared; `c` to `e` are noise.
    """
    rng = np.random.default_rng(SEED + 2)
    machines = []
    for machine in range(n_groups):
        X = rng.normal(size=(n_rows, 5))
        X[:, :2] += rng.normal(0.0, 1.5, 2)
        fault = np.zeros(n_rows, int)
        if machine % 2 == 0:
            start = int(rng.integers(30, n_rows - 15))
            fault[start : start + 15] = 1
        X[:, :2] += 1.5 * fault[:, None]
        rows = pd.DataFrame(X, columns=list("abcde"))
        machines.append(rows.assign(machine=f"m{machine:02d}", minute=np.arange(n_rows), fault=fault))
    return pd.concat(machines, ignore_index=True)


def categories(n_rows: int = 6000) -> pd.DataFrame:
    """Independent rows: 200 tools, each with its own effect (variance 1), and an hour of the day with an effect.

    `y = effect[tool] + sin(2 pi hour / 24) + 0.5 x1 + noise`; variances 1 + 0.5 + 0.25, noise 0.36: the best R2 is
    0.83. `x2` to `x4` are noise. `when` is a date of 2023.
    """
    rng = np.random.default_rng(SEED + 3)
    tool, effect = rng.integers(0, 200, n_rows), rng.normal(size=200)
    minutes = rng.integers(0, 365 * 24 * 60, n_rows)
    X = rng.normal(size=(n_rows, 4))
    daily = np.sin(2 * np.pi * (minutes % (24 * 60)) / (24 * 60))
    y = effect[tool] + daily + 0.5 * X[:, 0] + rng.normal(0.0, 0.6, n_rows)
    return pd.DataFrame(
        {
            "tool": [f"T{number:03d}" for number in tool],
            "when": pd.Timestamp("2023-01-01") + pd.to_timedelta(minutes, unit="m"),
            **{f"x{i + 1}": X[:, i] for i in range(4)},
            "y": y,
        }
    )
