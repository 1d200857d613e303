"""Exports a front member: its configuration, the fitted model, its card and its report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from cemai_opt.core.errors import StudyError
from cemai_opt.core.files import atomic_folder
from cemai_opt.core.registry import need
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.core.yaml_text import yaml_text
from cemai_opt.datasets import Dataset
from cemai_opt.deploy.fitted import Recipe, Tested, fit_model, score_on_test, write_model
from cemai_opt.deploy.model_card import model_card
from cemai_opt.deploy.model_document import ModelDocument
from cemai_opt.deploy.model_folder import CARD, CONFIG, REPORT, exported_files, write_sidecar
from cemai_opt.deploy.picked import Picked
from cemai_opt.report.html_report import REPORT_LIBRARIES, html_report
from cemai_opt.runs.run_folder import write_file
from cemai_opt.runs.run_view import RunView


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What `export_model` has written."""

    folder: Path
    document: ModelDocument


def export_model(
    picked: Picked,
    out: Path,
    *,
    study: ResolvedStudy,
    rows: Dataset,
    with_test_rows: bool | None = False,
    on_phase: Callable[[str], None] = lambda phase: None,
) -> Exported:
    """Retrains the member as for its test score, on training and validation rows, and writes the folder of its model.

    With `with_test_rows`, this is done for the score only, and the model that is written is then trained on all rows
    with a target. None for that, unless the study names its test rows: these were set aside on purpose.

    `study` and `rows` are those of the run, as `compose.reopen` returns them. The folder is written atomically.
    StudyError if `out` holds something else.
    """
    need("skops", "safetensors", *REPORT_LIBRARIES)
    check_free(out)
    if with_test_rows is None:
        with_test_rows = not rows.is_test.any()
    recipe = picked.recipe(study)
    tested = _tested(recipe, study=study, rows=rows, on_phase=on_phase) if with_test_rows else None
    model = fit_model(recipe, study=study, rows=rows, with_test_rows=with_test_rows, on_phase=on_phase)
    replaced = out.with_name(f".{out.name}-{os.getpid()}.old")
    with atomic_folder(out, draft=out.with_name(f".{out.name}-{os.getpid()}.part")) as draft:
        on_phase("comparing the predictions of its forms on the test rows")
        document = write_model(model, draft, picked=picked.summary(), study=study, rows=rows, tested=tested)
        write_file(draft / CONFIG, yaml_text(picked.config_document()))
        view = RunView.of(picked.folder)
        write_file(draft / CARD, model_card(view, picked.member, document=document))
        write_file(draft / REPORT, html_report(view))
        document = write_sidecar(draft, document)
        check_free(out)  # again: training takes a while
        if out.exists():
            out.rename(replaced)
    shutil.rmtree(replaced, ignore_errors=True)
    return Exported(folder=out, document=document)


def _tested(recipe: Recipe, *, study: ResolvedStudy, rows: Dataset, on_phase: Callable[[str], None]) -> Tested:
    """Trains it without the test rows, and keeps nothing of it but its test."""
    model = fit_model(recipe, study=study, rows=rows, on_phase=on_phase)
    on_phase("training it again on all rows, those of the test as well")
    return Tested(score=score_on_test(model, study, rows=rows), energy_j=model.cost.energy_j)


def check_free(out: Path, *, own: Collection[str] = ()) -> None:
    """StudyError unless a model may be written to `out`: a new folder, an empty one, or that of an earlier export.

    The folder of an earlier export is replaced only if it holds nothing else, but for the files in `own`.
    """
    if not out.name:
        raise StudyError(f"--out {out} is the current folder", "name a folder in it")
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise StudyError(f"{out} is a {'link' if out.is_symlink() else 'file'}", "choose another --out for the folder")
    if not out.is_dir() or not any(out.iterdir()):
        return
    try:
        written = exported_files(out)
    except StudyError as error:
        raise StudyError(f"{out} is not empty, and holds no exported model", "choose another --out") from error
    foreign = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file() or path.is_symlink())
    for name in foreign:
        if name not in written and name not in own:
            raise StudyError(
                f"{out} also holds {name}, which no export has written", "move it, or choose another --out"
            )
