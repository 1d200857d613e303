"""Runs pipelines of a study, and writes them as a table.

    python -m benchmarks.search.record STUDY --trials 300 --out FILE

A third of the pipelines is drawn at random, the rest is suggested by TPE and NSGA-II, so that the table is dense where
searches go. Every model that grows is evaluated at its checkpoints, and none is pruned. A line is one pipeline: its
hyperparameters, joules by stage, score, score of the first fold, and its learning curve as (size, score, joules of
training, joules of evaluating).
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import optuna

from benchmarks.search.table import PARAMS
from cemai_opt import compose
from cemai_opt.core.objective import objective_g
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.pruning_bounds import PruningBounds
from cemai_opt.core.result import TrialResult
from cemai_opt.core.space import SearchSpace
from cemai_opt.pipeline import build_pipeline
from cemai_opt.search.initial_design import initial_design
from cemai_opt.search.samplers import SamplerContext, sampler_named
from cemai_opt.search.suggest import suggest

SAMPLERS = ("random", "tpe", "nsga2")


def main() -> None:
    """Writes the table line by line: an interrupted recording is a shorter table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study")
    parser.add_argument("--trials", type=int, default=300, help="pipelines of each of the three samplers")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    prepared = compose.prepare(compose.load_study(args.study))
    pipeline, space, seen = build_pipeline(prepared.study), prepared.space, set[str]()
    stages = tuple(name for name in space.stages if name != "explain")
    with args.out.open("w") as file:
        study = prepared.study
        header = {"study": args.study, "task": study.task, "folds": study.split.folds}
        file.write(json.dumps(header) + "\n")
        for number, sampler in enumerate(SAMPLERS):
            context = SamplerContext(trials=args.trials, seed=1000 + number)
            asked = optuna.create_study(
                directions=["maximize", "minimize"], sampler=sampler_named(sampler).build(space, context)
            )
            for params in initial_design(space) if number == 0 else []:
                asked.enqueue_trial({name: v for name, v in params.items() if space.is_open(name, params)})
            for _ in range(args.trials):
                trial = asked.ask()
                config = space.active(suggest(trial, space))
                plan = TrialPlan(
                    trial=trial.number,
                    study=study,
                    config=config,
                    phase="search",
                    stages=stages,
                    folds=study.split.folds,
                    bounds=PruningBounds(),
                )
                result = pipeline.run(plan)
                if not result.is_complete or result.score is None:
                    asked.tell(trial, state=optuna.trial.TrialState.FAIL)
                    continue
                asked.tell(trial, [result.score, objective_g(study, result)])
                if config.digest not in seen:
                    seen.add(config.digest)
                    file.write(json.dumps(row_of(space, result), separators=(",", ":")) + "\n")
                    file.flush()
            print(f"{args.study}: {sampler} done, {len(seen)} pipelines", file=sys.stderr)
    packed = args.out.with_name(args.out.name + ".gz")
    packed.write_bytes(gzip.compress(args.out.read_bytes(), mtime=0))


def row_of(space: SearchSpace, result: TrialResult) -> dict[str, Any]:
    """The line of a pipeline."""
    points = result.curve.points if result.curve else ()
    hyperparameters = space.params_of(result.config)
    return {
        PARAMS: {name: _short(value) for name, value in hyperparameters.items()},
        "stages": {row.stage: _short(row.total_j) for row in result.cost.rows},
        "score": _short(result.score),
        "first_fold": _short(result.fold_scores[0]),
        "curve": [
            [point.size, _short(point.score), _short(point.train.total_j), _short(point.evaluate.total_j)]
            for point in points
        ],
    }


def _short(value: Any) -> Any:
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
