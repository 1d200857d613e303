"""A second opinion from CodeCarbon, which may fail without harm."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import codecarbon
import pytest

from cemai_opt.carbon import Audit, AuditReading
from cemai_opt.core.units import J_PER_KWH


class Tracker:
    """CodeCarbon's tracker, which fails where it is told to."""

    fails_at = ""
    data: Any = SimpleNamespace(cpu_energy=3.0, gpu_energy=2.0, ram_energy=1.0, ram_power=20.0)
    options: dict[str, Any]

    def __init__(self, **options: Any) -> None:
        type(self).options = options
        self._reach("open")

    def start(self) -> None:
        """Fails, or begins."""
        self._reach("start")

    def stop(self) -> None:
        """Fails, or ends."""
        self._reach("stop")

    @property
    def final_emissions_data(self) -> Any:
        """What it has counted, if it can be read."""
        self._reach("read")
        return self.data

    def _reach(self, moment: str) -> None:
        if self.fails_at == moment:
            raise RuntimeError(f"no power at {moment}")


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> type[Tracker]:
    """A library that has this tracker instead of its own."""

    class Fresh(Tracker):
        pass

    monkeypatch.setattr(codecarbon, "OfflineEmissionsTracker", Fresh)
    return Fresh


def test_kilowatt_hours_become_joules(tracker: type[Tracker]) -> None:
    """By device, with the method in words."""
    reading = Audit().stop()
    assert reading == AuditReading(cpu_j=3 * J_PER_KWH, gpu_j=2 * J_PER_KWH, ram_j=J_PER_KWH, method="RAM 20 W")
    assert reading.energy_j == pytest.approx(6 * J_PER_KWH)


@pytest.mark.parametrize("moment", ["open", "start", "stop", "read"])
def test_a_failing_audit_is_logged_and_ends_no_run(
    tracker: type[Tracker], caplog: pytest.LogCaptureFixture, moment: str
) -> None:
    """There is no reading then, and a warning says why."""
    tracker.fails_at = moment
    audit = Audit()
    assert audit.stop() is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "there is no audit" in record.message
    assert audit.failure in record.message
    assert audit.failure.startswith("CodeCarbon cannot ")
    assert f"no power at {moment}" in caplog.text


def test_an_audit_that_counted_nothing_has_no_reading(tracker: type[Tracker], caplog: pytest.LogCaptureFixture) -> None:
    """Which is no failure."""
    tracker.data = None
    assert Audit().stop() is None
    assert not caplog.records


def test_an_audit_asks_no_server_and_writes_no_file(tracker: type[Tracker]) -> None:
    """The offline tracker, without its file."""
    Audit()
    assert tracker.options["save_to_file"] is False
    assert tracker.options["country_iso_code"]
    assert tracker.options["tracking_mode"] == "machine"


@pytest.mark.parametrize("moment", ["", "open"])
@pytest.mark.parametrize("was_disabled", [True, False])
def test_codecarbons_logger_is_left_as_it_was(
    tracker: type[Tracker], monkeypatch: pytest.MonkeyPatch, moment: str, was_disabled: bool
) -> None:
    """Also after a failure: an application may use CodeCarbon itself."""
    tracker.fails_at = moment
    logger = logging.getLogger("codecarbon")
    monkeypatch.setattr(logger, "disabled", was_disabled)
    Audit()
    assert logger.disabled == was_disabled
