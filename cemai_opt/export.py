"""Makes of a front member what can be deployed: its configuration, the fitted model, the papers that belong to it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.compose import settle
from cemai_opt.core.batch import Batch, Prediction
from cemai_opt.core.errors import CemaiError, StudyError, TrialError
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.registry import need
from cemai_opt.core.result import TrialResult
from cemai_opt.core.spec import StudySpec
from cemai_opt.datasets import Dataset, NewRows
from cemai_opt.pipeline import OnnxScorer, Scorer, build_pipeline, scoring_graph
from cemai_opt.report import RunFolder
from cemai_opt.report.d2m import d2m_params
from cemai_opt.report.documents import picked_member, versions_document
from cemai_opt.report.html_report import LIBRARIES as REPORT_LIBRARIES
from cemai_opt.report.html_report import html_report
from cemai_opt.report.intervals import score_interval
from cemai_opt.report.model_card import model_card
from cemai_opt.report.model_folder import CARD, CONFIG, ONNX, REPORT, SIDECAR, write_sidecar
from cemai_opt.report.run_folder import write_text, yaml_text
from cemai_opt.report.run_view import RunView
from cemai_opt.stages.featurize import ROLLING, TREND

ONNX_LIBRARIES = ("onnx", "onnxruntime", "skl2onnx", "onnxmltools")
ONNX_TOLERANCE = 1e-3
"""A prediction by ONNX is the same as ours when it is this close, in standard deviations of the predictions: models are
computed in single precision there, and features in another order."""
ONNX_MIN_SHARE = 0.99
"""So many predictions have to be the same, or no ONNX form is written. Not all: a value that rounds to the other side
of a tree's threshold is one that may go either way."""


@dataclass(frozen=True)
class Picked:
    """A front member that was picked by a rule or by its number, with the run that it is from."""

    folder: RunFolder
    study: StudySpec
    front: Mapping[str, Any]
    rule: str
    member: Mapping[str, Any]

    @property
    def config(self) -> Config:
        """Its parameters."""
        return Config(self.member["config"])

    def config_document(self) -> dict[str, Any]:
        """What `config.yaml` holds; `run` accepts it."""
        return {"picked": self.summary(), "config": self.member["config"], "study": self.study.to_json()}

    def summary(self) -> dict[str, Any]:
        """Which member it is, why, and what was found out about it."""
        keys = ("trial", "model", "validation", "test", "carbon_g", "uncertainty_g")
        return {"rule": self.rule, "score": self.front["score"], **{key: self.member[key] for key in keys}}


def pick(folder: RunFolder, rule: str, tolerance: float | None = None) -> Picked:
    """The front member that a rule ("knee", "best", "within", "greenest") or a trial's number names.

    StudyError where there is none.
    """
    front = folder.front()
    return Picked(folder, folder.study(), front, rule, picked_member(front, rule, tolerance))


@dataclass(frozen=True)
class Exported:
    """What `export_model` has written, and what training it anew has cost."""

    folder: Path
    document: Mapping[str, Any]
    result: TrialResult


def export_model(
    picked: Picked,
    out: Path,
    data: str | None = None,
    on_phase: Callable[[str], None] = lambda phase: None,
) -> Exported:
    """Trains the member as it was tested, on training and validation rows, and writes the folder of its model.

    `data` says where the rows lie now, if not where they did. The folder appears as a whole. StudyError where the rows
    are not those of the run, or `out` holds something else.
    """
    need("skops", "safetensors", *REPORT_LIBRARIES)
    check_free(out)
    on_phase(f"training trial {picked.member['trial']} ({picked.member['model']})")
    study, rows = _with_rows(picked, data)
    plan = _plan(picked, study)
    result, batch = build_pipeline(study).fitted(plan)
    if batch is None:
        raise TrialError(f"trial {plan.trial} could not be trained again: {result.reason}", "see trials.jsonl")
    scorer = Scorer.of(batch, rows.names, plan.config, plan.stages)
    draft = out.with_name(f".{out.name}-{os.getpid()}.part")
    draft.mkdir(parents=True)
    try:
        document = _document(picked, study, rows, scorer, batch, result, draft)
        on_phase("comparing its forms on the test rows")
        document["native"] = _native_parity(batch, rows, draft, document["scorer"])
        document["onnx"] = _with_onnx(scorer, batch, rows, draft)
        write_text(draft / CONFIG, yaml_text(picked.config_document()))
        view = RunView.of(picked.folder)
        write_text(draft / CARD, model_card(view, picked.member, document))
        write_text(draft / REPORT, html_report(view))
        write_sidecar(draft, document)
        if out.exists():
            shutil.rmtree(out)
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Exported(out, document, result)


def d2m_document(picked: Picked, data: str | None = None) -> tuple[dict[str, Any], list[str]]:
    """The member in the layout of the pipeline that CEMAI used, and what that has no word for."""
    _, rows = _with_rows(picked, data)
    feature = picked.config.params("featurize")
    made = (*ROLLING[str(feature.get("rolling", "none"))], *TREND[str(feature.get("trend", "none"))])
    made = (*made, *(["peak_frequency"] if feature.get("peak_frequency") else []))
    variables = tuple(column.name for column in rows.schema.columns)
    return d2m_params(picked.study, rows.schema.target, picked.config, variables, made)


