"""Says what energy can be measured on this machine, and how well."""

from __future__ import annotations

from typing import Any

import click

REPEATS = 10
WORK_S = (0.001, 0.01, 0.1)


@click.command()
@click.option("--country", metavar="ISO3", help="Carbon intensity of a country, such as NOR.")
@click.option("--intensity", type=float, metavar="G_PER_KWH", help="Carbon intensity in grams per kWh.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(country: str | None, intensity: float | None, as_json: bool) -> None:
    """Say what can be measured here, with which source and uncertainty."""
    import json

    document = _document(country, intensity)
    if as_json:
        click.echo(json.dumps(document))
        return
    _show(document)


def _document(country: str | None, intensity: float | None) -> dict[str, Any]:
    import math

    from cemai_opt.core.errors import StudyError
    from cemai_opt.meters import METERS, WORLD_G_PER_KWH, national_intensity, open_meters
    from cemai_opt.report.documents import machine_document

    if intensity is not None and not 0 < intensity < math.inf:
        raise StudyError(f"--intensity {intensity:g} is not above 0", "give grams per kWh, such as 56")
    if intensity is not None:
        grams, origin = intensity, "as given"
    elif country is not None:
        grams, origin = national_intensity(country)
    else:
        grams, origin = WORLD_G_PER_KWH, "world mean"
    sources = []
    for name in METERS.available():
        meter = METERS.find(name)
        state = meter.availability()
        row = {
            "name": name,
            "kind": meter.kind,
            "readable": state.is_readable,
            "why": state.why,
            "remedy": state.remedy,
        }
        sources.append({**row, "resolution_s": meter.resolution_s, "model_error": meter.model_error})
    chosen = open_meters()[0]
    return {
        "machine": machine_document(),
        "sources": sources,
        "in_use": chosen.source,
        "model_error": chosen.model_error,
        "repeatability": _repeatability(chosen),
        "intensity_g_per_kwh": grams,
        "intensity_origin": origin,
    }


def _repeatability(meter: Any) -> list[dict[str, float]]:
    """Coefficient of variation of equal work, measured now."""
    import statistics
    import time

    loops_per_s = 200_000
    start = time.process_time()
    _work(loops_per_s)
    loops_per_s = round(loops_per_s / (time.process_time() - start))
    rows = []
    for work_s in WORK_S:
        joules = []
        for _ in range(REPEATS):
            with meter.window() as window:
                _work(round(work_s * loops_per_s))
            joules.append(window.energy_j)
        mean_j = statistics.fmean(joules)
        variation = statistics.stdev(joules) / mean_j if mean_j > 0 else float("inf")
        rows.append({"work_s": work_s, "mean_j": mean_j, "variation": variation})
    return rows


def _work(loops: int) -> int:
    total = 0
    for i in range(loops):
        total += i * i
    return total


def _show(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    machine = document["machine"]
    console.print(f"{machine['cpu']}, {machine['usable_threads']} of {machine['threads']} threads usable", markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("source", "device", "here", "what would help"):
        table.add_column(heading)
    for source in document["sources"]:
        here = "readable" if source["readable"] else source["why"]
        table.add_row(source["name"], source["kind"], here, source["remedy"])
    console.print(table)
    console.print(f"in use: {document['in_use']}", markup=False)
    for row in document["repeatability"]:
        console.print(f"  equal work of {row['work_s'] * 1000:4g} ms varies by {row['variation']:.1%}")
    console.print(
        f"  common error of all readings here: +-{document['model_error']:.0%}; it cancels when pipelines are compared"
    )
    console.print(
        f"carbon intensity: {document['intensity_g_per_kwh']:g} g/kWh ({document['intensity_origin']})",
        markup=False,
    )
