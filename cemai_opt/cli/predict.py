"""Predicts new rows with an exported model."""

from __future__ import annotations

from typing import Any

import click


@click.command()
@click.argument("model")
@click.option("--data", required=True, metavar="PATH", help="CSV or Parquet file (gzip too), or a folder of them.")
@click.option("--out", required=True, metavar="FILE", help="Where predictions go (CSV), a line for each row.")
@click.option("--form", type=click.Choice(["native", "onnx"]), default="native", show_default=True, help="Which form.")
@click.option("--scores", is_flag=True, help="A column with the score of each class, too.")
@click.option("--ignore", metavar="A,B", default="", help="Columns of the data that the model does not know.")
@click.option("--intensity", type=float, metavar="G_PER_KWH", help="Carbon intensity here.  [default: the study's]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    model: str, data: str, out: str, form: str, scores: bool, ignore: str, intensity: float | None, as_json: bool
) -> None:
    """Predict the rows in --data with the exported model in folder MODEL, however many they are.

    Rows need the columns of the training data, group and time too; the target may be there. Order does not matter.
    """
    import json
    from pathlib import Path

    from rich.console import Console

    from cemai_opt.report.model_folder import load_model, version_notes
    from cemai_opt.report.predicting import predict_file

    trained = load_model(Path(model), form)
    quiet = Console(stderr=True, highlight=False)
    for note in version_notes(trained.document):
        quiet.print(note, markup=False)
    ignored = tuple(name.strip() for name in ignore.split(",") if name.strip())
    told = predict_file(trained, Path(data), Path(out), scores, ignored, intensity)
    for note in told.pop("notes"):
        quiet.print(note, markup=False)
    click.echo(json.dumps(told) if as_json else _line(told))


def _line(told: dict[str, Any]) -> str:
    from cemai_opt.core.units import readable_grams

    grams = f"{readable_grams(told['carbon_g'])} +- {readable_grams(told['uncertainty_g'])} CO2eq"
    lines = [
        f"{told['rows']:,} rows in {told['duration_s']:.2f} s -> {told['out']}",
        f"{grams}, {readable_grams(1000 * told['carbon_g'] / told['rows'])} per 1,000 rows, read by {told['source']}",
    ]
    if told["whole_process_g"] is not None:
        lines.append(f"with starting up and loading libraries {readable_grams(told['whole_process_g'])}")
    return "\n".join(lines)
