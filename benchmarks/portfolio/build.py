"""The portfolio of recorded data sets."""

from __future__ import annotations

import gzip
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.portfolio.greedy import Pair, greedy

RECORDED, SIZE = Path(__file__).parent / "recorded.jsonl.gz", 18
ALWAYS: Sequence[dict[str, Any]] = ({"train.model": "lightgbm"}, {"train.model": "elastic_net"})
"""Also in the portfolio, whatever the recordings say, for data unlike those recorded: many independent rows, and more
inputs than rows."""
SOURCES: Sequence[Sequence[str]] = (("fd001", "fd002"),)
"""Data sets of one source: none of them helps to choose for another one."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Candidates by number, and the score and grams of each on each data set."""

    candidates: dict[int, dict[str, Any]]
    table: dict[str, dict[int, Pair]]

    @staticmethod
    def read(path: Path) -> Recorded:
        """What `record` has written."""
        candidates, table = dict[int, dict[str, Any]](), dict[str, dict[int, Pair]]()
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt") as stream:
            for line in stream:
                row = json.loads(line)
                if "set" not in row:
                    candidates[row["candidate"]] = row["params"]
                elif "score" in row:
                    table.setdefault(row["set"], {})[row["candidate"]] = (row["score"], row["grams"])
        return Recorded(candidates=candidates, table=table)

    def without(self, names: Sequence[str]) -> Recorded:
        """Without some data sets, and those of the same source."""
        gone = {n for name in names for source in (*SOURCES, (name,)) if name in source for n in source}
        return Recorded(
            candidates=self.candidates, table={name: known for name, known in self.table.items() if name not in gone}
        )


def built(path: Path, *, without: Sequence[str], size: int) -> list[dict[str, Any]]:
    """The parameters of the chosen configurations, cheapest first."""
    recorded = Recorded.read(path).without(without)
    always = [number for number, params in recorded.candidates.items() if params in ALWAYS]
    chosen = {*greedy(recorded.table, size=size), *always}
    return [recorded.candidates[i] for i in sorted(chosen, key=lambda i: _typical_g(recorded, i))]


def _typical_g(recorded: Recorded, number: int) -> float:
    """Median over the data sets of the grams, relative to the median candidate's there."""
    return statistics.median(
        known[number][1] / statistics.median(grams for _, grams in known.values())
        for known in recorded.table.values()
        if number in known
    )


def to_yaml(portfolio: Sequence[dict[str, Any]]) -> str:
    """The contents of a portfolio file."""
    return yaml.safe_dump({"configurations": list(portfolio)}, sort_keys=False)
