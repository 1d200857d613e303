"""Systems on a chip by Zeus, over a stand-in of its objects."""

from __future__ import annotations

import pytest

from cemai_opt.core.errors import MeterError
from cemai_opt.meters.zeus_soc import ZeusSoc
from cemai_opt.testing.hardware import ChipEnergy, FakeChip
from tests.meters.conftest import HandClocks


def test_apple_counts_its_processor_and_its_memory(clocks: HandClocks) -> None:
    """Not its GPU, which a study on the CPU does not use."""
    chip = FakeChip(("cpu_total_mj", "dram_mj", "gpu_mj"))
    meter = ZeusSoc(chip, clocks.readings)
    for field, step_mj in (("cpu_total_mj", 2000), ("dram_mj", 500), ("gpu_mj", 9000)):
        chip.add(field, step_mj)
    clocks.alone(1.0)
    assert meter.read_j() == pytest.approx(2.5)
    assert meter.covers == {"ram"}
    assert meter.source.startswith("zeus_soc: FakeChip, cpu_total_mj and dram_mj, by CPU-time share")


def test_jetson_counts_its_board_once(clocks: HandClocks) -> None:
    """The processor's rail is a part of the board's."""
    chip = FakeChip(("cpu_energy_mj", "total_energy_mj"))
    meter = ZeusSoc(chip, clocks.readings)
    chip.add("cpu_energy_mj", 1000)
    chip.add("total_energy_mj", 4000)
    clocks.alone(1.0)
    assert meter.read_j() == pytest.approx(4.0)
    assert meter.covers == {"ram", "gpu"}


def test_a_jetson_without_a_rail_of_the_board_counts_its_processor(clocks: HandClocks) -> None:
    """And covers nothing else."""
    chip = FakeChip(("cpu_energy_mj",))
    meter = ZeusSoc(chip, clocks.readings)
    chip.add("cpu_energy_mj", 1000)
    clocks.alone(1.0)
    assert meter.read_j() == pytest.approx(1.0)
    assert meter.covers == set()


def test_what_cannot_be_read_is_said(clocks: HandClocks) -> None:
    """This machine is none; a chip without known fields is none either; a failing library is an error."""
    state = ZeusSoc.availability()
    assert state.is_readable or (state.why and state.remedy)
    with pytest.raises(MeterError, match="no readable energy counter"):
        ZeusSoc(FakeChip(("gpu_mj",)), clocks.readings)
    chip = FakeChip()
    meter = ZeusSoc(chip, clocks.readings)
    chip.error = "IOReport is gone"
    with pytest.raises(MeterError, match="IOReport is gone"):
        meter.read_j()


def test_zeus_has_the_fields_that_are_read() -> None:
    """The stand-in's fields are those of the library."""
    apple = pytest.importorskip("zeus.device.soc.apple").AppleSiliconMeasurement
    jetson = pytest.importorskip("zeus.device.soc.jetson").JetsonMeasurement
    known = {*apple.__dataclass_fields__, *jetson.__dataclass_fields__}
    assert known >= set(ChipEnergy.__dataclass_fields__)


def test_zeus_finds_no_chip_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own error becomes ours, with what would help on a Mac."""
    pytest.importorskip("zeus")
    from cemai_opt.meters import zeus_soc

    if ZeusSoc.availability().is_readable:
        pytest.skip("this machine is a chip that Zeus reads")
    monkeypatch.setattr(zeus_soc.platform, "machine", lambda: "aarch64")
    state = ZeusSoc.availability()
    assert "Zeus cannot read this chip" in state.why
    assert "zeus-apple-silicon" in state.remedy
