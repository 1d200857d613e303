"""Reads all meters at the start and end of each stage, so that the rows of a run add up to its total."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from cemai_opt.core.measurement import OVERHEAD, Cost, Measurement
from cemai_opt.meters import Meter, process_tree_cpu_s

CHECKPOINTS = "checkpoints"
"""Row of the energy spent on evaluating partially trained models."""
CACHE = "cache"
"""Row of the energy spent on reading and writing stage results."""
INFERENCE = "inference"
"""Row of the energy spent on measuring predictions."""
ASIDES = (CHECKPOINTS, CACHE, INFERENCE)
PREDICTION_ERROR = 0.3
"""Relative standard uncertainty of a cost that is predicted from a part of the rows; docs/decisions/large_data.md."""
TRAIN, EVALUATE = "train", "evaluate"


@dataclass(frozen=True)
class _Moment:
    at_s: float
    cpu_s: float
    energy_j: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class _Span:
    """`name` is a stage or one of `ASIDES`; `size` is that of the model at a checkpoint."""

    name: str
    start: _Moment
    end: _Moment
    size: int | None = None

    @property
    def duration_s(self) -> float:
        return self.end.at_s - self.start.at_s

    @property
    def cpu_s(self) -> float:
        return self.end.cpu_s - self.start.cpu_s


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The cost of a run. `spent` is all energy used; `cost` is that of the same run without cache and checkpoints.

    If the run had a part of the rows only, `cost` is predicted for all of them.

    `points`: by size of the model at a checkpoint, the rows of training up to it and of evaluating it.
    """

    spent: Cost
    cost: Cost
    points: Mapping[int, tuple[Measurement, Measurement]] = field(default_factory=dict)
    inferences: Mapping[int, Measurement] = field(default_factory=dict)
    """For the same sizes, the cost of repeated predictions, if the objective needs them."""


