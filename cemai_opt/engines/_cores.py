"""Refuses more threads than there are cores, for trials would then wait for each other."""

from __future__ import annotations

import os

from cemai_opt.core.errors import StudyError
from cemai_opt.core.spec import StudySpec


def check_cores(study: StudySpec) -> None:
    """StudyError where workers x threads are more than the cores that this process may use."""
    workers, threads, cores = study.engine.workers, study.threads, len(os.sched_getaffinity(0))
    if workers * threads > cores:
        raise StudyError(
            f"{workers} workers x {threads} threads are more than the {cores} cores here",
            "trials would wait for each other; give fewer --workers or --threads",
        )
