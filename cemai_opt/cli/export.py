"""Exports a front member for deployment: configuration, fitted model, model card, report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cemai_opt.cli._verbosity import notes_console

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cemai_opt.datasets import Dataset
    from cemai_opt.deploy.export import Exported
    from cemai_opt.deploy.model_document import ModelDocument
    from cemai_opt.deploy.picked import Picked


@click.command()
@click.argument("run")
@click.option(
    "--pick",
    "rule",
    default="knee",
    show_default=True,
    metavar="knee|best|within|greenest|average|TRIAL",
    help="Front member to export.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0.0),
    help="Tolerance of `within`: maximum distance from the best score.  [default: the run's]",
)
@click.option("--out", required=True, metavar="DIR", help="The folder to write.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["model", "config", "d2m"]),
    default="model",
    show_default=True,
    help="Everything, config.yaml only (nothing is trained), or params.yaml in the layout of CEMAI's pipeline d2m.",
)
@click.option(
    "--with-test-rows/--without-test-rows",
    default=None,
    help="Train the model on the test rows too, once it is tested.  [default: with, unless you named them]",
)
@click.option("--data", metavar="PATH", help="Current path of the run's data, if it was moved.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    run: str,
    rule: str,
    tolerance: float | None,
    out: str,
    form: str,
    with_test_rows: bool | None,
    data: str | None,
    as_json: bool,
) -> None:
    """Export a front member of the run in folder RUN, for the commands `run` and `predict` and for other programs.

    The pipeline is trained again on training and validation rows, exactly as for its test, and then on all rows.
    """
    import json
    from pathlib import Path

    from cemai_opt.compose import reopen
    from cemai_opt.core.errors import StudyError
    from cemai_opt.deploy.export import check_free, export_model
    from cemai_opt.deploy.model_folder import SIDECAR
    from cemai_opt.deploy.picked import pick
    from cemai_opt.runs import RunFolder

    source, folder = RunFolder(Path(run)), Path(out)
    picked = pick(source, rule, tolerance=tolerance)
    console = notes_console()
    check_free(folder)
    if form == "model":
        prepared = reopen(source, data)
        exported = export_model(
            picked,
            folder,
            study=prepared.study,
            rows=prepared.data,
            with_test_rows=with_test_rows,
            on_phase=lambda phase: console.print(phase, markup=False),
        )
        click.echo(_json_of(exported) if as_json else _text_of(exported, picked.member.name))
        return
    if with_test_rows is not None:
        raise StudyError(f"--format {form} trains nothing", "leave out --with-test-rows and --without-test-rows")
    if (folder / SIDECAR).exists():
        raise StudyError(f"{out} holds an exported model, whose files belong together", "choose another --out")
    file, lost = _write_config(picked, form, folder=folder, rows=lambda: reopen(source, data).data)
    for line in lost:
        console.print(f"cannot be expressed in d2m: {line}", markup=False)
    member = picked.member
    written = {"file": str(file), "trial": member.trial, "model": member.model, "lost": lost}
    click.echo(json.dumps(written) if as_json else f"{member.name} -> {file}")


def _write_config(picked: Picked, form: str, *, folder: Path, rows: Callable[[], Dataset]) -> tuple[Path, list[str]]:
    """Writes a configuration in one of its two forms; its file, and what that form cannot express."""
    from cemai_opt.core.yaml_text import yaml_text
    from cemai_opt.deploy.model_folder import CONFIG
    from cemai_opt.deploy.picked import d2m_document
    from cemai_opt.runs.run_folder import write_file

    if form == "config":
        file, document, lost = folder / CONFIG, picked.config_document(), list[str]()
    else:
        file = folder / "params.yaml"
        document, lost = d2m_document(picked, rows())
    write_file(file, yaml_text(document))
    return file, lost


def _json_of(exported: Exported) -> str:
    import json

    from cemai_opt.core.serialization import to_json

    document = to_json(exported.document)
    shown = {key: document[key] for key in ("picked", "test", "training", "native", "onnx")}
    files = sorted(file.name for file in exported.folder.iterdir())
    return json.dumps({"out": str(exported.folder), "files": files, **shown})


def _of_all_rows(document: ModelDocument) -> list[str]:
    """What the score is not measured on, if the model was trained on test rows."""
    from cemai_opt.core.units import readable_grams

    training = document.training
    if not training.with_test_rows:
        return []
    test_g = readable_grams(document.carbon.grams(training.test_j))
    return [
        f"trained on all {training.rows:,} rows, those of the test too (--without-test-rows leaves them out)",
        f"the score is that of the same pipeline without them, and training it for that cost {test_g} CO2eq",
    ]


def _text_of(exported: Exported, name: str) -> str:
    """The export of the pipeline `name` in words: its files, the agreement of its forms, and the cost of training."""
    from cemai_opt.core.units import readable_grams

    document = exported.document
    files = ", ".join(sorted(file.name for file in exported.folder.iterdir()))
    test, training, onnx = document.test, document.training, document.onnx
    interval = f" (95 % interval {test.interval.low:.3f} to {test.interval.high:.3f})" if test.interval else ""
    grams = f"{readable_grams(training.carbon_g)} +- {readable_grams(training.uncertainty_g)}"
    if onnx.file is None or onnx.parity is None:
        onnx_line = f"no ONNX form: {onnx.why}"
    else:
        agreed = f"{onnx.parity.share_alike:.2%} of {onnx.parity.rows} test rows agree"
        onnx_line = f"ONNX form: {agreed} ({onnx.parity.tolerance_text})"
    return "\n".join(
        [
            f"{name} -> {exported.folder}: {files}",
            f"{test.score} {test.value:.4f} on test{interval}",
            *_of_all_rows(document),
            f"training it again cost {grams} CO2eq, measured by {training.source}",
            f"native form: predictions for {document.native.rows} test rows are bitwise equal to those in training",
            onnx_line,
            f"next: cemai-opt predict {exported.folder} --data new.csv --out predictions.csv",
        ]
    )
