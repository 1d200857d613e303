"""NVML over a library that follows the real one's calls."""

from __future__ import annotations

import pytest

from cemai_opt.core.errors import MeterError
from cemai_opt.meters.nvml import Nvml
from tests.meters.stand_ins import FakeNvml


def test_millijoules_become_joules() -> None:
    """The difference of the counter, in joules, on a device of its own name."""
    library = FakeNvml()
    meter = Nvml(library=library)  # type: ignore[arg-type]  # a stand-in
    with meter.window() as window:
        library.energy_mj += 2_500
    assert window.energy_j == pytest.approx(2.5)
    assert meter.device == "gpu0"
    assert "Fake GPU" in meter.source


def test_a_gpu_without_a_counter_is_said() -> None:
    """Before Volta there is none: an error with a reason, never a zero."""
    state = Nvml.availability(library=FakeNvml(broken=True))  # type: ignore[arg-type]  # a stand-in
    assert not state.is_readable
    assert "Not Supported" in state.why
    with pytest.raises(MeterError, match="Not Supported"):
        Nvml(library=FakeNvml(broken=True))  # type: ignore[arg-type]  # a stand-in
