"""Checks that an exported model keeps its limits: for continuous integration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cemai_opt.cli._verbosity import notes_console

if TYPE_CHECKING:
    from cemai_opt.deploy.check import CheckResult


@click.command()
@click.argument("model")
@click.option("--data", required=True, metavar="PATH", help="Rows with their target: a file, or a folder of them.")
@click.option("--history", metavar="PATH", help="The rows before those of --data, for features of earlier rows.")
@click.option("--min-score", type=float, metavar="S", help="Lowest score; of a model chosen by an error, its skill.")
@click.option("--max-error", type=float, metavar="E", help="Largest error, for a model that was chosen by an error.")
@click.option("--max-grams", type=click.FloatRange(min=0.0), metavar="G", help="Most grams for 1,000 predictions.")
@click.option("--ignore", metavar="A,B", default="", help="Columns of the data that are not inputs of the model.")
@click.option("--form", type=click.Choice(["native", "onnx"]), default="native", show_default=True, help="Model form.")
@click.option("--intensity", type=float, metavar="G_PER_KWH", help="Local carbon intensity.  [default: the study's]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    model: str,
    data: str,
    history: str | None,
    min_score: float | None,
    max_error: float | None,
    max_grams: float | None,
    ignore: str,
    form: str,
    intensity: float | None,
    as_json: bool,
) -> None:
    """Score the exported model in folder MODEL on labelled rows and measure its predictions.

    Exit status: 0 if all limits are kept, 1 if one is broken, 2 if it could not be checked.
    """
    import json
    import sys
    from pathlib import Path

    from cemai_opt.core.serialization import to_json
    from cemai_opt.deploy.check import Limits, check_model
    from cemai_opt.deploy.model_folder import load_model, version_notes

    trained = load_model(Path(model), form, only_predicts=True)
    limits = Limits(min_score=min_score, max_error=max_error, max_g_per_1000=max_grams)
    result = check_model(
        trained,
        Path(data),
        limits=limits,
        history=None if history is None else Path(history),
        ignore=tuple(name.strip() for name in ignore.split(",") if name.strip()),
        intensity_g_per_kwh=intensity,
    )
    console = notes_console()
    for note in (*version_notes(trained.document), *result.notes):
        console.print(note, markup=False)
    click.echo(json.dumps(to_json(result)) if as_json else _text_of(result, has_limits=limits != Limits()))
    if not result.is_kept:
        sys.exit(1)


def _text_of(result: CheckResult, *, has_limits: bool) -> str:
    from cemai_opt.core.units import readable_grams

    score = "not defined" if result.score is None else f"{result.score:.4g}"
    error = "" if result.error is None else f", {result.error_name} {result.error:.4g}"
    grams = readable_grams(result.carbon_g_per_1000)
    lines = [
        f"{result.rows:,} rows: {result.score_name} {score}{error}",
        f"1,000 predictions: {grams}, {result.energy_j_per_1000:.3g} J, without reading the file, by {result.source}",
        *(f"broken: {text}" for text in result.broken),
    ]
    kept = "no limit was given" if not has_limits else "all limits are kept"
    return "\n".join([*lines, kept] if result.is_kept else lines)
