"""Which meters a study opens."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cemai_opt.core.errors import MeterError, StudyError
from cemai_opt.core.registry import Registry
from cemai_opt.meters import METERS, RECORD, Meter
from cemai_opt.meters._choose import open_meters
from cemai_opt.meters.replay import TRACE, Replay
from cemai_opt.testing import trace_of

METER = """from cemai_opt.meters import Availability, Meter

class {name}(Meter):
    '''A meter of a test.'''

    kind, rank, covers = "{kind}", {rank}, frozenset({covers})

    @classmethod
    def availability(cls):
        return Availability({readable}, "{name} is unplugged", "plug it in")

    def _read_j(self):
        return 0.0
"""

MakeRegistry = Callable[..., "Registry[Meter]"]


@pytest.fixture
def meters_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeRegistry:
    """Makes a registry of meters, given their kind, rank, whether they can be read, and what else they cover."""
    monkeypatch.delenv(RECORD, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [module for module in sys.modules if module.split(".")[0] == "meters_of_a_test"]:
        monkeypatch.delitem(sys.modules, name)

    def make(**meters: tuple[str, int, bool, list[str]]) -> Registry[Meter]:
        package = tmp_path / "meters_of_a_test"
        package.mkdir()
        (package / "__init__.py").write_text("")
        for name, (kind, rank, readable, covers) in meters.items():
            text = METER.format(name=name.title(), kind=kind, rank=rank, readable=readable, covers=covers)
            (package / f"{name}.py").write_text(text)
        return Registry("meter", "meters_of_a_test", base=Meter)

    return make


def names(meters: tuple[Meter, ...]) -> list[str]:
    """Their classes, in order."""
    return [type(meter).__name__ for meter in meters]


def test_the_best_source_that_can_be_read_is_chosen(meters_of: MakeRegistry) -> None:
    """For the processor and the memory, not for a GPU that is not used."""
    registry = meters_of(
        broken=("cpu", 1, False, []),
        good=("cpu", 10, True, []),
        worse=("cpu", 20, True, []),
        memory=("ram", 20, True, []),
        card=("gpu", 10, True, []),
    )
    assert names(open_meters(registry, "auto", device="cpu", threads=1)) == ["Good", "Memory"]
    assert names(open_meters(registry, "auto", device="cuda", threads=1)) == ["Good", "Memory", "Card"]


def test_nothing_is_counted_twice(meters_of: MakeRegistry) -> None:
    """A source that covers memory needs no second one."""
    registry = meters_of(good=("cpu", 10, True, ["ram"]), memory=("ram", 20, True, []))
    assert names(open_meters(registry, "auto", device="cpu", threads=1)) == ["Good"]


def test_a_source_that_was_asked_for_is_used_or_an_error(meters_of: MakeRegistry) -> None:
    """Never silently another one."""
    registry = meters_of(
        broken=("cpu", 1, False, []),
        good=("cpu", 10, True, []),
        worse=("cpu", 20, True, []),
        memory=("ram", 1, True, []),
    )
    assert names(open_meters(registry, "worse", device="cpu", threads=1)) == ["Worse", "Memory"]
    with pytest.raises(MeterError, match=r"meter 'broken': Broken is unplugged \(plug it in\)"):
        open_meters(registry, "broken", device="cpu", threads=1)
    with pytest.raises(MeterError, match="'memory' reads ram energy, a study needs one of the CPU"):
        open_meters(registry, "memory", device="cpu", threads=1)
    with pytest.raises(StudyError, match="did you mean 'good'"):
        open_meters(registry, "goood", device="cpu", threads=1)


def test_a_kind_that_nothing_reads_is_an_error(meters_of: MakeRegistry) -> None:
    """A GPU that would be left out of the sum, for instance."""
    registry = meters_of(good=("cpu", 10, True, ["ram"]), card=("gpu", 10, False, []))
    with pytest.raises(MeterError, match="no gpu energy can be read here"):
        open_meters(registry, "auto", device="cuda", threads=1)


def test_a_trace_is_replayed_only_if_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands for all devices then."""
    monkeypatch.delenv(RECORD, raising=False)
    monkeypatch.setenv(TRACE, str(trace_of(tmp_path)))
    assert "Replay" not in names(open_meters(METERS, "auto", device="cpu", threads=1))
    assert names(open_meters(METERS, "replay", device="cpu", threads=1)) == ["Replay"]


def test_a_recorded_sum_of_all_meters_can_be_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last digit."""
    monkeypatch.setenv(RECORD, str(tmp_path / "trace.txt"))
    (meter,) = open_meters(METERS, "cpu_time", device="cpu", threads=1)
    readings = [meter.read_j() for _ in range(3)]
    again = Replay(tmp_path / "trace.txt")
    assert [again.read_j() for _ in range(3)] == readings
