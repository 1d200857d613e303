"""The search's own CPU time and memory: `python -m benchmarks.search_cpu [TRIALS [STORAGE ...]]`.

Trials cost nothing here, so what is left is the search itself: sampling, storing and writing, with the default sampler.
Printed for each storage (journal, memory, sqlite) are CPU milliseconds per trial in each fifth of the search, their
mean, its ratio to that of the first storage, and the growth of resident memory during the search.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import optuna

from benchmarks.samplers import MODELS, Landscape
from cemai_opt.core.result import TrialResult
from cemai_opt.core.space import SearchSpaceSpec
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.core.study_file import parse_resolved_study
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.meters.ram import own_bytes
from cemai_opt.runs import RunFolder
from cemai_opt.search import Budget, Events, Ledger, Search, SearchContext, SearchState
from cemai_opt.search.samplers import SamplerContext, sampler_named
from cemai_opt.search.storage import open_study
from cemai_opt.spaces import build_space


class _Writer(Events):
    """Writes each result into the run folder, as a session does, and notes the CPU time at which it was written."""

    def __init__(self, study: ResolvedStudy, folder: RunFolder) -> None:
        self._study, self._folder = study, folder
        self.cpu_s = [time.process_time()]

    def on_result(self, result: TrialResult, state: SearchState) -> None:
        """Writes a result."""
        self._folder.append(self._study, result)
        self.cpu_s.append(time.process_time())


def cpu_ms(trials: int, storage: str) -> tuple[list[float], float]:
    """CPU milliseconds per trial in each fifth of a search, and the megabytes by which memory has grown."""
    space = build_space(SearchSpaceSpec(models=MODELS), "benchmark", task="regression")
    document = {
        "task": "regression", "score": "r2", "split": {"by": "group", "folds": 1},
        "carbon": {"intensity_g_per_kwh": 475.0}, "search": {"trials": trials, "stop_early": False},
    }  # fmt: skip
    study, sampler = parse_resolved_study(document, "benchmark"), SamplerContext(trials=trials, seed=0)
    ledger = Ledger([CpuTime()], start_j=0.0)
    with tempfile.TemporaryDirectory() as name:
        folder = RunFolder(Path(name) / "run")
        with folder.writing(study, space.locked("")):
            optuna_study = open_study(
                folder.path,
                "benchmark",
                metrics=("r2", "gCO2eq"),
                sampler=sampler_named(study.search.sampler).build(space, sampler),
                storage=_storage(storage, name),
            )
            before_bytes, events = own_bytes(), _Writer(study, folder)
            context = SearchContext(
                study=study,
                space=space,
                engine=Landscape(space, 1),
                ledger=ledger,
                budget=Budget(study, ledger, start_s=0.0),
                optuna_study=optuna_study,
                sampler=sampler,
                events=events,
            )
            Search(context).run()
        grown_mb = (own_bytes() - before_bytes) / 1e6
    moments, fifth = events.cpu_s, len(events.cpu_s) // 5
    fifths = [1000 * (moments[(i + 1) * fifth - 1] - moments[i * fifth]) / (fifth - 1) for i in range(5)]
    return fifths, grown_mb


def _storage(name: str, folder: str) -> optuna.storages.BaseStorage | None:
    """An Optuna storage by name; None stands for the journal in the run folder."""
    if name == "memory":
        return optuna.storages.InMemoryStorage()
    return optuna.storages.RDBStorage(f"sqlite:///{folder}/optuna.db") if name == "sqlite" else None


def main() -> None:
    """Prints one line per storage."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    first_ms = 0.0
    for storage in sys.argv[2:] or ("journal", "memory", "sqlite"):
        fifths, grown_mb = cpu_ms(trials, storage)
        mean_ms = sum(fifths) / 5
        first_ms = first_ms or mean_ms
        shown = " ".join(f"{ms:6.2f}" for ms in fifths)
        print(
            f"{storage:8} CPU ms per trial in each fifth of {trials}: {shown}; mean {mean_ms:.2f}, "
            f"x{mean_ms / first_ms:.2f}; memory +{grown_mb:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
