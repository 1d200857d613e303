"""The folder of an exported model: what is in it, how it is checked, and how it predicts."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Prediction
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.registry import need
from cemai_opt.core.spec import CarbonSpec
from cemai_opt.datasets import NewRows, Schema
from cemai_opt.pipeline import OnnxScorer, Scorer
from cemai_opt.report.run_folder import write_text

if TYPE_CHECKING:
    import pandas as pd

SIDECAR, ONNX, CONFIG, CARD, REPORT = "model.json", "model.onnx", "config.yaml", "MODEL_CARD.md", "report.html"
FORMAT = 1
"""Version of the sidecar; a reader refuses a later one."""
CHECKSUM = "sha256"
FORMS = ("native", "onnx")


@dataclass(frozen=True)
class TrainedModel:
    """A trained pipeline: raw rows in, predictions out.

    `document` is the sidecar, whose keys are features, preprocessing, classes, scores, grams, versions and checksums.
    """

    document: Mapping[str, Any]
    scorer: Scorer
    folder: Path
    form: str = "native"

    @property
    def schema(self) -> Schema:
        """What columns it wants."""
        return Schema.from_json(self.document["schema"])

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in the order of their numbers; empty for a regression."""
        return tuple(self.document["classes"])

    @property
    def carbon(self) -> CarbonSpec:
        """How its study made grams of joules."""
        return CarbonSpec.model_validate(self.document["carbon"])

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """One prediction a row, in the order of `rows`: numbers, or names of classes. StudyError for other columns.

        `rows` need the columns that training had, the group's and the time's too; the target may be there.
        """
        value = np.empty(len(rows))
        for numbers, prediction in self.predictions(self.schema.rows_of(rows)):
            value[numbers] = prediction.value
        return self.named(value)

    def predictions(self, rows: NewRows) -> Iterator[tuple[IntArray, Prediction]]:
        """Row numbers with their predictions, block by block."""
        return self._onnx.predict_stored(rows) if self.form == "onnx" else self.scorer.predict_stored(rows)

    def named(self, value: FloatArray) -> np.ndarray:
        """Predictions as people read them: numbers as they are, class numbers as the classes' names."""
        return np.array(self.classes, object)[value.astype(int)] if self.classes else value

    @cached_property
    def _onnx(self) -> OnnxScorer:
        onnx = self.document["onnx"]
        if onnx["file"] is None:
            raise StudyError(f"{self.folder} holds no ONNX form: {onnx['why']}", "use --form native")
        need("onnxruntime")
        return OnnxScorer(self.folder / ONNX, self.scorer.reach, self.scorer.window)


def write_sidecar(folder: Path, document: Mapping[str, Any]) -> None:
    """Writes the sidecar, with checksums of all files in the folder and of itself."""
    files = {file.name: checksum_of(file) for file in sorted(folder.iterdir()) if file.name != SIDECAR}
    whole = {"format": FORMAT, **document, "files": files}
    write_text(folder / SIDECAR, json.dumps({**whole, CHECKSUM: _checksum(whole)}, indent=1, allow_nan=False) + "\n")


def load_model(folder: Path | str, form: str = "native") -> TrainedModel:
    """The model that `export` wrote; `form` is "native" or "onnx".

    StudyError where a file is missing, is not what was exported, or is later than this version.
    """
    folder = Path(folder)
    if form not in FORMS:
        raise StudyError(f"there is no form {form!r}", nearest(form, FORMS))
    document = read_sidecar(folder)
    for library in ("skops", "safetensors"):
        if f"model.{library}" in document["files"]:
            need(library)
    return TrainedModel(document, Scorer.restored(folder, document["scorer"]), folder, form)


def read_sidecar(folder: Path) -> dict[str, Any]:
    """The checked sidecar of an exported model."""
    if not (folder / SIDECAR).is_file():
        siblings = [p.parent.name for p in folder.parent.glob(f"*/{SIDECAR}")] if folder.parent.is_dir() else []
        raise StudyError(
            f"{folder} holds no exported model", nearest(folder.name, siblings) if siblings else "`export`"
        )
    try:
        document = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))
        checksum = document.pop(CHECKSUM)
        files = dict(document["files"])
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise StudyError(f"{folder / SIDECAR} is damaged", "export the model again") from error
    if checksum != _checksum(document):
        raise StudyError(f"{folder / SIDECAR} is not what was exported", "export the model again")
    if document["format"] > FORMAT:
        raise StudyError(f"{folder} was written by {document['product']}", "update cemai-opt to that version")
    for name, wanted in files.items():
        if Path(name).name != name or not (folder / name).is_file():
            raise StudyError(f"{folder} lacks {name}", "export the model again")
        if checksum_of(folder / name) != wanted:
            raise StudyError(f"{folder / name} is not what was exported", "export the model again")
    return dict(document)


def version_notes(document: Mapping[str, Any]) -> list[str]:
    """Which libraries that made the model have another version here: its predictions may then differ a little."""
    notes = []
    for library, version in document["versions"].items():
        try:
            here = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
        if here != version:
            notes.append(f"trained with {library} {version}, this is {here}: predictions may differ a little")
    return notes


def checksum_of(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _checksum(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
