"""Learns what a run will cost before it starts.

    CEMAI_OPT_DATA=FOLDER python -m benchmarks.forecast record [--sets A,B] [--jobs 1] [--out FILE]
    python -m benchmarks.forecast fit [--out FILE]

`record` runs `optimize` without a budget on every data set of the arena, with several numbers of trials and shares of
its groups or rows. Runs that are in FILE already are skipped.
`fit` prints the coefficients of `cemai_opt/runs/forecast.py`, and how often a run of a data set that was left out lies
inside its interval.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

RECORDED = Path(__file__).parent / "recorded.jsonl"


def main() -> None:
    """Runs one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    record = commands.add_parser("record", help="run what is missing")
    record.add_argument("--sets", default="", help="names, separated by commas; all by default")
    record.add_argument("--jobs", type=int, default=1, help="processes at once")
    record.add_argument("--out", type=Path, default=Path("forecast.jsonl"))
    record.add_argument("--data-root", type=Path, default=os.environ.get("CEMAI_OPT_DATA", "."))
    record.set_defaults(command=_record)
    one = commands.add_parser("one", help="one run in this process (used by `record`)")
    one.add_argument("--study", type=Path, required=True)
    one.add_argument("--trials", type=int, required=True)
    one.add_argument("--share", type=float, required=True)
    one.set_defaults(command=_one)
    fit = commands.add_parser("fit", help="learn from the runs")
    fit.add_argument("--out", type=Path, default=RECORDED, help="the file that `record` wrote")
    fit.set_defaults(command=_fit)
    args = parser.parse_args()
    args.command(args)


def _record(args: argparse.Namespace) -> None:
    from benchmarks.forecast.record import record_all

    names = [name.strip() for name in args.sets.split(",") if name.strip()]
    record_all(names, args.out, at_once=args.jobs, data_root=args.data_root)


def _one(args: argparse.Namespace) -> None:
    from benchmarks.forecast.record import recorded

    print(recorded(args.study, trials=args.trials, share=args.share))


def _fit(args: argparse.Namespace) -> None:
    from benchmarks.forecast.fit import report

    print(report(args.out))


if __name__ == "__main__":
    main()
