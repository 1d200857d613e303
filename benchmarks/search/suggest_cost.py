"""CPU time of one suggestion by each sampler, in memory, at some lengths of a search.

    python -m benchmarks.search.suggest_cost

`SUGGEST_J` in `__main__` is a line through these, at 4 W, plus 20 mJ for what every search does for a trial beside
choosing: journal, files, front (9 ms at 1,000 trials by `python -m benchmarks.search_cpu`, half of it the journal).
"""

from __future__ import annotations

import time

import numpy as np
import optuna

from cemai_opt import compose
from cemai_opt.core.space import MODEL, Lens
from cemai_opt.search.samplers import SAMPLERS, Budget
from cemai_opt.search.suggest import suggest

LENGTHS = (50, 200, 500)
SAMPLERS_TIMED = ("random", "nsga2_stock", "nsga2", "sms_emoa", "tpe")
WATTS = 4.0


def main() -> None:
    """Prints milliseconds and millijoules."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = compose.build_space(Lens(), "benchmark", "regression")
    print(f"{'sampler':<14}" + "".join(f"{f'{n} trials':>22}" for n in LENGTHS))
    for name in SAMPLERS_TIMED:
        sampler = SAMPLERS.require(name)().build(space, Budget(LENGTHS[-1], 0))
        study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
        rng, took_ms = np.random.default_rng(0), []
        for _ in range(LENGTHS[-1]):
            start = time.process_time()
            trial = study.ask()
            genome = suggest(trial, space)
            took_ms.append(1000.0 * (time.process_time() - start))
            study.tell(trial, [float(rng.random()), float(10.0 ** rng.uniform(-6, -3)) * len(str(genome[MODEL]))])
        means = [float(np.mean(took_ms[n - 25 : n])) for n in LENGTHS]
        print(f"{name:<14}" + "".join(f"{f'{ms:.1f} ms {ms * WATTS:.0f} mJ':>22}" for ms in means), flush=True)


if __name__ == "__main__":
    main()
