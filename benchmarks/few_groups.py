"""Which untuned pipeline to trust when there are two groups to learn from.

    CEMAI_OPT_DATA=FOLDER python -m benchmarks.few_groups [--out few_groups.jsonl] [--sets A,B]

Two groups of a data set are for training and validation, up to twenty others for the test, three times per set (PHM
2010: its three cutters in turn). Every candidate of the portfolio is confirmed on folds as in a run, and tested; what
is in the file already is not run again. Of the portfolio that is learned without the set, different rules pick one; the
table shows the test R2 of what they pick, -1 at least.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks.arena.datasets import SETS
from benchmarks.arena.pipelines import Bench, OverBudgetError, cpu_limit
from benchmarks.portfolio.build import RECORDED, SIZE, Recorded
from benchmarks.portfolio.candidates import candidates
from benchmarks.portfolio.greedy import greedy
from benchmarks.portfolio.record import fitting
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.space import MODEL
from cemai_opt.models import MODELS

NAMES = ("phm2010", "demo", "regimes", "fd001")
N_DRAWS, N_TEST = 3, 20
MAX_CPU_S = 25.0
LOWEST = -1.0

Scores = Mapping[int, Mapping[str, Any]]
"""By candidate: `folds`, `confirmed` and `test`."""


def main() -> None:
    """Runs what is missing, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("few_groups.jsonl"))
    parser.add_argument("--sets", default=",".join(NAMES))
    args = parser.parse_args()
    found = [json.loads(line) for line in args.out.read_text().splitlines()] if args.out.exists() else []
    done = {(row["set"], row["draw"]) for row in found}
    root = Path(os.environ.get("CEMAI_OPT_DATA", "."))
    for name in args.sets.split(","):
        with tempfile.TemporaryDirectory() as scratch:
            for draw, study in _studies(name, Path(scratch), root=root):
                if (name, draw) not in done:
                    found.append({"set": name, "draw": draw, "scores": _scores(study)})
                    with args.out.open("a") as stream:
                        stream.write(json.dumps(found[-1]) + "\n")
    _print_table([row for row in found if row["set"] in args.sets.split(",")])


def _studies(name: str, scratch: Path, *, root: Path) -> Iterator[tuple[int, Path]]:
    """Studies of two groups each, with others as test groups."""
    arena_set = SETS[name]
    rows, data = arena_set.make(root).rows, dict(arena_set.data)
    group = data["group"]
    names = list(rows[group].unique())
    for draw in range(N_DRAWS):
        order = [*names[draw:], *names[:draw]]
        if len(names) > N_DRAWS:
            order = np.random.default_rng(draw).permutation(names).tolist()
        kept, tested = order[:2], order[2 : 2 + N_TEST]
        folder = scratch / str(draw)
        folder.mkdir()
        rows[rows[group].isin([*kept, *tested])].to_parquet(folder / "rows.parquet", index=False)
        data |= {"path": str(folder / "rows.parquet"), "test_groups": [str(each) for each in tested]}
        document = {"name": name, "data": data, "carbon": {"intensity_g_per_kwh": 475.0}}
        (folder / "study.yaml").write_text(yaml.safe_dump(document))
        yield draw, folder / "study.yaml"


def _scores(study: Path) -> dict[int, dict[str, Any]]:
    bench, scores = Bench(study, seed=0), {}
    stages = tuple(stage for stage in bench.space.stages if stage != "explain")
    for number, candidate in enumerate(candidates()):
        params = fitting(bench.space, candidate)
        if params is None:
            continue
        plan = TrialPlan(
            trial=number,
            study=bench.study,
            config=bench.space.active(params),
            phase="confirm",
            stages=stages,
            folds=bench.prepared.confirm_folds,
        )
        try:
            with cpu_limit(MAX_CPU_S):
                confirmed, tested = bench.run_plan(plan), bench.run(plan.config, phase="final")
        except OverBudgetError:
            continue
        if confirmed.is_complete and tested.is_complete:
            scores[number] = {
                "folds": list(confirmed.fold_scores),
                "confirmed": confirmed.score,
                "test": tested.score,
            }
    return scores


def _print_table(found: list[dict[str, Any]]) -> None:
    recorded = Recorded.read(RECORDED)
    rules: Mapping[str, Callable[[Scores], int]] = {
        "best confirmed score": lambda scores: _best(scores, "confirmed"),
        "best worst fold": lambda scores: max(scores, key=lambda i: min(scores[i]["folds"])),
        "best confirmed score of bounded models": lambda scores: _best(_bounded(scores, recorded), "confirmed"),
        "best test score (an oracle)": lambda scores: _best(scores, "test"),
    }
    print("| rule | mean | median | lowest | " + " | ".join(f"{row['set']} {row['draw']}" for row in found) + " |")
    print("|---" * (4 + len(found)) + "|")
    for name, rule in rules.items():
        tests = []
        for row in found:
            known = {int(number): scores for number, scores in row["scores"].items()}
            chosen = greedy(recorded.without([row["set"]]).table, size=SIZE)
            portfolio = {number: known[number] for number in chosen if number in known}
            tests.append(max(portfolio[rule(portfolio)]["test"], LOWEST))
        cells = " | ".join(f"{score:.2f}" for score in tests)
        print(
            f"| {name} | {statistics.fmean(tests):.2f} | {statistics.median(tests):.2f} | {min(tests):.2f} | {cells} |"
        )


def _best(scores: Scores, key: str) -> int:
    return max(scores, key=lambda number: float(scores[number][key]))


def _bounded(scores: Scores, recorded: Recorded) -> Scores:
    return {i: known for i, known in scores.items() if MODELS.find(recorded.candidates[i][MODEL]).is_bounded} or scores


if __name__ == "__main__":
    main()
