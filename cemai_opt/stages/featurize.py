"""Adds features of earlier values of each variable: causal, and inside a group."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from cemai_opt.core.batch import Batch, FittedState, FloatArray, IntArray, Task, group_starts
from cemai_opt.core.errors import StudyError, TrialError
from cemai_opt.core.hyperparameters import Hyperparameter, Value, choice, flag, integer
from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.stages import _onnx, _rolling, _rolling_compiled
from cemai_opt.stages._regimes import fitted_regimes, standardised, standardised_onnx
from cemai_opt.stages._rolling import Columns
from cemai_opt.stages._spectrum import BANDS, band_amplitudes, peak_frequency
from cemai_opt.stages._stage import Lookback, Params, Stage

FEATURIZE = "featurize"
ROLLING: dict[str, tuple[str, ...]] = {
    "none": (),
    "mean": ("mean",),
    "mean_std": ("mean", "std"),
    "mean_std_range": ("mean", "std", "range"),
    "all": ("sum", "mean", "min", "max", "range", "std", "var"),
}
"""Sets of rolling statistics, one choice each: with a flag per statistic, half of them would be on at random."""
SCALES = ("short", "short_long", "three")
TREND: dict[str, tuple[str, ...]] = {
    "none": (),
    "gradient": ("gradient",),
    "difference": ("difference",),
    "slope": ("slope",),
    "slope_sin_cos": ("slope", "slope_sin", "slope_cos"),
}
LAGS: dict[str, tuple[int, ...]] = {"none": (), "one": (1,), "three": (1, 2, 4)}
"""Earlier values, in multiples of `lag_rows`."""
SECOND_WINDOW = {"4x": 4, "8x": 8}
"""Choices of version 0.1.0 for a second window: its factor."""
Condition = tuple[str, tuple[Value, ...]]

LONGEST_ROWS = 128_000
"""Longest window: CEMAI's broaching strokes have 128,001 rows."""
MAX_ONNX_ROWS = 24_000
"""The ONNX form holds the windows of all rows at once; exponential means, which it updates, look back ten times."""


