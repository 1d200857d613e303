"""Would a weighted average of front members, or a small model of the best one's predictions, beat the front?

    CEMAI_OPT_DATA=FOLDER python -m benchmarks.arena.combination [--sets A,B] [--seeds 3] [--budget-mg 32]

Per data set and seed, after a run of the product: `best` is the member with the best validation score. `average` is a
greedy selection with replacement on validation predictions (Caruana et al. (2004), ICML), whose cost is the sum of its
members'; `gain` is what it adds to the validation score of the best. `student` is a decision tree or a ridge on the
features of the best, with library defaults, trained on the predictions of the best for its training rows, and `plain`
the same model trained on the targets. Scores are of test rows, after training on training and validation rows.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.arena.datasets import SETS
from benchmarks.arena.jobs import ONE_THREAD, prepared_sets
from benchmarks.arena.peers import product_command
from benchmarks.arena.pipelines import Bench
from cemai_opt.core.batch import Batch, FloatArray, Prediction, Task
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.models import MODELS
from cemai_opt.pipeline import Pipeline, Splits
from cemai_opt.runs import RunFolder
from cemai_opt.stages.evaluate import averaged, metrics_of, pooled

ROUNDS = 20
STUDENTS = {"decision_tree": {"max_depth": 6}, "ridge": {}}
SET_NAMES = "fd001,phm2010,skab,demo,regimes,imbalance"


def main() -> None:
    """Prints a line per data set and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=SET_NAMES)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget-mg", type=float, default=32.0)
    parser.add_argument("--data-root", type=Path, default=os.environ.get("CEMAI_OPT_DATA", "."))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="arena_") as scratch:
        names = [name for name in args.sets.split(",") if name in SETS]
        for study in prepared_sets(names, Path(scratch), data_root=args.data_root):
            for seed in range(args.seeds):
                run = Path(scratch) / f"{study.parent.name}-{seed}"
                command = product_command(study, arm="product", seed=seed, budget_mg=args.budget_mg, out=run)
                subprocess.run(command, check=True, capture_output=True, env={**os.environ, **ONE_THREAD})
                print(f"{study.parent.name:<11} seed {seed}  {_line(study, run, seed=seed)}", flush=True)


def _line(study: Path, run: Path, *, seed: int) -> str:
    bench = Bench(study, seed=seed)
    members = RunFolder(run).front().members
    best = max(range(len(members)), key=lambda i: members[i].validation)
    y, validated = _validated(bench, [member.config for member in members])
    finals = [_final(bench, member.config) for member in members]
    if any(batch is None for batch in finals):
        return "a member could not be trained again"
    batches = [batch for batch in finals if batch is not None]
    counts = _greedy(bench, validated, y=y)
    score = batches[0].task.score
    before, after = (
        metrics_of(y, part, task=batches[0].task)[score]
        for part in (validated[best], _average(validated, counts, task=batches[0].task))
    )
    tested = [batch.prediction for batch in batches if batch.prediction is not None]
    y_test = batches[0].y[batches[0].eval_rows]
    test = [
        metrics_of(y_test, part, task=batches[0].task)[score]
        for part in (tested[best], _average(tested, counts, task=batches[0].task))
    ]
    used = np.flatnonzero(counts)
    grams = [1e3 * sum(members[i].carbon_g for i in chosen) for chosen in ((best,), used)]
    students = "  ".join(_student(batches[best], name) for name in STUDENTS)
    return (
        f"best {members[best].model} {test[0]:.3f} at {grams[0]:.3g} mg; average of {len(used)}: {test[1]:.3f} at "
        f"{grams[1]:.3g} mg, gain on validation {after - before:+.3f}, on test {test[1] - test[0]:+.3f}; {students}"
    )


def _plan(bench: Bench, config: Config, *, phase: str) -> TrialPlan:
    stages = tuple(stage for stage in bench.space.stages if stage != "explain")
    return TrialPlan(trial=0, study=bench.study, config=config, phase=phase, stages=stages, folds=1)


def _validated(bench: Bench, configs: Sequence[Config]) -> tuple[FloatArray, list[Prediction]]:
    """Targets and predictions of all validation rows, fold by fold, of each configuration."""
    splits = Splits.of(bench.data, bench.study.split, seed=bench.study.seed)
    y: list[FloatArray] = []
    parts: list[list[Prediction]] = [[] for _ in configs]
    for fold in splits.search:
        pipeline = Pipeline(bench.data, replace(splits, search=(fold,)), meters=bench.prepared.meters)
        for own, config in zip(parts, configs, strict=True):
            _, batch = pipeline.fitted(_plan(bench, config, phase="search"))
            if batch is None or batch.prediction is None:
                raise SystemExit("a front member could not be trained again")
            own.append(batch.prediction)
            targets = batch.y[batch.eval_rows]
        y.append(targets)
    return np.concatenate(y), [pooled(own) for own in parts]


def _final(bench: Bench, config: Config) -> Batch | None:
    splits = Splits.of(bench.data, bench.study.split, seed=bench.study.seed)
    pipeline = Pipeline(bench.data, splits, meters=bench.prepared.meters)
    return pipeline.fitted(_plan(bench, config, phase="final"))[1]


def _average(parts: Sequence[Prediction], counts: np.ndarray, *, task: Task) -> Prediction:
    """The most probable class of the mean: a threshold would be that of one member."""
    return averaged(parts, (counts / counts.sum()).tolist(), task=replace(task, threshold=None))


def _greedy(bench: Bench, parts: Sequence[Prediction], *, y: FloatArray) -> np.ndarray:
    """How often each member is in the average with the best score of all rounds."""
    task = _task(bench)
    counts, best = np.zeros(len(parts)), (-np.inf, np.zeros(len(parts)))
    for _ in range(ROUNDS):
        tried = []
        for i in range(len(parts)):
            counts[i] += 1
            tried.append(metrics_of(y, _average(parts, counts, task=task), task=task)[task.score])
            counts[i] -= 1
        counts[int(np.argmax(tried))] += 1
        if max(tried) > best[0] + 1e-9:
            best = (max(tried), counts.copy())
    return best[1]


def _task(bench: Bench) -> Task:
    from cemai_opt.pipeline.run import task_of

    return task_of(_plan(bench, Config({"train": {"model": "ridge"}}), phase="search"), bench.data)


def _student(batch: Batch, name: str) -> str:
    """Test scores of a small model, taught by the predictions of a fitted one, and by the targets."""
    assert batch.samples is not None, "the batch has been trained"
    assert batch.windows is not None, "the batch has been trained"
    taught = batch.model.predict(batch.samples.X)
    scores = []
    for y in (taught.value, batch.samples.y):
        model = MODELS.find(name)(STUDENTS[name], batch.task)
        model.fit(replace(batch.samples, y=y))
        predicted = model.predict(batch.windows.take(batch.eval_rows))
        value = batch.target.unscaled(predicted.value)
        metrics = metrics_of(batch.y[batch.eval_rows], replace(predicted, value=value), task=batch.task)
        scores.append(metrics[batch.task.score])
    return f"student {name} {scores[0]:.3f}, plain {scores[1]:.3f}"


if __name__ == "__main__":
    main()
