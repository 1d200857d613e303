"""Builds the pipeline that a settled study describes, in whichever process asks for it."""

from __future__ import annotations

from pathlib import Path

from cemai_opt.core.errors import StudyError
from cemai_opt.core.spec import DataSpec, StudySpec
from cemai_opt.datasets import READERS, Dataset, load_stored
from cemai_opt.meters import ForeignLoad, open_meters
from cemai_opt.pipeline.run import Pipeline
from cemai_opt.pipeline.splits import Splits

_last_read: dict[tuple[DataSpec, str], Dataset] = {}


def read_data(spec: DataSpec, task: str) -> Dataset:
    """The rows of a study; the last ones stay in memory, also under the task that was guessed for them."""
    if (spec, task) not in _last_read:
        data = READERS.require(spec.source)().read(spec, task)
        _last_read.clear()
        _last_read[spec, task] = _last_read[spec, data.task] = data
    return _last_read[spec, task]


def build_pipeline(study: StudySpec, stored: Path | None = None, load: ForeignLoad | None = None) -> Pipeline:
    """The pipeline of a study whose open choices are settled (no "auto" left).

    `stored` is where its data set was stored, to be read there; `load` tells what is foreign to this process.
    """
    if study.task == "auto" or study.score == "auto" or study.split.by == "auto":
        raise StudyError("the study still has open choices", "settle it first")
    data = read_data(study.data, study.task) if stored is None else load_stored(stored)
    splits = Splits.of(data, study.split, study.seed)
    return Pipeline(data, splits, open_meters(study.carbon.meter, study.device, study.threads), load)
