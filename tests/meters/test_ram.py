"""Memory that a run takes."""

from __future__ import annotations

import mmap
import os

import numpy as np
import pytest

from cemai_opt.meters.ram import W_PER_GB, Ram, anonymous_bytes, process_tree_bytes


class Scene:
    """CPU seconds and resident bytes, moved by hand."""

    cpu_s, resident = 0.0, 1_000_000_000

    def meter(self, threads: int = 1) -> Ram:
        """A meter on this scene."""
        return Ram(threads, lambda: self.cpu_s, resident_bytes=lambda: self.resident)


def test_only_what_the_run_takes_counts() -> None:
    """2 GB taken on top of 1 GB for 10 CPU seconds; libraries and data were there before."""
    scene = Scene()
    meter = scene.meter()
    meter.begin_run()
    scene.resident += 2_000_000_000
    start_j = meter.read_j()
    scene.cpu_s += 10.0
    assert meter.read_j() - start_j == pytest.approx(W_PER_GB * 2 * 10)


def test_waiting_costs_nothing_and_threads_share_the_time() -> None:
    """Active time is CPU seconds over threads."""
    scene = Scene()
    meter = scene.meter(threads=4)
    meter.begin_run()
    scene.resident += 1_000_000_000
    start_j = meter.read_j()
    assert meter.read_j() == start_j
    scene.cpu_s += 8.0
    assert meter.read_j() - start_j == pytest.approx(W_PER_GB * 2.0)


def test_real_memory_is_seen() -> None:
    """A hundred megabytes that are written to are resident."""
    before = process_tree_bytes()
    block = np.ones(12_500_000)
    assert process_tree_bytes() - before > 80e6
    assert block.sum() > 0


def test_shared_memory_is_memory() -> None:
    """A trial that allocates it takes it from the others as well."""
    before = anonymous_bytes(os.getpid())
    with mmap.mmap(-1, 50_000_000) as shared:
        shared.write(bytes(50_000_000))
        assert anonymous_bytes(os.getpid()) - before > 45_000_000
