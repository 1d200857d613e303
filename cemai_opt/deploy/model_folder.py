"""The folder of an exported model: its files, their checks, and the model loaded from it."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Prediction
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.files import sha256_of, sha256_of_file
from cemai_opt.core.registry import need
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.core.study import ResolvedCarbon
from cemai_opt.core.units import readable_grams
from cemai_opt.datasets import NewRows, Schema, rows_of_frame
from cemai_opt.deploy.average_scorer import AnyScorer, restored_scorer
from cemai_opt.deploy.model_document import ModelDocument
from cemai_opt.deploy.onnx_scorer import OnnxScorer
from cemai_opt.models import MODELS
from cemai_opt.runs.run_folder import write_file

if TYPE_CHECKING:
    import pandas as pd

SIDECAR, ONNX, CONFIG, CARD, REPORT = "model.json", "model.onnx", "config.yaml", "MODEL_CARD.md", "report.html"
FORMAT, AVERAGE_FORMAT, LOG_FORMAT = 1, 2, 3
"""Versions of the sidecar: of a single pipeline, of an average, of either with a model that learns the logarithm of the
target; later ones are refused."""
CHECKSUM = "sha256"
FORMS = ("native", "onnx")


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A trained pipeline: raw rows in, predictions out. `document` describes it and its cost."""

    document: ModelDocument
    scorer: AnyScorer
    folder: Path
    form: str = "native"

    @property
    def schema(self) -> Schema:
        """The columns that it needs."""
        return self.document.schema

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in the order of their codes; empty for a regression."""
        return self.document.classes

    @property
    def carbon(self) -> ResolvedCarbon:
        """How its study converted joules to grams."""
        return self.document.carbon

    def __repr__(self) -> str:
        return f"TrainedModel({str(self.folder)!r}, {self.document.picked.model}, form={self.form!r})"

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in self._facts())
        return f"<table><caption>{escape(str(self.folder))}</caption><tbody>{rows}</tbody></table>"

    def _facts(self) -> list[tuple[str, str]]:
        """What a notebook shows of it."""
        document = self.document
        test, training = document.test, document.training
        interval = f" ({test.interval.low:.3f} to {test.interval.high:.3f})" if test.interval is not None else ""
        return [
            ("model", f"{document.picked.model}, {document.kind}"),
            ("target", str(self.schema.target)),
            ("inputs", ", ".join(self.schema.inputs)),
            (f"test {test.score}", f"{test.value:.3f}{interval}, {test.rows:,} rows"),
            ("training", f"{readable_grams(training.carbon_g)} CO2eq, measured by {training.source}"),
        ]

    def predict(self, rows: pd.DataFrame, *, history: pd.DataFrame | None = None) -> np.ndarray:
        """One prediction per row, in the order of `rows`: numbers, or names of classes.

        `rows` need the columns of the training data, including group and time; the target may be present. `history` are
        the rows before them, which features are computed from. StudyError for other columns, or a later history.
        """
        n_history = 0
        if history is not None:
            import pandas as pd

            rows, n_history = pd.concat([history, rows], ignore_index=True), len(history)
        value = np.empty(len(rows))
        for numbers, prediction in self.predictions(rows_of_frame(rows, self.schema, n_history=n_history)):
            value[numbers] = prediction.value
        return self.named(value[n_history:])

    def predictions(self, rows: NewRows) -> Iterator[tuple[IntArray, Prediction]]:
        """Row numbers with their predictions, block by block."""
        return self._onnx.predict_stored(rows) if self.form == "onnx" else self.scorer.predict_stored(rows)

    def named(self, value: FloatArray) -> np.ndarray:
        """Predictions with class codes replaced by the names of the classes; numbers stay as they are."""
        return np.array(self.classes, object)[value.astype(int)] if self.classes else value

    @cached_property
    def _onnx(self) -> OnnxScorer:
        onnx = self.document.onnx
        if onnx.file is None:
            raise StudyError(f"{self.folder} holds no ONNX form: {onnx.why}", "use --form native")
        need("onnxruntime")
        try:
            return OnnxScorer(self.folder / ONNX, self.scorer.lookback, window=self.scorer.window)
        except Exception as error:  # the library has no common class of errors
            raise _damaged(self.folder / ONNX, error) from error


def write_sidecar(folder: Path, document: ModelDocument) -> ModelDocument:
    """Writes the sidecar with checksums of all files and of itself; returns the document with those of the files."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != SIDECAR]
    files = {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in paths}
    document = replace(document, files=files)
    whole = to_json(document)
    text = json.dumps({**whole, CHECKSUM: sha256_of(whole)}, indent=1, allow_nan=False)
    write_file(folder / SIDECAR, text + "\n")
    return document


