"""Builds the pipeline of a resolved study, in the main process or in a worker."""

from __future__ import annotations

from pathlib import Path

from cemai_opt.core.study import DataSpec, ResolvedStudy
from cemai_opt.datasets import READERS, Dataset, load_stored
from cemai_opt.meters import ForeignLoad, open_meters
from cemai_opt.pipeline.run import Pipeline
from cemai_opt.pipeline.splits import Splits

_last_read: dict[tuple[DataSpec, str], Dataset] = {}


def read_data(spec: DataSpec, task: str) -> Dataset:
    """The rows of a study; those read last are cached, also under the task that was inferred from them."""
    if (spec, task) not in _last_read:
        data = READERS.require(spec.source)().read(spec, task)
        _last_read.clear()
        _last_read[spec, task] = _last_read[spec, data.task] = data
    return _last_read[spec, task]


def build_pipeline(study: ResolvedStudy, stored: Path | None = None, *, load: ForeignLoad | None = None) -> Pipeline:
    """The pipeline of a study.

    `stored` is the folder of its stored data set, if any; `load` measures the load of other processes.
    """
    data = read_data(study.data, study.task) if stored is None else load_stored(stored)
    splits = Splits.of(data, study.split, seed=study.seed)
    meters = open_meters(study.carbon.meter, study.device, threads=study.threads)
    return Pipeline(data, splits, meters=meters, load=load)
