"""The search's own CPU time and memory: `python -m benchmarks.search_cpu [TRIALS [STORAGE ...]]`.

Trials cost nothing here, so what is left is asking, keeping and telling, with the default sampler. Printed for each
storage (journal, memory, sqlite) are CPU milliseconds per trial in each fifth of the search, the mean, its ratio to the
first one's, and the memory that the search has taken (resident at its end, beyond what was held at its begin).
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import optuna

from benchmarks.samplers import MODELS, Landscape
from cemai_opt.compose import build_space
from cemai_opt.core.result import TrialResult
from cemai_opt.core.space import Lens
from cemai_opt.core.spec import parse_study
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.meters.ram import own_bytes
from cemai_opt.report import RunFolder
from cemai_opt.search import Ledger, Search, open_study
from cemai_opt.search.samplers import SAMPLERS, Budget


def cpu_ms(trials: int, storage: str) -> tuple[list[float], float]:
    """CPU milliseconds per trial in each fifth of a search, and megabytes that it has taken."""
    space = build_space(Lens(models=MODELS), "benchmark", "regression")
    document = {
        "task": "regression", "score": "r2", "split": {"by": "group", "folds": 1},
        "carbon": {"intensity_g_per_kwh": 475.0}, "search": {"trials": trials, "stop_early": False},
    }  # fmt: skip
    spec, budget = parse_study(document, "benchmark"), Budget(trials, 0)
    sampler = SAMPLERS.require(spec.search.sampler)().build(space, budget)
    with tempfile.TemporaryDirectory() as name:
        folder = RunFolder(Path(name) / "run")
        folder.start(spec, space.to_json())
        place = {
            "journal": None,
            "memory": optuna.storages.InMemoryStorage(),
            "sqlite": f"sqlite:///{name}/optuna.db",
        }[storage]
        study = open_study(folder.path, "benchmark", ("r2", "gCO2eq"), sampler, storage=place)
        held = own_bytes()
        moments = [time.process_time()]

        def keep(result: TrialResult, state: object) -> None:
            folder.append(spec, result)
            moments.append(time.process_time())

        ledger = Ledger([CpuTime()], start_j=0.0)
        Search(spec, space, study, Landscape(space, 1), ledger, on_result=keep, budget=budget).run()
        fifth = len(moments) // 5
        taken_mb = (own_bytes() - held) / 1e6
    fifths = [1000 * (moments[(i + 1) * fifth - 1] - moments[i * fifth]) / (fifth - 1) for i in range(5)]
    return fifths, taken_mb


def main() -> None:
    """Prints a line for each storage."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    first_ms = 0.0
    for storage in sys.argv[2:] or ("journal", "memory", "sqlite"):
        fifths, taken_mb = cpu_ms(trials, storage)
        mean_ms = sum(fifths) / 5
        first_ms = first_ms or mean_ms
        shown = " ".join(f"{ms:6.2f}" for ms in fifths)
        print(
            f"{storage:8} CPU ms a trial by fifth of {trials}: {shown}; mean {mean_ms:.2f}, x{mean_ms / first_ms:.2f}; "
            f"{taken_mb:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
