"""Compares the product with hand-set defaults and other searches, on many data sets, under one budget of grams.

    pip install -r benchmarks/arena/requirements.txt       # only for the arm flaml
    CEMAI_OPT_DATA=FOLDER python -m benchmarks.arena run [--sets A,B] [--arms A,B] [--seeds 3] [--budget-mg 32]
                                                         [--jobs 2] [--out arena.jsonl]
    python -m benchmarks.arena table [--out arena.jsonl] [--to docs/results]
    python -m benchmarks.arena machines product_now [--out arena.jsonl]

`run` appends one line of JSON per data set, arm and seed to FILE and prints its scores; runs that are there already are
skipped, failed ones are repeated. Every run is a process of its own, whose CPU seconds are all charged to it. Sets
without their files, and FLAML without its library, are skipped with a message.

- hand_set: every model with its library's defaults, on raw columns and on full features; no search, no validation.
- product: `cemai-opt optimize` with its defaults, without audit and report; product_1000: with up to 1,000 trials;
  product_worth: with --worth '0.01 = 5mg'. Their portfolio is
  one that was learned without this data set and others of its source.
- nsga2_stock, tpe: Optuna's samplers on the product's space and pipelines.
- flaml: FLAML on raw columns, and on rolling features where rows have an order.

The budget of 32 mg is about 60 CPU seconds at 4 W per thread and 475 g/kWh, imports included. The other searches stop
at 75 % of it, retrain their front by validation on training and validation rows, and test it. All grams come from the
product's meters.

`recorded.jsonl.gz` beside this file holds what has been run so far (cp and gunzip it to go on from there). Its runs
`product_before` are of the product before it had the model nystroem, one-hot encoding and a portfolio of 18;
`product_before_again` are these a second time, on a machine that ran tests meanwhile, as did those of product_worth.
`product_now` is the present version, on a machine that takes twice the CPU time of that of the others: it had half of
the work that 32 mg are there. `machines` scales its grams by what equal pipelines cost on both. `flaml_now` is FLAML on
that machine, `product_before_now` the version before: one bad configuration ended its family in the portfolio, too.
nsga2_stock and tpe were run on the present space for drift, regimes, categories and digits, before on the others.

`table` writes `arena.md` and `arena.png`. Printed are, per set and arm, medians over seeds (the worst in brackets) of:
the best test score, which only an oracle knows; the test score of the member with the best validation score (of the
product: by its rule `best`), of the product's other rules and of its untuned baseline; grams of one fit of the best;
grams of the whole run; hypervolume of the front of test scores in a fixed box (score 0 to 1, grams 1e-7 to 1e-2). Then,
per model family, on how many sets it is on the front of all arms' members together, and how much hypervolume that front
loses without it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

OUT = Path("arena.jsonl")


def main() -> None:
    """Runs one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="run what is missing")
    run.add_argument("--sets", default="", help="names, separated by commas; all by default")
    run.add_argument(
        "--arms",
        default="",
        help="names, separated by commas; by default all but those of the product with other options",
    )
    run.add_argument("--seeds", type=int, default=3, help="number of seeds, from 0 on")
    run.add_argument("--budget-mg", type=float, default=32.0)
    run.add_argument("--jobs", type=int, default=2, help="processes at once")
    run.add_argument("--out", type=Path, default=OUT)
    run.add_argument("--data-root", type=Path, default=os.environ.get("CEMAI_OPT_DATA", "."))
    run.set_defaults(command=_run)
    table = commands.add_parser("table", help="write the table and the picture")
    table.add_argument("--out", type=Path, default=OUT, help="the file that `run` wrote")
    table.add_argument("--to", type=Path, default=Path("docs/results"))
    table.add_argument("--budget-mg", type=float, default=32.0, help="runs with this budget only")
    table.set_defaults(command=_table)
    machines = commands.add_parser("machines", help="compare an arm that was recorded on another machine")
    machines.add_argument("arm", metavar="ARM", help="its grams are divided by what equal pipelines cost more there")
    machines.add_argument("--out", type=Path, default=OUT, help="the file that `run` wrote")
    machines.add_argument("--budget-mg", type=float, default=32.0, help="runs with this budget only")
    machines.set_defaults(command=_machines)
    one = commands.add_parser("one", help="one run in this process (used by `run`)")
    one.add_argument("--study", type=Path, required=True)
    one.add_argument("--arm", required=True)
    one.add_argument("--seed", type=int, required=True)
    one.add_argument("--budget-mg", type=float, required=True)
    one.add_argument("--out", type=Path, required=True)
    one.set_defaults(command=_one)
    args = parser.parse_args()
    args.command(args)


def _run(args: argparse.Namespace) -> None:
    from benchmarks.arena.datasets import SETS
    from benchmarks.arena.jobs import ARMS, KNOWN_ARMS, Job, prepared_sets, run_all, usable_arms

    sets, arms = _names(args.sets, tuple(SETS), known=tuple(SETS)), _names(args.arms, ARMS, known=KNOWN_ARMS)
    with tempfile.TemporaryDirectory(prefix="arena_") as scratch:
        studies, arms = prepared_sets(sets, Path(scratch), data_root=args.data_root), usable_arms(arms)
        jobs = [
            Job(study=study, arm=arm, seed=seed, budget_mg=args.budget_mg)
            for seed in range(args.seeds)
            for study in studies
            for arm in arms
        ]
        run_all(jobs, args.out, at_once=args.jobs)


def _names(given: str, default: tuple[str, ...], *, known: tuple[str, ...]) -> list[str]:
    """The names in an option; exits with the known ones if there is another one."""
    names = [name.strip() for name in given.split(",") if name.strip()] or list(default)
    for name in names:
        if name not in known:
            raise SystemExit(f"there is no {name!r}; known: {', '.join(known)}")
    return names


def _table(args: argparse.Namespace) -> None:
    from benchmarks.arena.table import write

    write(args.out, args.to, budget_mg=args.budget_mg)


def _machines(args: argparse.Namespace) -> None:
    from benchmarks.arena.machines import text_of
    from benchmarks.arena.result import read

    results = [result for result in read(args.out) if not result.error and result.budget_mg == args.budget_mg]
    print(text_of(results, args.arm))


def _one(args: argparse.Namespace) -> None:
    from benchmarks.arena.datasets import SETS
    from benchmarks.arena.result import to_line

    settings = {"seed": args.seed, "budget_mg": args.budget_mg}
    is_independent = SETS[args.study.parent.name].is_independent
    if args.arm == "hand_set":
        from benchmarks.arena.hand_set import hand_set

        result = hand_set(args.study, is_independent=is_independent, **settings)
    elif args.arm == "flaml":
        from benchmarks.arena.flaml_peer import flaml

        result = flaml(args.study, is_independent=is_independent, **settings)
    else:
        from benchmarks.arena.peers import stock

        result = stock(args.study, arm=args.arm, **settings)
    args.out.write_text(to_line(result))


if __name__ == "__main__":
    main()