class Featurize(Stage):
    """Rolling statistics on several scales, trends, lags, the change since the start; optionally by regime."""

    order = 30
    is_optional = False

    @classmethod
    def hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        """By default, no features are added."""
        rolled = ("rolling", tuple(name for name in ROLLING if name != "none"))
        lagged = ("lags", tuple(name for name in LAGS if name != "none"))
        return (
            choice("regimes", ("none", "kmeans"), default="none"),
            integer("n_regimes", 2, high=12, default=6, when=("regimes", ("kmeans",))),
            choice("rolling", tuple(ROLLING), default="none"),
            choice("scales", SCALES, default="short", when=rolled),
            _rows("window_rows", 300, default=30, low=2, when=rolled),
            _rows("long_rows", 2400, default=120, low=12, when=("scales", ("short_long", "three"))),
            flag("keep_raw", True, when=rolled),
            flag("exponential", False),
            _rows("exponential_rows", 300, default=30, when=("exponential", (True,))),
            choice("trend", tuple(TREND), default="none"),
            _rows("difference_rows", 300, default=10, low=2, when=("trend", ("difference",))),
            choice("lags", tuple(LAGS), default="none"),
            integer("lag_rows", 1, high=100, default=1, log=True, unit="rows", when=lagged),
            flag("since_start", False, needs_start=True),
            integer("start_rows", 1, high=300, default=30, log=True, unit="rows", when=("since_start", (True,))),
            flag("bands", False),
            _rows("band_rows", 512, default=64, low=8, when=("bands", (True,))),
            flag("peak_frequency", False, searched=False),
        )

    @classmethod
    def upgraded(cls, params: Params) -> Params:
        """Version 0.1.0 had one window and a second one by a factor."""
        if "second_window" not in params:
            return params
        kept: dict[str, Value] = {name: value for name, value in params.items() if name != "second_window"}
        factor = SECOND_WINDOW.get(str(params["second_window"]))
        if factor is not None:
            kept |= {"scales": "short_long", "long_rows": factor * int(params.get("window_rows", 30))}
        return kept

    @classmethod
    def volume(cls, params: Params) -> float:
        """Number of columns computed from each one."""
        full = {**_defaults(), **params}
        n_rolled = len(ROLLING[str(full["rolling"])]) * len(windows_of(full))
        n_others = len(TREND[str(full["trend"])]) + len(LAGS[str(full["lags"])]) + BANDS * bool(full["bands"])
        n_others += sum(bool(full[name]) for name in ("since_start", "peak_frequency", "exponential"))
        return float(n_rolled + n_others + (1 if full["keep_raw"] or not n_rolled else 0))

    @classmethod
    def columns(cls, params: Params) -> float:
        """All of its volume."""
        return cls.volume(params)

    @classmethod
    def lookback(cls, params: Params) -> Lookback:
        """The longest of all windows; for values that are updated from row to row, also the rows to their restart."""
        rolled = windows_of(params) if ROLLING[str(params["rolling"])] else ()
        spectra = (
            int(params["band_rows"]) if params["bands"] else 0,
            2 * int(params["window_rows"]) if params["peak_frequency"] else 0,
        )
        memory = _rolling.memory_rows(int(params["exponential_rows"])) if params["exponential"] else 0
        updated = (*spectra, memory)
        steps = (
            {"none": 0, "difference": int(params["difference_rows"])}.get(str(params["trend"]), 2),
            max(LAGS[str(params["lags"])], default=0) * int(params["lag_rows"]),
        )
        return Lookback(
            rows=max(*rolled, *updated, *steps),
            start_rows=int(params["start_rows"]) if params["since_start"] else 0,
            restart_rows=_rolling.restart_rows(max(updated)) if any(updated) else 0,
        )

    @classmethod
    def onnx(cls, graph: OnnxGraph, rows: str, *, params: Params, state: FittedState | None) -> str:
        """All features but peak frequencies: rounding decides between equally strong ones, and differs in ONNX."""
        if params["peak_frequency"]:
            raise StudyError("peak frequencies have no ONNX form", "use the native form")
        if cls.lookback(params).rows > MAX_ONNX_ROWS:
            raise StudyError(f"features of more than {MAX_ONNX_ROWS} rows have no ONNX form", "use the native form")
        if state is not None:
            rows = standardised_onnx(graph, rows, state=state)
        statistics = ROLLING[str(params["rolling"])]
        blocks = [rows] if params["keep_raw"] or not statistics else []
        for size in windows_of(params) if statistics else ():
            blocks += _onnx.rolling(graph, rows, window=size, statistics=statistics)
        if params["exponential"]:
            alpha = _rolling.smoothing(int(params["exponential_rows"]))
            blocks.append(_onnx.exponential_mean(graph, rows, alpha=alpha))
        blocks += _onnx.trend(
            graph, rows, kinds=TREND[str(params["trend"])], difference_rows=int(params["difference_rows"])
        )
        blocks += [_onnx.lagged(graph, rows, step=step) for step in lag_steps(params)]
        if params["since_start"]:
            start = _onnx.start_mean(graph, rows, n_rows=int(params["start_rows"]))
            blocks.append(graph.add("Sub", rows, start))
        if params["bands"]:
            blocks += _onnx.band_amplitudes(graph, rows, window=int(params["band_rows"]))
        return graph.add("Concat", *blocks, axis=1) if len(blocks) > 1 else blocks[0]

    @classmethod
    def load_for(cls, X: FloatArray) -> None:
        """Compiled rolling statistics, where numba is installed."""
        if X.size >= _rolling_compiled.WORTHWHILE_VALUES:
            _rolling_compiled.load(X.dtype)

    def prepare(self, params: Params, task: Task) -> None:
        """Imports the libraries that compute the features."""
        if params["exponential"]:
            import scipy.signal  # noqa: F401
        if params["regimes"] != "none":
            import sklearn.cluster  # noqa: F401

    def _run(self, batch: Batch, params: Params) -> Batch:
        if params["regimes"] != "none":
            batch = _by_regime(batch, params)
        starts = group_starts(batch.group)
        place = np.arange(len(batch.X)) - starts if batch.place is None else batch.place
        keeps_raw = bool(params["keep_raw"]) or not ROLLING[str(params["rolling"])]
        made = _NewColumns(batch, n_columns=int(self.volume(params)) * len(batch.names))
        if keeps_raw:
            made.add("")[:] = batch.X.T
        _add_features(made, batch.X, starts=starts, place=place, params=params)
        return batch if made.names == batch.names else batch.with_columns(made.columns, made.names)


class _NewColumns:
    """Columns that are filled one block after another, each with one new column for each of a batch."""

    def __init__(self, batch: Batch, n_columns: int) -> None:
        """At most `n_columns` columns are added."""
        self.names: tuple[str, ...] = ()
        self._batch = batch
        self._values = np.empty((n_columns, len(batch.X)), batch.X.dtype)

    def add(self, suffix: str) -> FloatArray:
        """The place of new columns, (n_columns, n_rows), named after those of the batch."""
        first = len(self.names)
        self.names += tuple(f"{name}_{suffix}" if suffix else name for name in self._batch.names)
        return self._values[first : len(self.names)]

    @property
    def columns(self) -> FloatArray:
        """What was added: (n_rows, n_columns)."""
        return self._values[: len(self.names)].T


