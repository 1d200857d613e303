"""Runs one pipeline from a configuration file."""

from __future__ import annotations

from typing import Any

import click

from cemai_opt.cli._options import data_options


@click.command()
@click.argument("config")
@data_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(config: str, as_json: bool, data_root: str | None, **options: Any) -> None:
    """Run the one pipeline in the file CONFIG, on its own data or on other data.

    It is trained on the training and validation rows, and scored on the test rows. CONFIG comes from `export`.
    """
    import json

    from rich.console import Console

    from cemai_opt import compose
    from cemai_opt.cli import _options
    from cemai_opt.core.errors import TrialError
    from cemai_opt.options import changed
    from cemai_opt.session import run_config

    _options.use_data_root(data_root)
    study, chosen = _read(config)
    study = study.model_copy(update={"space": "default"})  # nothing is searched
    settled = compose.settle(changed(study, options))
    compose.check_config(chosen, settled.study.task)
    result = run_config(settled, chosen)
    if not result.is_complete:
        raise TrialError(f"{config}: {result.reason}", "mend the configuration, or choose another")
    document = _document(settled.study, result)
    if as_json:
        click.echo(json.dumps(document))
    else:
        console = Console(stderr=True, highlight=False)
        for note in (*settled.notes, *result.notes):
            console.print(note, markup=False)
        _show(document)


def _read(path: str) -> tuple[Any, Any]:
    """The study and the configuration in an exported file."""
    from pathlib import Path

    from cemai_opt.compose import read_yaml
    from cemai_opt.core.errors import StudyError, nearest
    from cemai_opt.core.plan import Config
    from cemai_opt.core.spec import parse_study

    document = read_yaml(Path(path))
    keys = ("picked", "config", "study")
    if not isinstance(document, dict) or "config" not in document:
        raise StudyError(f"{path} holds no configuration", "write one with `export`")
    for key in document:
        if key not in keys:
            raise StudyError(f"{path}: unknown key {key!r}", nearest(str(key), keys))
    stages = document["config"]
    if not isinstance(stages, dict) or not all(isinstance(params, dict) for params in stages.values()):
        raise StudyError(f"{path}: config is not a mapping of stages to knobs", "write config: {train: {model: ridge}}")
    return parse_study(document.get("study") or {}, path), Config(stages)


def _document(study: Any, result: Any) -> dict[str, Any]:
    from cemai_opt.report.documents import stages_document

    return {
        "score": study.score,
        "test": result.score,
        "metrics": dict(result.metrics),
        "model": result.model,
        "energy_j": result.cost.energy_j,
        "carbon_g": study.carbon.grams(result.cost.energy_j),
        "uncertainty_g": study.carbon.grams(result.cost.uncertainty_j),
        "duration_s": result.cost.duration_s,
        "stages": stages_document(study, result.cost),
        "importances": dict(result.importances),
        "source": result.cost.rows[0].source,
    }


def _show(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from cemai_opt.core.units import readable_grams

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("stage", "J", "gCO2eq", "+-", "s"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    rows = {**document["stages"], "total": document}
    for name, row in rows.items():
        grams = (readable_grams(row["carbon_g"]), readable_grams(row["uncertainty_g"]))
        table.add_row(name, f"{row['energy_j']:.4g}", *grams, f"{row['duration_s']:.3f}")
    console.print(table)
    console.print(
        f"{document['model']}: {document['score']} {document['test']:.4f} on test, "
        f"{readable_grams(document['carbon_g'])} +- {readable_grams(document['uncertainty_g'])} CO2eq"
    )
    console.print(f"energy read by {document['source']}", markup=False)
