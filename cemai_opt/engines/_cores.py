"""Refuses more threads than cores, because trials would then wait for each other."""

from __future__ import annotations

from cemai_opt.core.errors import StudyError
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.meters import usable_threads


def check_cores(study: ResolvedStudy) -> None:
    """StudyError if workers x threads exceeds the number of cores that this process may use."""
    workers, threads, cores = study.engine.workers, study.threads, usable_threads()
    if workers * threads > cores:
        raise StudyError(
            f"{workers} workers x {threads} threads exceed the {cores} usable cores",
            "trials would wait for each other; give fewer --workers or --threads",
        )