def load_model(folder: Path | str, form: str = "native", *, only_predicts: bool = False) -> TrainedModel:
    """The model that `export` wrote; `form` is "native" or "onnx".

    `only_predicts`: this process does nothing but predict, so that libraries may be loaded in part, which saves up to
    half of its CPU time. StudyError if a file is missing, was changed after the export, or was written by a later
    version.
    """
    folder = Path(folder)
    if form not in FORMS:
        raise StudyError(f"there is no form {form!r}", nearest(form, FORMS))
    document = read_sidecar(folder)
    for library in ("skops", "safetensors"):
        if any(Path(name).name == f"model.{library}" for name in document.files):
            need(library)
    if only_predicts:
        for name in document.models:
            MODELS.require(name).load_to_predict()
    return TrainedModel(document=document, scorer=_usable_scorer(folder, document), folder=folder, form=form)


def _usable_scorer(folder: Path, document: ModelDocument) -> AnyScorer:
    """The restored scorer, which has predicted two rows. StudyError if it cannot: the files do not belong together."""
    n_rows = 2
    try:
        scorer = restored_scorer(folder, document.scorer)
        prediction = scorer.predict(np.zeros((n_rows, len(scorer.inputs))), np.zeros(n_rows, np.int64))
        if prediction.value.shape != (n_rows,):
            raise ValueError(f"predictions of shape {prediction.value.shape}")
    except StudyError:
        raise
    except Exception as error:  # whatever a library raises
        raise _damaged(folder, error) from error
    return scorer


def _damaged(path: Path, error: Exception) -> StudyError:
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
    return StudyError(f"{path} is damaged ({reason})", "export the model again")


def exported_files(folder: Path) -> set[str]:
    """Names of the files that an export wrote to a folder. StudyError unless its sidecar is that of an export."""
    return {SIDECAR, *_checked_document(folder)["files"]}


def read_sidecar(folder: Path) -> ModelDocument:
    """The checked sidecar of an exported model, whose files are those of the export."""
    raw = _checked_document(folder)
    _check_files(folder, raw["files"])
    try:
        return from_json(ModelDocument, raw)
    except ValueError as error:
        raise _damaged(folder / SIDECAR, error) from error


def _checked_document(folder: Path) -> dict[str, Any]:
    """The sidecar as it was written."""
    if not (folder / SIDECAR).is_file():
        siblings = [p.parent.name for p in folder.parent.glob(f"*/{SIDECAR}")] if folder.parent.is_dir() else []
        raise StudyError(
            f"{folder} holds no exported model", nearest(folder.name, siblings) if siblings else "`export`"
        )
    try:
        raw: dict[str, Any] = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))
        checksum, version, raw["files"] = raw.pop(CHECKSUM), int(raw["format"]), dict(raw["files"])
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise _damaged(folder / SIDECAR, error) from error
    if checksum != sha256_of(raw):
        raise StudyError(f"{folder / SIDECAR} was changed after the export", "export the model again")
    if version > LOG_FORMAT:
        raise StudyError(f"{folder} was written by {raw.get('product')}", "update cemai-opt to that version")
    return raw


def _check_files(folder: Path, files: Mapping[str, str]) -> None:
    """StudyError if a file is missing, or is not the one that was exported."""
    for name, wanted in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not (folder / path).is_file():
            raise StudyError(f"{folder} lacks {name}", "export the model again")
        if sha256_of_file(folder / name) != wanted:
            raise StudyError(f"{folder / name} was changed after the export", "export the model again")


def version_notes(document: ModelDocument) -> list[str]:
    """Notes on libraries whose version differs from that in training: predictions may then differ slightly."""
    notes = []
    for library, version in document.versions.items():
        try:
            here = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
        if here != version:
            notes.append(f"trained with {library} {version}, this is {here}: predictions may differ a little")
    return notes
