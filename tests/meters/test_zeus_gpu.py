"""AMD GPUs by Zeus, over a stand-in of its objects."""

from __future__ import annotations

import pytest

from cemai_opt.core.errors import MeterError
from cemai_opt.meters.zeus_gpu import ZeusGpu
from cemai_opt.testing.hardware import FakeAmdGpus


def test_millijoules_become_joules() -> None:
    """Of the whole device, which is leased."""
    gpus = FakeAmdGpus()
    meter = ZeusGpu(gpus)
    start_j = meter.read_j()
    gpus.energy_mj[0] += 2500
    assert meter.read_j() - start_j == pytest.approx(2.5)
    assert (meter.device, meter.kind) == ("gpu0", "gpu")
    assert "Fake Instinct" in meter.source


def test_what_cannot_be_read_is_said() -> None:
    """No driver, no counter, and a library that fails."""
    pytest.importorskip("zeus")
    state = ZeusGpu.availability()
    assert state.is_readable or (state.why and "ROCm" in state.remedy)
    with pytest.raises(MeterError, match="no energy counter"):
        ZeusGpu(FakeAmdGpus(has_counter=False))
    gpus = FakeAmdGpus()
    meter = ZeusGpu(gpus, leases=False)
    gpus.error = "amdsmi is gone"
    with pytest.raises(MeterError, match="amdsmi is gone"):
        meter.read_j()


def test_zeus_has_the_calls_that_are_made() -> None:
    """The stand-in's methods are those of the library."""
    library = pytest.importorskip("zeus.device.gpu.common").GPUs
    called = [name for name in vars(FakeAmdGpus) if not name.startswith("_")]
    assert [name for name in called if not hasattr(library, name)] == []