def check_free(out: Path) -> None:
    """StudyError unless a model may be written to `out`: a new folder, an empty one, or that of an earlier export."""
    if out.exists() and not out.is_dir():
        raise StudyError(f"{out} is a file", "choose another --out, it becomes a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / SIDECAR).is_file():
        raise StudyError(f"{out} is not empty, and holds no exported model", "choose another --out")


def _with_rows(picked: Picked, data: str | None) -> tuple[StudySpec, Dataset]:
    """The study with its rows, which have to be those of the run."""
    study = picked.study.model_copy(update={"space": "default"})
    if data is not None:
        study = study.model_copy(update={"data": study.data.model_copy(update={"path": str(Path(data).resolve())})})
    settled = settle(study)
    if settled.data.digest != picked.folder.space()["data_digest"]:
        raise StudyError(f"the rows in {study.data.path} are not those of the run", "give them with --data")
    return settled.study, settled.data


def _plan(picked: Picked, study: StudySpec) -> TrialPlan:
    """As front members are tested, but not explained anew."""
    stages = tuple(name for name in picked.folder.space()["stages"] if name != "explain")
    return TrialPlan(int(picked.member["trial"]), study, picked.config, "final", stages, folds=1)


def _document(
    picked: Picked, study: StudySpec, rows: Dataset, scorer: Scorer, batch: Batch, result: TrialResult, folder: Path
) -> dict[str, Any]:
    assert batch.prediction is not None, "a complete batch has been judged"
    y, value = batch.y[batch.judge_rows], batch.prediction.value
    interval = score_interval(study.score, y, value, batch.group[batch.judge_rows], rows.has_groups)
    carbon, reach = study.carbon, scorer.reach
    return {
        "product": f"cemai-opt {versions_document()['cemai-opt']}",
        "study": study.name,
        "task": study.task,
        "classes": list(rows.classes),
        "picked": picked.summary(),
        "test": {
            "score": study.score,
            "value": result.score,
            "interval": None if interval is None else {**asdict(interval), "caveat": interval.caveat},
            "metrics": dict(result.metrics),
            "rows": len(y),
        },
        "training": {
            "energy_j": result.cost.energy_j,
            "carbon_g": carbon.grams(result.cost.energy_j),
            "uncertainty_g": carbon.grams(result.cost.uncertainty_j),
            "source": result.cost.rows[0].source,
            "host": result.host,
        },
        "carbon": carbon.model_dump(mode="json"),
        "horizon": rows.horizon,
        "clip_target": study.data.clip_target,
        "schema": rows.schema.to_json(),
        "history": {"rows": reach.rows, "start_rows": reach.start_rows, "last_known": reach.last_known},
        "scorer": scorer.save(folder),
        "versions": dict(versions_document()),
    }


def _predicted(predictions: Any, n_rows: int) -> Prediction:
    """Blocks of predictions in the order of the rows."""
    value, by_class = np.full(n_rows, np.nan), None
    for numbers, prediction in predictions:
        value[numbers] = prediction.value
        if prediction.by_class is not None:
            by_class = np.empty((n_rows, prediction.by_class.shape[1])) if by_class is None else by_class
            by_class[numbers] = prediction.by_class
    return Prediction(value, by_class)


def _stored(batch: Batch, rows: Dataset) -> tuple[NewRows, np.ndarray]:
    """All rows of the groups that are tested, and which of them are test rows."""
    tested = np.isin(rows.group, np.unique(rows.group[batch.judge_rows]))
    wanted = np.searchsorted(np.flatnonzero(tested), batch.judge_rows)
    return NewRows(rows.X[tested], rows.group[tested], np.arange(int(tested.sum()), dtype=np.float64)), wanted


def _native_parity(batch: Batch, rows: Dataset, folder: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """How the model in its files predicts the test rows, compared with the one in memory: the same, to the last bit."""
    assert batch.prediction is not None, "a complete batch has been judged"
    stored, wanted = _stored(batch, rows)
    again = _predicted(Scorer.restored(folder, document).predict_stored(stored), len(stored.X)).value[wanted]
    differing = int((again != batch.prediction.value).sum())
    if differing and batch.job.device == "cpu":
        raise CemaiError(f"the saved model predicts {differing} of {len(again)} test rows otherwise", "report this")
    return {"rows": len(again), "differing": differing}


def _with_onnx(scorer: Scorer, batch: Batch, rows: Dataset, folder: Path) -> dict[str, Any]:
    """Writes the ONNX form where there is one that predicts the same; says how alike it is, or why there is none."""
    try:
        need(*ONNX_LIBRARIES, *(["onnxscript"] if "torch" in type(scorer.model).requires else []))
        graph = scoring_graph(scorer)
    except StudyError as error:
        return {"file": None, "why": str(error)}
    file = folder / ONNX
    file.write_bytes(graph.SerializeToString())
    parity = _onnx_parity(scorer, batch, rows, file)
    if parity["share_alike"] < ONNX_MIN_SHARE:
        file.unlink()
        return {"file": None, "why": f"only {parity['share_alike']:.2%} of its predictions are alike", "parity": parity}
    opsets = {opset.domain or "ai.onnx": opset.version for opset in graph.opset_import}
    return {"file": ONNX, "opsets": opsets, "parity": parity}


def _onnx_parity(scorer: Scorer, batch: Batch, rows: Dataset, file: Path) -> dict[str, Any]:
    """How alike predictions of the test rows are, which training has not seen."""
    assert batch.prediction is not None, "a complete batch has been judged"
    stored, wanted = _stored(batch, rows)
    onnx = OnnxScorer(file, scorer.reach, scorer.window)
    ours, theirs = batch.prediction.value, _predicted(onnx.predict_stored(stored), len(stored.X)).value[wanted]
    if batch.job.is_classification:
        return {"rows": len(ours), "tolerance": "the same class", "share_alike": float((ours == theirs).mean())}
    spread = float(ours.std()) or 1.0
    off = np.abs(theirs - ours)
    return {
        "rows": len(ours),
        "tolerance": ONNX_TOLERANCE * spread,
        "share_alike": float((off <= ONNX_TOLERANCE * spread).mean()),
        "largest_difference": float(off.max()),
        "mean_difference": float(off.mean()),
    }
