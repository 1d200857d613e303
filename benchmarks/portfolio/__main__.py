"""Learns the configurations that a search runs first.

    CEMAI_OPT_DATA=FOLDER python -m benchmarks.portfolio record [--sets A,B] [--jobs 2] [--out FILE]
    python -m benchmarks.portfolio build [--without A,B] [--size 18] [--out FILE] [--to portfolio.yaml]

`record` trains every candidate on every data set of the arena (training and validation rows) and tests it. A fit of
more than 8 CPU seconds is given up. Runs that are in FILE already are skipped.
`build` chooses greedily, from the recordings of all data sets but those named (and those of the same source), and
writes them cheapest first.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks.portfolio.build import RECORDED, SIZE, built, to_yaml


def main() -> None:
    """Runs one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    record = commands.add_parser("record", help="run what is missing")
    record.add_argument("--sets", default="", help="names, separated by commas; all by default")
    record.add_argument("--jobs", type=int, default=2, help="processes at once")
    record.add_argument("--out", type=Path, default=Path("portfolio.jsonl"))
    record.add_argument("--data-root", type=Path, default=os.environ.get("CEMAI_OPT_DATA", "."))
    record.set_defaults(command=_record)
    build = commands.add_parser("build", help="choose the portfolio")
    build.add_argument("--without", default="", help="data sets to leave out, separated by commas")
    build.add_argument("--size", type=int, default=SIZE)
    build.add_argument("--out", type=Path, default=RECORDED, help="the file that `record` wrote")
    build.add_argument("--to", type=Path, default=None, help="where to write it; printed by default")
    build.set_defaults(command=_build)
    args = parser.parse_args()
    args.command(args)


def _record(args: argparse.Namespace) -> None:
    from benchmarks.portfolio.record import record_all

    record_all(_names(args.sets), args.out, at_once=args.jobs, data_root=args.data_root)


def _build(args: argparse.Namespace) -> None:
    text = to_yaml(built(args.out, without=_names(args.without), size=args.size))
    if args.to is None:
        print(text, end="")
    else:
        args.to.write_text(text)


def _names(given: str) -> list[str]:
    return [name.strip() for name in given.split(",") if name.strip()]


if __name__ == "__main__":
    main()
