"""CPU seconds of a control group that contains only this process tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cemai_opt.meters._cpu_clock import process_tree

MOUNT = Path("/sys/fs/cgroup")
US_PER_S = 1e6


def own_cgroup(mount: Path = MOUNT, membership: Path = Path("/proc/self/cgroup")) -> Path | None:
    """The folder of this process's version-2 control group if it contains only this process tree, else None.

    It includes detached descendants (such as a daemon that forked twice), which are lost in a process tree.
    """
    try:
        lines = membership.read_text().splitlines()
        path = next(line.split("::", 1)[1] for line in lines if line.startswith("0::"))
        folder = mount / path.lstrip("/")
        members = {int(pid) for pid in (folder / "cgroup.procs").read_text().split()}
        cgroup_cpu_s(folder)
    except (OSError, StopIteration, ValueError, LookupError):
        return None
    is_alone = bool(members) and members <= set(process_tree()) and path.strip("/") != ""
    return folder if is_alone else None


def cgroup_clock(folder: Path) -> Callable[[], float]:
    """A clock of the group's CPU seconds."""
    return lambda: cgroup_cpu_s(folder)


def cgroup_cpu_s(folder: Path) -> float:
    """CPU seconds of all past and present processes of the group: `usage_usec` of `cpu.stat` (kernel, cgroup-v2)."""
    fields = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
    return int(fields["usage_usec"]) / US_PER_S
