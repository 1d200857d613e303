"""The folder of an exported model is checked before it is used."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.files import sha256_of
from cemai_opt.deploy.export import Exported
from cemai_opt.deploy.model_folder import (
    CHECKSUM,
    LOG_FORMAT,
    SIDECAR,
    load_model,
    read_sidecar,
    version_notes,
    write_sidecar,
)
from tests.conftest import ROOT
from tests.deploy.conftest import export_of, rows_of
from tests.finished import picked_with


def test_a_tampered_file_is_refused(tmp_path: Path) -> None:
    """Whichever file of the folder it is, a single byte is enough; a missing file too."""
    exported = export_of(picked_with("regression", "decision_tree"), tmp_path / "model")
    load_model(exported.folder)
    for file in sorted(exported.folder.iterdir()):
        content = file.read_bytes()
        file.write_bytes(content[:-2] + b"?" + content[-1:])
        with pytest.raises(StudyError, match=r"was changed after the export|is damaged"):
            load_model(exported.folder)
        file.unlink()
        with pytest.raises(StudyError, match=rf"lacks {file.name}|holds no exported model"):
            load_model(exported.folder)
        file.write_bytes(content)
    load_model(exported.folder)


ALONE = """
import sys
from cemai_opt.cli import cli
cli(["predict", *sys.argv[1:]], standalone_mode=False)
assert "sklearn" not in sys.modules
import sklearn.linear_model  # it is there for whoever asks later
"""


@pytest.mark.parametrize("model", ["xgboost", "lightgbm"])
def test_a_process_that_only_predicts_loads_no_scikit_learn_for_a_booster(model: str, tmp_path: Path) -> None:
    """It would take longer than all the rest; the predictions are the same."""
    exported = export_of(picked_with("regression", model), tmp_path / "model")
    rows = rows_of("regression")
    command = [str(exported.folder), "--data", str(rows), "--out", str(tmp_path / "predicted.csv")]
    subprocess.run([sys.executable, "-c", ALONE, *command], check=True, capture_output=True, cwd=ROOT)
    with (tmp_path / "predicted.csv").open() as stream:
        written = [float(row["prediction"]) for row in csv.DictReader(stream)]
    assert np.array_equal(written, load_model(exported.folder).predict(pd.read_csv(rows)))


def test_a_later_format_is_refused(ridge: Exported, tmp_path: Path) -> None:
    """With the version that wrote it, even if its checksum is right."""
    folder = copytree(ridge.folder, tmp_path / "model")
    raw = json.loads((folder / SIDECAR).read_text())
    del raw[CHECKSUM]
    later = {**raw, "format": LOG_FORMAT + 1, "product": "cemai-opt 99.0"}
    (folder / SIDECAR).write_text(json.dumps({**later, CHECKSUM: sha256_of(later)}))
    with pytest.raises(StudyError, match=r"was written by cemai-opt 99\.0"):
        read_sidecar(folder)


def test_a_file_outside_the_folder_is_refused(ridge: Exported, tmp_path: Path) -> None:
    """A sidecar names files of its own folder only."""
    folder = copytree(ridge.folder, tmp_path / "model")
    (tmp_path / "secret").write_text("x")
    raw = json.loads((folder / SIDECAR).read_text())
    del raw[CHECKSUM]
    raw["files"] = {"../secret": "0"}
    (folder / SIDECAR).write_text(json.dumps({**raw, CHECKSUM: sha256_of(raw)}))
    with pytest.raises(StudyError, match=r"lacks \.\./secret"):
        read_sidecar(folder)


def test_a_sidecar_comes_back_as_it_was_written(ridge: Exported, tmp_path: Path) -> None:
    """With the checksums of the other files."""
    (tmp_path / "weights").write_text("1 2 3")
    written = write_sidecar(tmp_path, replace(ridge.document, files={}))
    assert set(written.files) == {"weights"}
    assert read_sidecar(tmp_path) == written


def test_another_version_of_a_library_is_noted(ridge: Exported) -> None:
    """Libraries that are not installed here, or are the same, are not."""
    document = ridge.document
    assert version_notes(document) == []
    versions = {**document.versions, "numpy": "0.1", "no-such-library": "1.0"}
    (note,) = version_notes(replace(document, versions=versions))
    assert note.startswith("trained with numpy 0.1, this is ")


def test_unknown_forms_and_folders_are_refused(ridge: Exported, tmp_path: Path) -> None:
    """With the nearest one."""
    with pytest.raises(StudyError, match="did you mean 'onnx'"):
        load_model(ridge.folder, "onx")
    with pytest.raises(StudyError, match=r"holds no exported model \(did you mean 'ridge'"):
        load_model(ridge.folder.with_name("rigde"))


def test_a_notebook_shows_what_a_model_is(tmp_path: Path) -> None:
    """Its target, inputs, test score with interval, and grams; a terminal shows a line."""
    model = load_model(export_of(picked_with("regression", "ridge"), tmp_path / "model").folder)
    page = model._repr_html_()
    assert "<th>target</th><td>tool_wear</td>" in page
    assert f"{model.document.test.value:.3f}" in page
    assert "CO2eq, measured by" in page
    name = model.document.picked.model
    assert repr(model) == f"TrainedModel({str(tmp_path / 'model')!r}, {name}, form='native')"
