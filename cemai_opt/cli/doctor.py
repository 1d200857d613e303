"""Says what energy can be measured on this machine, and how well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

CALIBRATION_S = 10.0


@click.command()
@click.option("--country", metavar="ISO3", help="Carbon intensity of a country, such as NOR.")
@click.option("--intensity", type=float, metavar="G_PER_KWH", help="Carbon intensity in grams per kWh.")
@click.option("--calibrate", is_flag=True, help="Measure idle power for ten seconds, and keep it for this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(country: str | None, intensity: float | None, calibrate: bool, as_json: bool) -> None:
    """Say what can be measured here, with which source and uncertainty. Takes about five seconds of one core."""
    import json

    told = _calibrated() if calibrate else ""
    document = _document(country, intensity)
    if as_json:
        click.echo(json.dumps({**document, "calibration": told}))
        return
    _show(document, told)


def _calibrated() -> str:
    """What calibrating did, in words."""
    from cemai_opt.meters import METERS, idle_power_w, keep_idle_watts
    from cemai_opt.meters.rapl import Rapl

    state = METERS.find("rapl").availability()
    if not state.is_readable:
        return f"nothing to calibrate: {state.why}; without counters idle power is assumed, not measured"
    watts, foreign = idle_power_w(Rapl(), CALIBRATION_S)
    path = keep_idle_watts({"rapl": watts})
    beside = f"; other work used {foreign:.0%} of the machine, so this is too much" if foreign > 0.02 else ""
    return f"idle power {watts:.1f} W, kept in {path}{beside}"


def _document(country: str | None, intensity: float | None) -> dict[str, Any]:
    from dataclasses import asdict

    from cemai_opt.meters import METERS, check_up, machine_idle, open_meters
    from cemai_opt.report.documents import machine_document

    grams, origin = _intensity(country, intensity)
    meters = open_meters()
    idle_w, idle_source = machine_idle()
    return {
        "machine": machine_document(),
        "sources": [_source(METERS.find(name), name) for name in METERS.available()],
        "in_use": [meter.source for meter in meters],
        "model_error": meters[0].model_error,
        "idle_w": idle_w,
        "idle_source": idle_source,
        "expected_uncertainty": [asdict(row) for row in check_up(meters[0])],
        "intensity_g_per_kwh": grams,
        "intensity_origin": origin,
    }


def _intensity(country: str | None, intensity: float | None) -> tuple[float, str]:
    import math

    from cemai_opt.core.errors import StudyError
    from cemai_opt.meters import WORLD_G_PER_KWH, national_intensity

    if intensity is not None:
        if not 0 < intensity < math.inf:
            raise StudyError(f"--intensity {intensity:g} is not above 0", "give grams per kWh, such as 56")
        return intensity, "as given"
    return national_intensity(country) if country is not None else (WORLD_G_PER_KWH, "world mean")


def _source(meter: Any, name: str) -> dict[str, Any]:
    state = meter.availability()
    return {
        "name": name,
        "kind": meter.kind,
        "readable": state.is_readable,
        "why": state.why,
        "remedy": state.remedy,
        "resolution_s": meter.resolution_s,
        "model_error": meter.model_error,
    }


def _show(document: dict[str, Any], told: str) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    machine = document["machine"]
    console.print(f"{machine['cpu']}, {machine['usable_threads']} of {machine['threads']} threads usable", markup=False)
    _show_sources(document, console)
    for source in document["in_use"]:
        console.print(f"in use: {source}", markup=False)
    console.print(f"{document['idle_source']}: {document['idle_w']:.1f} W in all, for the footprint only", markup=False)
    console.print("expected standard uncertainty of a stage, measured now:")
    for row in document["expected_uncertainty"]:
        how = f"{row['n']} times" if row["n"] else "reckoned from the one above"
        console.print(f"  {row['work_s'] * 1000:6g} ms  {row['uncertainty']:6.1%}  ({how})")
    console.print(
        f"common error of all readings here: +-{document['model_error']:.0%}; it cancels when pipelines are compared"
    )
    grams, origin = document["intensity_g_per_kwh"], document["intensity_origin"]
    console.print(f"carbon intensity: {grams:g} g/kWh ({origin})", markup=False)
    if told:
        console.print(told, markup=False)


def _show_sources(document: dict[str, Any], console: Console) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("source", "of", "resolution", "here", "what would help"):
        table.add_column(heading, no_wrap=heading in ("source", "of"))
    for source in document["sources"]:
        here = "readable" if source["readable"] else source["why"]
        resolution = f"{source['resolution_s']:g} s" if source["resolution_s"] else "us"
        table.add_row(source["name"], source["kind"], resolution, here, source["remedy"])
    console.print(table)
