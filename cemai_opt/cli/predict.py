"""Predicts new rows with an exported model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cemai_opt.cli._verbosity import notes_console

if TYPE_CHECKING:
    from cemai_opt.deploy.predict_file import FilePredictions


@click.command()
@click.argument("model")
@click.option("--data", required=True, metavar="PATH", help="CSV or Parquet file (gzip too), or a folder of them.")
@click.option("--history", metavar="PATH", help="The rows before those of --data, for features of earlier rows.")
@click.option("--out", required=True, metavar="FILE", help="Output file (CSV), one line per row.")
@click.option("--form", type=click.Choice(["native", "onnx"]), default="native", show_default=True, help="Model form.")
@click.option("--scores", is_flag=True, help="Add a column with the score of each class.")
@click.option("--ignore", metavar="A,B", default="", help="Columns of the data that are not inputs of the model.")
@click.option("--intensity", type=float, metavar="G_PER_KWH", help="Local carbon intensity.  [default: the study's]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    model: str,
    data: str,
    history: str | None,
    out: str,
    form: str,
    scores: bool,
    ignore: str,
    intensity: float | None,
    as_json: bool,
) -> None:
    """Predict the rows in --data with the exported model in folder MODEL; the file may be larger than memory.

    Rows need the columns of the training data, including group and time; the target is optional. Order is irrelevant.
    """
    import json
    from dataclasses import replace
    from pathlib import Path

    from cemai_opt.core.serialization import to_json
    from cemai_opt.deploy.model_folder import load_model, version_notes
    from cemai_opt.deploy.predict_file import predict_file

    trained = load_model(Path(model), form, only_predicts=True)
    console = notes_console()
    for note in version_notes(trained.document):
        console.print(note, markup=False)
    predictions = predict_file(
        trained,
        Path(data),
        out=Path(out),
        history=None if history is None else Path(history),
        with_scores=scores,
        ignore=tuple(name.strip() for name in ignore.split(",") if name.strip()),
        intensity_g_per_kwh=intensity,
    )
    for note in predictions.notes:
        console.print(note, markup=False)
    click.echo(json.dumps(to_json(replace(predictions, notes=()))) if as_json else _text_of(predictions))


def _text_of(predictions: FilePredictions) -> str:
    from cemai_opt.core.units import readable_grams

    grams = f"{readable_grams(predictions.carbon_g)} +- {readable_grams(predictions.uncertainty_g)} CO2eq"
    per_1000 = readable_grams(1000 * predictions.carbon_g / predictions.rows)
    lines = [
        f"{predictions.rows:,} rows in {predictions.duration_s:.2f} s -> {predictions.out}",
        f"{grams}, {per_1000} per 1,000 rows, measured by {predictions.source}",
    ]
    if predictions.whole_process_g is not None:
        lines.append(f"including startup and loading libraries: {readable_grams(predictions.whole_process_g)}")
    return "\n".join(lines)
