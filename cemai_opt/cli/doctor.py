"""Reports which energy sources can be measured on this machine, and how precisely."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cemai_opt.core.errors import StudyError

if TYPE_CHECKING:
    from rich.console import Console

    from cemai_opt.meters import Diagnosis

CALIBRATION_S = 10.0


@click.command()
@click.option("--country", metavar="ISO3", help="Carbon intensity of a country, such as NOR.")
@click.option("--intensity", type=float, metavar="G_PER_KWH", help="Carbon intensity in grams per kWh.")
@click.option(
    "--calibrate",
    is_flag=True,
    help="Measure idle power for ten seconds and store it; with --wall, store what that shows.",
)
@click.option(
    "--wall", type=click.Path(path_type=Path), metavar="FILE", help="Log of a wall meter: CSV of time, watts."
)
@click.option("--run", "run", type=click.Path(path_type=Path), metavar="RUN", help="The run that --wall was logged at.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    country: str | None, intensity: float | None, calibrate: bool, wall: Path | None, run: Path | None, as_json: bool
) -> None:
    """Report what can be measured here, from which source and how precisely. Takes about five seconds on one core.

    With --wall, compare the joules of a run with a wall meter instead.
    """
    if (wall is None) != (run is None):
        raise StudyError("--wall FILE and --run RUN go together", "give the meter's log and the run that it saw")
    if wall is not None and run is not None:
        _compare_with_wall(wall, run, calibrate=calibrate, as_json=as_json)
        return
    import json

    from cemai_opt.core.serialization import to_json
    from cemai_opt.meters import diagnose
    from cemai_opt.runs.machine import this_machine

    calibration = _calibrate() if calibrate else ""
    grams, origin = _intensity(country, intensity)
    diagnosis, machine = diagnose(), this_machine()
    if as_json:
        carbon = {"intensity_g_per_kwh": grams, "intensity_origin": origin}
        document = {"machine": to_json(machine), **to_json(diagnosis), **carbon, "calibration": calibration}
        click.echo(json.dumps(document))
        return
    from rich.console import Console

    console = Console(highlight=False)
    console.print(f"{machine.cpu}, {machine.usable_threads} of {machine.threads} threads usable", markup=False)
    _show(diagnosis, console)
    console.print(f"carbon intensity: {grams:g} g/kWh ({origin})", markup=False)
    if calibration:
        console.print(calibration, markup=False)


def _calibrate() -> str:
    """Measures idle power and returns a message about the result."""
    from cemai_opt.meters import calibratable, idle_power_w, keep_idle_watts

    meters = {name: kind.opened(1) for name, kind in calibratable().items() if kind.availability().is_readable}
    if not meters:
        return "nothing to calibrate: no energy counter can be read; idle power is assumed, not measured"
    watts, foreign = idle_power_w(meters, CALIBRATION_S)
    path = keep_idle_watts(watts)
    beside = f"; other processes used {foreign:.0%} of the machine, so this is too high" if foreign > 0.02 else ""
    measured = ", ".join(f"{value:.1f} W by {name}" for name, value in watts.items())
    return f"idle power {measured}, stored in {path}{beside}"


def _compare_with_wall(log: Path, run: Path, *, calibrate: bool, as_json: bool) -> None:
    """Prints what a wall meter says about a run, and stores it if asked to."""
    import json

    from cemai_opt.core.serialization import to_json
    from cemai_opt.runs.wall_check import check_wall, keep_wall

    check = check_wall(log, run)
    stored = keep_wall(check) if calibrate else ""
    if as_json:
        click.echo(json.dumps({**to_json(check), "calibration": stored}))
        return
    from rich.console import Console

    console = Console(highlight=False)
    for line in (*check.lines, stored):
        if line:
            console.print(line, markup=False)


def _intensity(country: str | None, intensity: float | None) -> tuple[float, str]:
    from cemai_opt.carbon import WORLD_G_PER_KWH, national_intensity
    from cemai_opt.core.units import checked_intensity

    if intensity is not None:
        return checked_intensity(intensity), "as given"
    return national_intensity(country) if country is not None else (WORLD_G_PER_KWH, "world mean")


def _show(diagnosis: Diagnosis, console: Console) -> None:
    _show_sources(diagnosis, console)
    for source in diagnosis.in_use:
        console.print(f"in use: {source}", markup=False)
    console.print(f"{diagnosis.idle_source}: {diagnosis.idle_w:.1f} W in total, for the footprint only", markup=False)
    console.print("expected standard uncertainty of a stage, measured now:")
    for row in diagnosis.expected_uncertainty:
        how = f"{row.n} times" if row.n else "estimated from the row above"
        console.print(f"  {row.work_s * 1000:6g} ms  {row.uncertainty:6.1%}  ({how})")
    console.print(
        f"common error of all readings: +-{diagnosis.model_error:.0%}; it cancels when pipelines are compared"
    )


def _show_sources(diagnosis: Diagnosis, console: Console) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("source", "of", "resolution", "here", "what would help"):
        table.add_column(heading, no_wrap=heading in ("source", "of"))
    for source in sorted(diagnosis.sources, key=lambda source: not source.readable):
        here = "readable" if source.readable else source.why
        resolution = f"{source.resolution_s:g} s" if source.resolution_s else "us"
        table.add_row(source.name, source.kind, resolution, here, source.remedy)
    console.print(table)
