"""More threads than cores are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt import compose
from cemai_opt.core.errors import StudyError
from cemai_opt.core.study import EngineSpec
from cemai_opt.engines._cores import check_cores
from cemai_opt.engines.worker_process import WorkerProcess
from cemai_opt.meters import usable_threads
from cemai_opt.testing.searches import study_of
from tests.conftest import wear_study


def test_more_threads_than_cores_are_refused(wear_csv: Path, tmp_path: Path) -> None:
    """Workers x threads above the number of cores would charge each trial with waiting for the others."""
    study = compose.prepare(wear_study(wear_csv, engine={"workers": 1000})).study
    with pytest.raises(StudyError, match="1000 workers x 1 threads exceed"):
        WorkerProcess.opened(study, tmp_path)


def test_all_cores_may_be_used_but_not_one_more() -> None:
    """By workers, or by the threads of one worker."""
    cores = usable_threads()
    for workers, threads in ((cores, 1), (1, cores)):
        check_cores(study_of().model_copy(update={"engine": EngineSpec(workers=workers), "threads": threads}))
    for workers, threads in ((cores + 1, 1), (1, cores + 1)):
        study = study_of().model_copy(update={"engine": EngineSpec(workers=workers), "threads": threads})
        with pytest.raises(StudyError, match=f"{workers} workers x {threads} threads exceed the {cores} usable cores"):
            check_cores(study)
