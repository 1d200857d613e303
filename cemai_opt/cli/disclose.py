"""Prints what a run or a model consumed in the formats in which organisations disclose it."""

from __future__ import annotations

import click


@click.command()
@click.argument("source")
@click.option("--standard", type=click.Choice(["boamps", "sci"]), default="boamps", show_default=True)
@click.option("--pick", metavar="RULE|N", help="One pipeline of a run, by rule or trial.  [default for sci: knee]")
@click.option("--publisher", metavar="NAME", help="Who discloses (boamps).")
@click.option(
    "--confidentiality",
    type=click.Choice(["public", "internal", "confidential", "secret"]),
    default="public",
    show_default=True,
    help="To whom (boamps).",
)
@click.option("--wue", type=click.FloatRange(min=0.0), metavar="L_PER_KWH", help="Water usage effectiveness (sci).")
@click.option("--out", metavar="FILE", help="Write a new file instead of printing.")
def command(
    source: str,
    standard: str,
    pick: str | None,
    publisher: str | None,
    confidentiality: str,
    wue: float | None,
    out: str | None,
) -> None:
    """Disclose the consumption of the run or of the exported model in folder SOURCE, as JSON.

    boamps: Boavizta's report of the whole search, of one fit of a pipeline (--pick), or of the training of an exported
    model. sci: ISO/IEC 21031 per prediction of a pipeline of a run.
    """
    import json
    from pathlib import Path

    from cemai_opt.core.config_file import read_config_file
    from cemai_opt.core.errors import StudyError
    from cemai_opt.core.files import atomic_file
    from cemai_opt.deploy.disclosure import (
        Publisher,
        boamps_of_member,
        boamps_of_model,
        boamps_of_run,
        sci_of_member,
    )
    from cemai_opt.deploy.model_folder import CONFIG, SIDECAR, read_sidecar
    from cemai_opt.runs import RunFolder, RunView

    folder, by = Path(source), Publisher(name=publisher, confidentiality=confidentiality)
    if (folder / SIDECAR).is_file():
        if standard == "sci" or pick is not None:
            raise StudyError(f"{source} is an exported model", "sci and --pick need the run that it comes from")
        study, _ = read_config_file(folder / CONFIG)
        document = boamps_of_model(read_sidecar(folder), by, data_path=study.data.path)
    else:
        view = RunView.of(RunFolder(folder))
        member = None if pick is None and standard == "boamps" else view.front.pick(pick or "knee")
        if standard == "sci":
            assert member is not None, "sci is about a pipeline"
            document = sci_of_member(view, member, wue_l_per_kwh=wue)
        else:
            document = boamps_of_run(view, by) if member is None else boamps_of_member(view, member, publisher=by)
    text = json.dumps(document, indent=2)
    if out is None:
        click.echo(text)
        return
    if Path(out).exists():
        raise StudyError(f"{out} exists", "choose another --out")
    with atomic_file(Path(out)) as draft:
        draft.write(f"{text}\n".encode())