class Recorder:
    """Measures the stages of one pipeline run. `factor`: how many times as many rows there are as the run has."""

    def __init__(
        self,
        meters: Sequence[Meter],
        clock: Callable[[], float] = time.perf_counter,
        *,
        cpu_clock: Callable[[], float] = process_tree_cpu_s,
        factor: float = 1.0,
    ) -> None:
        self._meters, self._clock, self._cpu_clock = tuple(meters), clock, cpu_clock
        self.factor = factor
        self._spans: list[_Span] = []
        self._known: dict[str, Measurement] = {}
        self._open: tuple[str, _Moment] | None = None
        for meter in self._meters:
            meter.begin_run()
        self._start = self._now()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A context whose energy counts towards stage `name`, also if it fails."""
        self._open = name, self._now()
        try:
            yield
        finally:
            self._shut(self._now())
            self._open = None

    @contextmanager
    def aside(self, name: str, size: int | None = None) -> Iterator[None]:
        """A context whose energy counts as spent, but towards no stage; the current stage is interrupted."""
        stage, start = self._open, self._now()
        self._shut(start)
        self._open = None
        try:
            yield
        finally:
            end = self._now()
            self._spans.append(_Span(name=name, start=start, end=end, size=size))
            self._open = (stage[0], end) if stage is not None else None

    def known(self, row: Measurement) -> None:
        """Adds the recorded cost of a stage that was taken from the cache."""
        self._known[row.stage] = row

    @property
    def last_s(self) -> float:
        """Seconds of what was measured last."""
        return self._spans[-1].duration_s

    def elapsed_s(self) -> float:
        """Seconds since this recorder was created."""
        return self._clock() - self._start.at_s

    def recording(self) -> Recording:
        """Cost of the run so far: one row per stage, and an overhead row for the time between them.

        The run's total is authoritative. A stage shorter than a meter's resolution gets that meter's energy by its
        share of CPU time, and the overhead row takes the rest, so that rows add up exactly.
        """
        now = self._now()
        spans = [*self._spans, _Span(name=self._open[0], start=self._open[1], end=now)] if self._open else self._spans
        whole = _Span(name=OVERHEAD, start=self._start, end=now)
        charged = [self._charged(i, spans, whole=whole) for i in range(len(self._meters))]

        def row(name: str, chosen: Sequence[int]) -> Measurement:
            joules = {m.device: math.fsum(c[i] for i in chosen) for m, c in zip(self._meters, charged, strict=True)}
            duration_s = math.fsum(spans[i].duration_s for i in chosen)
            return self._measurement(name, duration_s, cpu_s=math.fsum(spans[i].cpu_s for i in chosen), joules=joules)

        def at_checkpoint(i: int) -> tuple[Measurement, Measurement]:
            trained = [j for j in range(i) if spans[j].name == TRAIN]
            return self._predicted(row(TRAIN, trained)), self._predicted(row(EVALUATE, [i]))

        names = dict.fromkeys(span.name for span in spans)
        rows = {name: row(name, [i for i, span in enumerate(spans) if span.name == name]) for name in names}
        overhead = self._overhead(whole, list(rows.values()))
        measured = {name: self._predicted(row) for name, row in rows.items() if name not in ASIDES}
        stages = {**self._known, **measured}
        sized = [(i, span.name, span.size) for i, span in enumerate(spans) if span.size is not None]
        return Recording(
            spent=Cost((*rows.values(), overhead)),
            cost=Cost((*stages.values(), self._predicted(overhead))),
            points={size: at_checkpoint(i) for i, name, size in sized if name == CHECKPOINTS},
            inferences={size: row(INFERENCE, [i]) for i, name, size in sized if name == INFERENCE},
        )

    def _predicted(self, row: Measurement) -> Measurement:
        """The cost on all rows, which is proportional to their number."""
        return row if self.factor == 1.0 else predicted(row, self.factor)

    def _shut(self, end: _Moment) -> None:
        """Ends the measurement of the current stage, if there is one."""
        if self._open is not None:
            name, start = self._open
            self._spans.append(_Span(name=name, start=start, end=end))

    def _now(self) -> _Moment:
        return _Moment(self._clock(), self._cpu_clock(), tuple(meter.read_j() for meter in self._meters))

    def _charged(self, i: int, spans: Sequence[_Span], *, whole: _Span) -> list[float]:
        """Joules of meter `i` by span, scaled down if their sum exceeds its total."""
        total_j = whole.end.energy_j[i] - whole.start.energy_j[i]
        j_per_cpu_s = total_j / whole.cpu_s if whole.cpu_s > 0 else 0.0
        joules = []
        for span in spans:
            is_short = span.duration_s < self._meters[i].resolution_s
            own_j = span.end.energy_j[i] - span.start.energy_j[i]
            joules.append(span.cpu_s * j_per_cpu_s if is_short else own_j)
        sum_j = math.fsum(joules)
        shrink = total_j / sum_j if sum_j > total_j and sum_j > 0 else 1.0
        return [own_j * shrink for own_j in joules]

    def _overhead(self, whole: _Span, rows: Sequence[Measurement]) -> Measurement:
        joules = {
            meter.device: max(0.0, end - start - math.fsum(row.energy_j[meter.device] for row in rows))
            for meter, start, end in zip(self._meters, whole.start.energy_j, whole.end.energy_j, strict=True)
        }
        return self._measurement(
            OVERHEAD,
            max(0.0, whole.duration_s - math.fsum(row.duration_s for row in rows)),
            cpu_s=max(0.0, whole.cpu_s - math.fsum(row.cpu_s for row in rows)),
            joules=joules,
        )

    def _measurement(self, name: str, duration_s: float, *, cpu_s: float, joules: dict[str, float]) -> Measurement:
        uncertainty_j = math.hypot(*(meter.uncertainty_j(joules[meter.device], duration_s) for meter in self._meters))
        source = "; ".join(meter.source for meter in self._meters)
        return Measurement(
            stage=name, duration_s=duration_s, cpu_s=cpu_s, energy_j=joules, uncertainty_j=uncertainty_j, source=source
        )


def predicted(row: Measurement, factor: float) -> Measurement:
    """The cost of a stage on `factor` times as many rows."""
    return replace(
        row,
        duration_s=factor * row.duration_s,
        cpu_s=factor * row.cpu_s,
        energy_j={device: factor * joules for device, joules in row.energy_j.items()},
        uncertainty_j=factor * math.hypot(row.uncertainty_j, PREDICTION_ERROR * row.total_j),
        source=f"predicted from {1.0 / factor:.0%} of the rows, {row.source}",
    )
