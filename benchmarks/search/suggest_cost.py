"""CPU time of one suggestion by each sampler, in memory, after different numbers of trials.

    python -m benchmarks.search.suggest_cost [TRIALS ...]

`SUGGEST_J` in `__main__` is a linear fit to these at 4 W, plus 20 mJ for what every search spends on a trial besides
the suggestion: journal, files, front (9 ms at 1,000 trials by `python -m benchmarks.search_cpu`, half of it the
journal).
"""

from __future__ import annotations

import sys
import time

import numpy as np
import optuna

from cemai_opt.core.space import MODEL, SearchSpaceSpec
from cemai_opt.search.samplers import SamplerContext, sampler_named
from cemai_opt.search.suggest import suggest
from cemai_opt.spaces import build_space

LENGTHS = (50, 200, 500)
SAMPLERS_TIMED = ("random", "nsga2_stock", "nsga2", "tpe")
N_AVERAGED = 25
"""The last suggestions of each length of which the mean is taken."""
WATTS = 4.0


def main() -> None:
    """Prints milliseconds and millijoules."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    lengths = sorted(map(int, sys.argv[1:])) or LENGTHS
    space = build_space(SearchSpaceSpec(), "benchmark", task="regression")
    print(f"{'sampler':<14}" + "".join(f"{f'{n} trials':>22}" for n in lengths))
    for name in SAMPLERS_TIMED:
        sampler = sampler_named(name).build(space, SamplerContext(trials=lengths[-1], seed=0))
        study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
        rng, took_ms = np.random.default_rng(0), []
        for _ in range(lengths[-1]):
            start = time.process_time()
            trial = study.ask()
            params = suggest(trial, space)
            took_ms.append(1000.0 * (time.process_time() - start))
            study.tell(trial, [float(rng.random()), float(10.0 ** rng.uniform(-6, -3)) * len(str(params[MODEL]))])
        means = [float(np.mean(took_ms[max(n - N_AVERAGED, 0) : n])) for n in lengths]
        print(f"{name:<14}" + "".join(f"{f'{ms:.1f} ms {ms * WATTS:.0f} mJ':>22}" for ms in means), flush=True)


if __name__ == "__main__":
    main()
