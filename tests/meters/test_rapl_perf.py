"""RAPL through perf events, over a description in a temporary folder and events that count by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt.core.errors import MeterError
from cemai_opt.meters.rapl_perf import RaplPerf
from cemai_opt.testing.hardware import FakePerf, perf_tree
from tests.meters.conftest import HandClocks

COUNTS_PER_J = 2**32


def test_packages_and_memory_are_counted_on_one_processor_each(tmp_path: Path, clocks: HandClocks) -> None:
    """Two sockets: four events, of type 21, on the processors that the kernel names; scaled to joules."""
    perf = FakePerf()
    meter = RaplPerf(perf_tree(tmp_path, processors="0,28"), perf, clocks=clocks.readings)
    assert perf.opened == [(21, 2, 0), (21, 2, 28), (21, 3, 0), (21, 3, 28)]
    perf.count += 3 * COUNTS_PER_J
    clocks.alone(1.0)
    assert meter.read_j() == pytest.approx(4 * 3.0)
    assert meter.covers == {"ram"}
    assert meter.source.startswith("rapl_perf: 4 counters by CPU-time share")


def test_processors_may_be_given_as_a_range(tmp_path: Path, clocks: HandClocks) -> None:
    """`0-2`, as some kernels write it; without memory events memory is not covered."""
    perf = FakePerf()
    meter = RaplPerf(perf_tree(tmp_path, processors="0-2", has_memory=False), perf, clocks=clocks.readings)
    assert [cpu for _, _, cpu in perf.opened] == [0, 1, 2]
    assert meter.covers == set()


def test_what_cannot_be_read_is_said(tmp_path: Path, clocks: HandClocks) -> None:
    """No events, events that the kernel refuses, and an event that fails later."""
    nowhere = RaplPerf.availability(tmp_path)
    assert not nowhere.is_readable
    assert "energy-pkg" in nowhere.why
    root, perf = perf_tree(tmp_path), FakePerf()
    assert RaplPerf.availability(root, perf).is_readable
    meter = RaplPerf(root, perf, clocks=clocks.readings)
    perf.error = "Permission denied"
    refused = RaplPerf.availability(root, perf)
    assert "Permission denied" in refused.why
    assert "perf_event_paranoid" in refused.remedy
    with pytest.raises(MeterError, match="Permission denied"):
        RaplPerf(root, perf)
    with pytest.raises(MeterError, match="Permission denied"):
        meter.read_j()
