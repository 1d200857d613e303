"""Runs cases of all families and prints how they ended: `python -m tests.fuzz [--cases 10000] [--first 0]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.fuzz.families import FAMILIES, cases
from tests.fuzz.outcome import BAD, OUTCOMES


def main() -> int:
    """Prints the table; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="in all families together")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    args = parser.parse_args()
    print(f"{'':14}{'inputs':>8}" + "".join(f"{kind:>16}" for kind in OUTCOMES))
    n_cases = round(args.cases / sum(family.share for family in FAMILIES.values()))
    total, shown = Counter[str](), list[str]()
    for family in FAMILIES:
        counts = Counter[str]()
        with tempfile.TemporaryDirectory(prefix="cemai-opt-fuzz-") as scratch:
            for number, outcome in cases(family, n_cases, scratch=Path(scratch), first=args.first):
                counts[outcome.kind] += 1
                if outcome.kind in BAD:
                    shown.append(f"{family} case {number}, {outcome.kind}: {outcome.details}")
        total += counts
        print(f"{family:14}{counts.total():8}" + "".join(f"{counts[kind]:16}" for kind in OUTCOMES), flush=True)
    print(f"{'all':14}{total.total():8}" + "".join(f"{total[kind]:16}" for kind in OUTCOMES))
    print("\n".join(shown[:10]))
    return 1 if shown else 0


if __name__ == "__main__":
    sys.exit(main())
