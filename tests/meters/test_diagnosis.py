"""What a machine can measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt.meters import METERS, machine_idle
from cemai_opt.meters import _checkup as checkup
from cemai_opt.meters._diagnosis import Diagnosis, diagnosis_of
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.meters.ram import Ram
from cemai_opt.meters.replay import TRACE


@pytest.fixture
def diagnosis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Diagnosis:
    """This machine, with two meters of its own in use, after little work."""
    monkeypatch.setattr(checkup, "WORK_S", {0.001: 2})
    monkeypatch.setenv("CEMAI_OPT_HOME", str(tmp_path))
    monkeypatch.delenv(TRACE, raising=False)
    readings = iter(range(100))
    return diagnosis_of(METERS, [CpuTime(clock=lambda: float(next(readings)), watts=3.0), Ram()])


def test_every_source_is_listed_whether_it_can_be_read_or_not(diagnosis: Diagnosis) -> None:
    """One that cannot has its reason and a remedy."""
    by_name = {source.name: source for source in diagnosis.sources}
    assert set(by_name) == set(METERS.available())
    assert by_name["cpu_time"].readable
    assert (by_name["replay"].readable, by_name["replay"].why) == (False, f"{TRACE} is not set")
    assert all(source.readable or (source.why and source.remedy) for source in diagnosis.sources)
    assert {source.kind for source in diagnosis.sources} <= {"cpu", "ram", "gpu"}


def test_the_meters_in_use_speak_for_themselves(diagnosis: Diagnosis) -> None:
    """The error and the precision are those of the first."""
    assert len(diagnosis.in_use) == 2
    assert "3 W/thread, given" in diagnosis.in_use[0]
    assert diagnosis.in_use[1].startswith("ram:")
    assert diagnosis.model_error == CpuTime.model_error
    assert [row.work_s for row in diagnosis.expected_uncertainty] == [0.001, checkup.LONG_S]


def test_idle_power_is_told_with_its_source(diagnosis: Diagnosis) -> None:
    """As the footprint counts it."""
    assert (diagnosis.idle_w, diagnosis.idle_source) == machine_idle()
