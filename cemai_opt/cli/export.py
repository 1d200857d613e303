"""Writes what can be deployed of a front member: configuration, fitted model, model card, report."""

from __future__ import annotations

from typing import Any

import click


@click.command()
@click.argument("run")
@click.option(
    "--pick",
    "rule",
    default="knee",
    show_default=True,
    metavar="knee|best|within|greenest|TRIAL",
    help="Which front member.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0.0),
    help="What `within` means: how far below the best score.  [default: the run's]",
)
@click.option("--out", required=True, metavar="DIR", help="The folder to write.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["model", "config", "d2m"]),
    default="model",
    show_default=True,
    help="All of it, config.yaml alone (nothing is trained), or params.yaml as CEMAI's pipeline has it.",
)
@click.option("--data", metavar="PATH", help="Where the run's data lies now, if it was moved.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(run: str, rule: str, tolerance: float | None, out: str, form: str, data: str | None, as_json: bool) -> None:
    """Export a front member of the run in folder RUN: what `run` repeats, `predict` uses and others can load.

    The model is trained anew on training and validation rows, exactly as it was when it was tested.
    """
    import json
    from pathlib import Path

    from rich.console import Console

    from cemai_opt.export import check_free, d2m_document, export_model, pick
    from cemai_opt.report import RunFolder
    from cemai_opt.report.model_folder import CONFIG
    from cemai_opt.report.run_folder import write_text, yaml_text

    picked, folder = pick(RunFolder(Path(run)), rule, tolerance), Path(out)
    quiet = Console(stderr=True, highlight=False)
    if form == "model":
        exported = export_model(picked, folder, data, lambda phase: quiet.print(phase, markup=False))
        _tell(exported, as_json)
        return
    check_free(folder)
    if form == "config":
        file, document, lost = folder / CONFIG, picked.config_document(), list[str]()
    else:
        file = folder / "params.yaml"
        document, lost = d2m_document(picked, data)
    write_text(file, yaml_text(document))
    for line in lost:
        quiet.print(f"no word for it there: {line}", markup=False)
    member = picked.member
    told = {"file": str(file), "trial": member["trial"], "model": member["model"], "lost": lost}
    click.echo(json.dumps(told) if as_json else f"trial {member['trial']} ({member['model']}) -> {file}")


def _tell(exported: Any, as_json: bool) -> None:
    """Where it is, how alike its forms are, and what training it has cost."""
    import json

    from cemai_opt.core.units import readable_grams

    document, result = exported.document, exported.result
    files = sorted(file.name for file in exported.folder.iterdir())
    if as_json:
        keys = ("picked", "test", "training", "native", "onnx")
        click.echo(json.dumps({"out": str(exported.folder), "files": files, **{key: document[key] for key in keys}}))
        return
    training, onnx = document["training"], document["onnx"]
    click.echo(f"trial {result.trial} ({result.model}) -> {exported.folder}: {', '.join(files)}")
    interval = document["test"]["interval"]
    around = f" (95 % interval {interval['low']:.3f} to {interval['high']:.3f})" if interval else ""
    click.echo(f"{document['test']['score']} {document['test']['value']:.4f} on test{around}")
    grams = f"{readable_grams(training['carbon_g'])} +- {readable_grams(training['uncertainty_g'])}"
    click.echo(f"training it again cost {grams} CO2eq, read by {training['source']}")
    click.echo(f"native form: {document['native']['rows']} test rows predicted as in training, to the last bit")
    if onnx["file"] is None:
        click.echo(f"no ONNX form: {onnx['why']}")
    else:
        alike = f"{onnx['parity']['share_alike']:.2%} of {onnx['parity']['rows']} test rows alike"
        tolerance = onnx["parity"]["tolerance"]
        click.echo(f"ONNX form: {alike} ({tolerance if isinstance(tolerance, str) else f'within {tolerance:.3g}'})")
    click.echo(f"next: cemai-opt predict {exported.folder} --data new.csv --out predictions.csv")
