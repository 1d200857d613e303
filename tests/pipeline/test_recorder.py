"""Stages add up to the total, whatever the meter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.measurement import OVERHEAD, Cost
from cemai_opt.meters import Availability, Meter
from cemai_opt.pipeline import Recorder
from cemai_opt.pipeline.recorder import PREDICTION_ERROR


class Scripted(Meter):
    """Reads what it is told."""

    def __init__(self, readings: list[float], resolution_s: float = 0.0) -> None:
        self._readings = iter(readings)
        self.resolution_s = resolution_s  # type: ignore[misc]  # of this one meter

    @classmethod
    def availability(cls) -> Availability:
        """Always."""
        return Availability(True)

    def _read_j(self) -> float:
        return next(self._readings)


def recorded(steps: list[float], names: list[str], resolution_s: float = 0.0) -> Cost:
    """Stages between readings that grow by `steps`; a second passes between two readings."""
    at = [sum(steps[:i]) for i in range(len(steps) + 1)]

    def ticks() -> Iterator[float]:
        now = 0.0
        while True:
            yield now
            now += 1.0

    clock, cpu = ticks(), ticks()
    recorder = Recorder([Scripted(at, resolution_s)], lambda: next(clock), cpu_clock=lambda: next(cpu))
    for name in names:
        with recorder.stage(name):
            pass
    return recorder.recording().cost


@given(st.lists(st.floats(0.0, 1e3), min_size=9, max_size=9), st.sampled_from([0.0, 10.0]))
def test_rows_add_up_to_the_total(steps: list[float], resolution_s: float) -> None:
    """Also where every stage is shorter than the meter's resolution."""
    cost = recorded(steps, ["clean", "train", "clean", "evaluate"], resolution_s)
    assert [row.stage for row in cost.rows] == ["clean", "train", "evaluate", OVERHEAD]
    assert cost.energy_j == pytest.approx(sum(steps))
    assert cost.duration_s == pytest.approx(9.0)
    assert all(row.total_j >= 0 for row in cost.rows)


def test_a_stage_gets_what_was_read_inside_it() -> None:
    """1 J before, 5 J inside, 2 J after: the stage costs 5, the overhead 3."""
    cost = recorded([1.0, 5.0, 2.0], ["train"])
    assert {row.stage: row.total_j for row in cost.rows} == {"train": 5.0, OVERHEAD: 3.0}


def test_a_stage_too_short_for_its_meter_gets_its_share_of_cpu_time() -> None:
    """One of three seconds of CPU time: a third of what the whole run drew."""
    cost = recorded([0.0, 0.0, 9.0], ["train"], resolution_s=10.0)
    assert {row.stage: row.total_j for row in cost.rows} == {"train": 3.0, OVERHEAD: 6.0}


def test_a_stage_that_fails_is_charged() -> None:
    """What ran until the fault was spent."""
    recorder = Recorder([Scripted([0.0, 0.0, 4.0, 4.0])])
    with pytest.raises(ValueError, match="no"), recorder.stage("train"):
        raise ValueError("no")
    assert recorder.recording().spent.rows[0].total_j == pytest.approx(4.0)


def test_the_cost_on_all_rows_is_predicted_from_a_part_of_them() -> None:
    """In proportion to their number; what was spent stays as it was measured."""
    ticks = iter(range(100))
    recorder = Recorder(
        [Scripted([0.0, 1.0, 4.0, 5.0])], lambda: float(next(ticks)), cpu_clock=lambda: 0.0, factor=10.0
    )
    with recorder.stage("train"):
        pass
    recording = recorder.recording()
    assert recording.spent.energy_j == pytest.approx(5.0)
    assert recording.cost.energy_j == pytest.approx(50.0)
    (train, _) = recording.cost.rows
    assert train.total_j == pytest.approx(30.0)
    assert train.uncertainty_j >= PREDICTION_ERROR * 30.0
    assert "predicted from 10% of the rows" in train.source
