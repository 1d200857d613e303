"""The account of a control group."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cemai_opt.meters._cgroup import cgroup_clock, cgroup_cpu_s, own_cgroup


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """A group that holds this process alone, and the file that says so."""
    folder = tmp_path / "mount" / "mine"
    folder.mkdir(parents=True)
    (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 2000000\n")
    (folder / "cgroup.procs").write_text(f"{os.getpid()}\n")
    (tmp_path / "membership").write_text("1:cpu:/old\n0::/mine\n")
    return folder


def found(group: Path) -> Path | None:
    """The group of this process by those files."""
    return own_cgroup(group.parent, group.parents[1] / "membership")


def test_a_control_group_of_ones_own_is_the_account(group: Path) -> None:
    """Its seconds are those of all its processes, the ended ones too."""
    assert found(group) == group
    assert cgroup_cpu_s(group) == 2.5


def test_a_clock_of_a_group_goes_on(group: Path) -> None:
    """It reads the file each time."""
    clock = cgroup_clock(group)
    before = clock()
    (group / "cpu.stat").write_text("usage_usec 4000000\n")
    assert clock() - before == 1.5


IDS = ["two", "another", "none", "nonsense"]


@pytest.mark.parametrize("members", [f"{os.getpid()}\n1\n", "1\n", "", "nonsense\n"], ids=IDS)
def test_a_group_with_neighbours_is_none_of_ours(group: Path, members: str) -> None:
    """Their seconds would be charged to the trial."""
    (group / "cgroup.procs").write_text(members)
    assert found(group) is None


@pytest.mark.parametrize("membership", ["0::/\n", "1:cpu:/mine\n", "", "0::/elsewhere\n"])
def test_the_root_and_old_groups_are_no_account(group: Path, membership: str) -> None:
    """Nor one that is not mounted here."""
    (group.parents[1] / "membership").write_text(membership)
    for name in ("cpu.stat", "cgroup.procs"):
        (group.parent / name).write_text((group / name).read_text())
    assert found(group) is None


def test_a_group_without_a_count_is_no_account(group: Path) -> None:
    """As where the controller is off."""
    (group / "cpu.stat").write_text("user_usec 1\n")
    assert found(group) is None
    (group / "cpu.stat").unlink()
    assert found(group) is None
