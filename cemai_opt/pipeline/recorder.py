"""Reads all meters at the borders of stages, so that the rows of a run add up to its total."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from cemai_opt.core.measurement import OVERHEAD, Cost, Measurement
from cemai_opt.meters import Meter, process_tree_cpu_s


@dataclass(frozen=True)
class _Moment:
    at_s: float
    cpu_s: float
    energy_j: tuple[float, ...]


@dataclass(frozen=True)
class _Span:
    name: str
    start: _Moment
    end: _Moment

    @property
    def duration_s(self) -> float:
        return self.end.at_s - self.start.at_s

    @property
    def cpu_s(self) -> float:
        return self.end.cpu_s - self.start.cpu_s


class Recorder:
    """Windows around the stages of one pipeline run."""

    def __init__(
        self,
        meters: Sequence[Meter],
        clock: Callable[[], float] = time.perf_counter,
        cpu_clock: Callable[[], float] = process_tree_cpu_s,
    ) -> None:
        self._meters, self._clock, self._cpu_clock = tuple(meters), clock, cpu_clock
        self._spans: list[_Span] = []
        for meter in self._meters:
            meter.begin_run()
        self._start = self._now()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts what happens inside towards stage `name`, also when it fails."""
        start = self._now()
        try:
            yield
        finally:
            self._spans.append(_Span(name, start, self._now()))

    def elapsed_s(self) -> float:
        """Seconds since this recorder was made."""
        return self._clock() - self._start.at_s

    def close(self) -> Cost:
        """Cost of the run so far: a row a stage, and an overhead row for what lay between them.

        The run's total is authoritative. A stage shorter than a meter's resolution gets that meter's energy by its
        share of CPU time, and the overhead row takes the rest, so that rows add up exactly.
        """
        whole = _Span(OVERHEAD, self._start, self._now())
        names = dict.fromkeys(span.name for span in self._spans)
        charged = [self._charged(i, whole) for i in range(len(self._meters))]
        rows = [self._row(name, [s for s in self._spans if s.name == name], charged) for name in names]
        return Cost((*rows, self._overhead(whole, rows)))

    def _now(self) -> _Moment:
        return _Moment(self._clock(), self._cpu_clock(), tuple(meter.read_j() for meter in self._meters))

    def _charged(self, i: int, whole: _Span) -> dict[str, float]:
        """Joules of meter `i` by stage name, together at most its total."""
        total_j = whole.end.energy_j[i] - whole.start.energy_j[i]
        j_per_cpu_s = total_j / whole.cpu_s if whole.cpu_s > 0 else 0.0
        by_stage: dict[str, float] = {}
        for span in self._spans:
            own_j = span.end.energy_j[i] - span.start.energy_j[i]
            is_short = span.duration_s < self._meters[i].resolution_s
            by_stage[span.name] = by_stage.get(span.name, 0.0) + (span.cpu_s * j_per_cpu_s if is_short else own_j)
        sum_j = math.fsum(by_stage.values())
        shrink = total_j / sum_j if sum_j > total_j and sum_j > 0 else 1.0
        return {name: joules * shrink for name, joules in by_stage.items()}

    def _row(self, name: str, spans: Sequence[_Span], charged: Sequence[dict[str, float]]) -> Measurement:
        joules = {meter.device: by_stage[name] for meter, by_stage in zip(self._meters, charged, strict=True)}
        return self._measurement(
            name, math.fsum(s.duration_s for s in spans), math.fsum(s.cpu_s for s in spans), joules
        )

    def _overhead(self, whole: _Span, rows: Sequence[Measurement]) -> Measurement:
        joules = {
            meter.device: max(0.0, end - start - math.fsum(row.energy_j[meter.device] for row in rows))
            for meter, start, end in zip(self._meters, whole.start.energy_j, whole.end.energy_j, strict=True)
        }
        return self._measurement(
            OVERHEAD,
            max(0.0, whole.duration_s - math.fsum(row.duration_s for row in rows)),
            max(0.0, whole.cpu_s - math.fsum(row.cpu_s for row in rows)),
            joules,
        )

    def _measurement(self, name: str, duration_s: float, cpu_s: float, joules: dict[str, float]) -> Measurement:
        uncertainty_j = math.hypot(*(meter.uncertainty_j(joules[meter.device], duration_s) for meter in self._meters))
        source = "; ".join(meter.source for meter in self._meters)
        return Measurement(name, duration_s, cpu_s, joules, uncertainty_j, source)
