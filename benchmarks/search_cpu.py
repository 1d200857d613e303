"""The search's own CPU time per trial: `python -m benchmarks.search_cpu [TRIALS]`.

Trials cost nothing here, so what is left is asking, keeping and telling, with the default sampler and storage. Printed
is CPU milliseconds per trial in each fifth of the search, the mean, and the ratio to the same search held in memory.
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
from cemai_opt.report import RunFolder
from cemai_opt.search import Ledger, Search, open_study
from cemai_opt.search.samplers import SAMPLERS, Budget


def cpu_ms(trials: int, on_disk: bool) -> list[float]:
    """CPU milliseconds per trial in each fifth of a search."""
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
        if on_disk:
            study = open_study(folder.path, "benchmark", ("r2", "gCO2eq"), sampler)
        else:
            optuna.logging.set_verbosity(optuna.logging.ERROR)
            study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
        moments = [time.process_time()]

        def keep(result: TrialResult, state: object) -> None:
            folder.append(spec, result)
            moments.append(time.process_time())

        ledger = Ledger([CpuTime()], start_j=0.0)
        Search(spec, space, study, Landscape(space, 1), ledger, on_result=keep, budget=budget).run()
    fifth = len(moments) // 5
    return [1000 * (moments[(i + 1) * fifth - 1] - moments[i * fifth]) / (fifth - 1) for i in range(5)]


def main() -> None:
    """Prints both searches."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    disk, memory = cpu_ms(trials, True), cpu_ms(trials, False)
    for name, fifths in (("journal file", disk), ("in memory", memory)):
        shown = " ".join(f"{ms:6.2f}" for ms in fifths)
        print(f"{name:13s} CPU ms a trial by fifth of {trials}: {shown}; mean {sum(fifths) / 5:.2f}")
    print(f"journal file / in memory: {sum(disk) / sum(memory):.2f}")


if __name__ == "__main__":
    main()
