"""The memory that is free for trials on this machine, or in this control group."""

from __future__ import annotations

from pathlib import Path

import psutil

from cemai_opt.core.study import EngineSpec

MOST_OF_FREE = 0.9
"""Share of the free memory that all trials together may use by default."""
BYTES_PER_MB = 10**6
CGROUPS = Path("/sys/fs/cgroup")


def trial_bytes(spec: EngineSpec, slots: int) -> int:
    """Bytes that one of `slots` trials may use: as given in the study, or its share of the memory that is free now."""
    if spec.trial_memory_mb is not None:
        return spec.trial_memory_mb * BYTES_PER_MB
    return int(MOST_OF_FREE * free_bytes() / slots)


def free_bytes(mount: Path = CGROUPS, membership: Path = Path("/proc/self/cgroup")) -> int:
    """Free bytes of the machine, or of the version-2 control groups that this process is in."""
    free = int(psutil.virtual_memory().available)
    try:
        path = next(line[3:] for line in membership.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return free
    group = mount / path.strip("/")
    for folder in (group, *group.parents):
        try:
            limit = int((folder / "memory.max").read_text())
            free = min(free, max(0, limit - int((folder / "memory.current").read_text())))
        except (OSError, ValueError):  # no limit here, or "max"
            continue
        if folder == mount:
            break
    return free