def _rows(name: str, usual: int, *, default: int, low: int = 3, when: Condition) -> Hyperparameter:
    """A number of rows."""
    return integer(name, low, high=LONGEST_ROWS, default=default, log=True, unit="rows", usual=usual, when=when)


def windows_of(params: Params) -> tuple[int, ...]:
    """The rolling windows in rows, shortest first: one, a short and a long one, or also their geometric mean.

    >>> windows_of({"scales": "three", "window_rows": 30, "long_rows": 120})
    (30, 60, 120)
    """
    short, long = int(params["window_rows"]), int(params["long_rows"])
    if params["scales"] == "short":
        return (short,)
    middle = (round((short * long) ** 0.5),) if params["scales"] == "three" else ()
    return tuple(sorted({short, *middle, long}))


def lag_steps(params: Params) -> list[int]:
    """Lags in rows."""
    return [multiple * int(params["lag_rows"]) for multiple in LAGS[str(params["lags"])]]


def _by_regime(batch: Batch, params: Params) -> Batch:
    """The batch with every variable standardised inside its operating regime."""
    if FEATURIZE not in batch.fitted_states:
        wanted = [name.split("=")[0] in batch.regime for name in batch.names]
        if batch.regime and not any(wanted):
            raise TrialError("no column of --regime is left after cleaning", "name columns that vary")
        columns = np.flatnonzero(wanted) if batch.regime else np.arange(len(batch.names))
        state = fitted_regimes(
            batch.X[batch.is_train], columns, n_regimes=int(params["n_regimes"]), seed=batch.task.seed
        )
        batch = batch.with_fitted_state(FEATURIZE, state)
    return batch.with_columns(standardised(batch.X, batch.fitted_states[FEATURIZE]), batch.names)


@cache
def _defaults() -> Mapping[str, Value]:
    return {h.name: h.default for h in Featurize.hyperparameters()}


def _add_features(made: _NewColumns, X: FloatArray, *, starts: IntArray, place: IntArray, params: Params) -> None:
    """Computes the new columns."""
    statistics = ROLLING[str(params["rolling"])]
    for window in windows_of(params) if statistics else ():
        blocks = [made.add(f"{name}_{window}") for name in statistics]
        _rolling.rolling(X, starts, place=place, window=window, statistics=statistics, made=blocks)
    if params["exponential"]:
        rows = int(params["exponential_rows"])
        made.add(f"exponential_{rows}")[:] = _rolling.exponential_mean(X, starts, place=place, rows=rows).T
    for name, values in _trend(
        X, starts, kinds=TREND[str(params["trend"])], difference_rows=int(params["difference_rows"])
    ):
        made.add(name)[:] = values.T
    for step in lag_steps(params):
        made.add(f"lag_{step}")[:] = _earlier(X, starts, step=step).T
    if params["since_start"]:
        made.add("since_start")[:] = (X - _rolling.start_mean(X, starts, n_rows=int(params["start_rows"]))).T
    if params["bands"]:
        for name, values in band_amplitudes(X, starts, place=place, window=int(params["band_rows"])):
            made.add(name)[:] = values.T
    if params["peak_frequency"]:
        window = int(params["window_rows"])
        made.add(f"peak_frequency_{window}")[:] = peak_frequency(X, starts, place=place, window=window).T


def _earlier(X: FloatArray, starts: IntArray, *, step: int) -> FloatArray:
    """The values `step` rows earlier; those of the group's first row where there are none."""
    return X[np.maximum(starts, np.arange(len(X)) - step)]


def _trend(X: FloatArray, starts: IntArray, *, kinds: tuple[str, ...], difference_rows: int) -> Columns:
    """Backward differences: the gradient over one row, a difference over several, the slope's angle over two."""
    if not kinds:
        return []
    if kinds == ("gradient",):
        return [("gradient", X - _earlier(X, starts, step=1))]
    if kinds == ("difference",):
        return [(f"difference_{difference_rows}", X - _earlier(X, starts, step=difference_rows))]
    slope = np.arctan((X - _earlier(X, starts, step=2)) / 2.0)
    made = {"slope": slope, "slope_sin": np.sin(slope), "slope_cos": np.cos(slope)}
    return [(kind, made[kind]) for kind in kinds]
