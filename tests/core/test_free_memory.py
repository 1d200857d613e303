"""How much memory is free."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from cemai_opt.core.free_memory import free_bytes


def test_free_memory_is_that_of_the_control_group(tmp_path: Path) -> None:
    """A group's limit counts where it is below what the machine has; "max" is none."""
    group = tmp_path / "job" / "step"
    group.mkdir(parents=True)
    (tmp_path / "membership").write_text("0::/job/step\n")
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("10\n")
    (tmp_path / "job" / "memory.max").write_text("100\n")
    (tmp_path / "job" / "memory.current").write_text("40\n")
    assert free_bytes(tmp_path, tmp_path / "membership") == 60


def test_groups_of_version_1_count_too(tmp_path: Path) -> None:
    """As older systems and some clusters have them, in a folder of their own."""
    group = tmp_path / "memory" / "job"
    group.mkdir(parents=True)
    (tmp_path / "membership").write_text("9:name=systemd:/\n4:cpu,memory:/job\n0::/\n")
    (group / "memory.limit_in_bytes").write_text("100\n")
    (group / "memory.usage_in_bytes").write_text("90\n")
    assert free_bytes(tmp_path, tmp_path / "membership") == 10


@pytest.mark.parametrize(
    ("line", "folder", "limit", "usage", "key"),
    [
        ("0::/job", "job", "memory.max", "memory.current", "inactive_file"),
        ("4:memory:/job", "memory/job", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ],
)
def test_file_pages_that_can_be_dropped_are_free(
    tmp_path: Path, line: str, folder: str, limit: str, usage: str, key: str
) -> None:
    """Reading a large file fills a group with them; it is not full."""
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "membership").write_text(f"{line}\n")
    for name, text in ((limit, "100"), (usage, "90"), ("memory.stat", f"anon 20\n{key} 70")):
        (tmp_path / folder / name).write_text(f"{text}\n")
    assert free_bytes(tmp_path, tmp_path / "membership") == 80


def test_without_a_limit_it_is_that_of_the_machine(tmp_path: Path) -> None:
    """No control group, or one without a limit of its own."""
    available = psutil.virtual_memory().available
    (tmp_path / "membership").write_text("4:memory:/version-1\n")
    for membership in (tmp_path / "membership", tmp_path / "nothing"):
        assert free_bytes(tmp_path, membership) == pytest.approx(available, rel=0.5)


def test_a_group_over_its_limit_has_nothing_left(tmp_path: Path) -> None:
    """Not less than nothing."""
    (tmp_path / "membership").write_text("0::/\n")
    (tmp_path / "memory.max").write_text("100\n")
    (tmp_path / "memory.current").write_text("140\n")
    assert free_bytes(tmp_path, tmp_path / "membership") == 0
