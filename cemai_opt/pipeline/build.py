"""Builds the pipeline of a resolved study, in the main process or in a worker."""

from __future__ import annotations

from pathlib import Path

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.datasets import READERS, Dataset, load_stored, shared
from cemai_opt.meters import ForeignLoad, open_meters
from cemai_opt.pipeline.run import Pipeline
from cemai_opt.pipeline.splits import Splits
from cemai_opt.stages import STAGES

_last_read: dict[tuple[DataSpec, str, tuple[object, ...]], Dataset] = {}


def read_data(spec: DataSpec, task: str) -> Dataset:
    """The rows of a study; those read last are cached until a file changes, also under the task inferred from them."""
    state = tuple(_state_of(path) for path in spec.paths)
    if (spec, task, state) not in _last_read:
        data = shared(READERS.require(spec.source)().read(spec, task))
        _last_read.clear()
        _last_read[spec, task, state] = _last_read[spec, data.task, state] = data
    return _last_read[spec, task, state]


def _state_of(name: str) -> tuple[object, ...]:
    """Names, sizes and times of change of a file or of the files in a folder; empty if it is not there."""
    path = Path(name)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    stats = [(file.name, file.stat()) for file in files if file.exists()]
    return tuple((name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in stats)


def build_pipeline(
    study: ResolvedStudy,
    stored: Path | None = None,
    *,
    load: ForeignLoad | None = None,
    with_test_rows: bool = False,
) -> Pipeline:
    """The pipeline of a study.

    `stored` is the folder of its stored data set, if any; `load` measures the load of other processes;
    `with_test_rows`: its final models are trained on test rows as well.
    """
    data = read_data(study.data, study.task) if stored is None else load_stored(stored)
    for stage in STAGES.names:
        STAGES.find(stage).load_for(data.X)
    splits = Splits.of(data, study.split, seed=study.seed)
    if with_test_rows:
        splits = splits.trained_on_test_rows(data)
    meters = open_meters(study.carbon.meter, study.device, threads=study.threads)
    return Pipeline(data, splits, meters=meters, load=load)
