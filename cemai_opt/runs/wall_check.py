"""What a wall meter says about a run, in words, and as a calibration of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cemai_opt.core.errors import StudyError
from cemai_opt.core.units import readable_seconds
from cemai_opt.meters import METERS, busy_thread, keep_idle_watts, keep_thread_watts
from cemai_opt.runs.machine import this_machine
from cemai_opt.runs.run_folder import RunFolder
from cemai_opt.runs.wall import WallComparison, WallLog, compared_with_wall

LEAST_ERROR = 0.1
"""Relative error of a calibrated thread, at least: other programs use a processor differently, and at another clock."""
WHOLE_MACHINE = "command"
"""The source by whose name the idle power of a whole machine is stored."""


@dataclass(frozen=True, kw_only=True)
class WallCheck:
    """A comparison with the run's source of processor energy and its stated relative error."""

    run: str
    source: str
    stated_error: float
    agrees: bool
    is_of_this_machine: bool
    comparison: WallComparison

    @property
    def lines(self) -> tuple[str, ...]:
        """The comparison in words."""
        wall = self.comparison
        verdict = "agrees with" if self.agrees else "contradicts"
        return (
            f"wall meter beside {self.run}: {wall.n_blocks} blocks of {wall.block_s:g} s, "
            f"{readable_seconds(wall.run_s)} of them with the run",
            f"idle: {wall.idle_w.value:.1f} W +- {wall.idle_w.se:.1f} W",
            f"one joule of the run is {wall.factor.value:.2f} +- {wall.factor.se:.2f} J at the wall: this {verdict} "
            f"{self.source}, which states +-{self.stated_error:.0%}",
            f"a busy thread draws {wall.watts_per_thread.value:.2f} W +- {wall.watts_per_thread.se:.2f} W at the wall",
            "a wall meter includes losses of the power supply, fans and disks, and what other programs do meanwhile",
        )


def check_wall(log: Path, run: Path) -> WallCheck:
    """Compares a run with the log of a wall meter. StudyError if one of them cannot be read, or does not suffice."""
    folder = RunFolder(run)
    comparison = compared_with_wall(folder.power(), WallLog.read(log))
    results = folder.results()
    if not results:
        raise StudyError(f"{run} has no trials yet", "wait for the first result of `optimize`")
    source = results[0].cost.rows[0].source.split(";")[0]
    error = METERS.require(source.split(":")[0]).model_error
    return WallCheck(
        run=str(run),
        source=source,
        stated_error=error,
        agrees=comparison.agrees_within(error),
        is_of_this_machine=folder.summary().machine.cpu == this_machine().cpu,
        comparison=comparison,
    )


def keep_wall(check: WallCheck) -> str:
    """Stores idle power and watts of a busy thread for this machine; says where.

    StudyError if the run is of another machine, or if the meter shows no such watts.
    """
    wall = check.comparison
    if not check.is_of_this_machine:
        raise StudyError(f"{check.run} ran on another machine", "run `doctor --wall FILE --run RUN --calibrate` there")
    if wall.watts_per_thread.value <= 2 * wall.watts_per_thread.se or wall.idle_w.value <= 0:
        raise StudyError("the wall meter does not show what a thread draws", "log a longer run, with nothing beside it")
    error = max(LEAST_ERROR, 2 * wall.watts_per_thread.se / wall.watts_per_thread.value)
    before = busy_thread().watts
    keep_idle_watts({WHOLE_MACHINE: wall.idle_w.value})
    path = keep_thread_watts(wall.watts_per_thread.value, error)
    return (
        f"stored in {path}: {wall.watts_per_thread.value:.2f} W per thread +-{error:.0%} "
        f"({before:.2f} W before), {wall.idle_w.value:.1f} W idle"
    )
