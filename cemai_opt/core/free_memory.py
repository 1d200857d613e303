"""The memory that is free on this machine, or in this control group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, kw_only=True)
class _Controller:
    """Where a version of control groups keeps its files, and what they are called (Linux, `admin-guide`)."""

    folder: str
    limit: str
    usage: str
    cache: str
    """Key in `memory.stat` of file pages that the kernel drops when memory is needed."""


VERSIONS = {
    "": _Controller(folder="", limit="memory.max", usage="memory.current", cache="inactive_file"),
    "memory": _Controller(
        folder="memory", limit="memory.limit_in_bytes", usage="memory.usage_in_bytes", cache="total_inactive_file"
    ),
}
"""By the names of controllers in `/proc/self/cgroup`: version 2 has none, version 1 has this one."""


def free_bytes(mount: Path = CGROUPS, membership: Path = Path("/proc/self/cgroup")) -> int:
    """Free bytes of the machine, or of the control groups that this process is in."""
    import psutil

    machine = int(psutil.virtual_memory().available)
    return int(min([machine, *(_free_in(group, controller) for group, controller in _groups(mount, membership))]))


def _groups(mount: Path, membership: Path) -> Iterator[tuple[Path, _Controller]]:
    """The memory groups of this process, and those that they are in, up to the mount point."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:  # no Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for name in controllers.split(","):
            if name in VERSIONS:
                top = mount / VERSIONS[name].folder
                group = top / path.strip("/")
                yield from ((each, VERSIONS[name]) for each in (group, *group.parents) if each.is_relative_to(top))


def _free_in(group: Path, controller: _Controller) -> float:
    """What a group may still use; infinite without a limit."""
    try:
        limit, usage = (int((group / name).read_text()) for name in (controller.limit, controller.usage))
    except (OSError, ValueError):  # no limit here, or "max"
        return float("inf")
    return max(0, limit - usage + _reclaimable(group, controller.cache))


def _reclaimable(group: Path, key: str) -> int:
    try:
        fields = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return int(fields[key])
    except (OSError, ValueError, KeyError):
        return 0
