"""Compares an arm that was recorded on another machine, by what equal pipelines cost on both."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks.arena.datasets import SETS
from benchmarks.arena.result import Member, Result

MINE, NOW = "product", "_now"
"""Arms that begin with the first, or end with the second, as those of the same other machine, are not among the others.
"""


def text_of(results: Sequence[Result], arm: str) -> str:
    """A table: medians of the test score of what is recommended and of the hypervolume, of an arm, of `MINE` and of the
    best other one, with all grams of the arm divided by what they are multiplied by on its machine.

    Exits if the arm has no pipeline in common with others.
    """
    ratios = sorted(_ratios(results, arm))
    if len(ratios) < 2:
        raise SystemExit(f"{arm} has fewer than two pipelines in common with other arms")
    factor = statistics.median(ratios)
    low, _, high = statistics.quantiles(ratios, n=4)
    lines = [
        f"{len(ratios)} pipelines of {arm} that others ran with the same seed cost {factor:.2f} times the grams there",
        f"(quartiles {low:.2f} and {high:.2f}). Its grams are divided by that.\n",
        f"| set | chosen: {MINE} | {arm} | best other arm | hypervolume: {MINE} | {arm} | best other arm |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in [name for name in SETS if any(result.set == name and result.arm == arm for result in results)]:
        own = [result for result in results if result.set == name]
        groups = [[result for result in own if result.arm == MINE]]
        groups.append([_scaled(result, factor) for result in own if result.arm == arm])
        names = sorted({result.arm for result in own if not (result.arm.startswith(MINE) or result.arm.endswith(NOW))})
        others = [[result for result in own if result.arm == other] for other in names]
        chosen = [*map(_chosen, groups), max(map(_chosen, others))]
        volumes = [*map(_hypervolume, groups), max(map(_hypervolume, others))]
        lines.append(f"| {name} | {' | '.join(f'{number:.3f}' for number in (*chosen, *volumes))} |")
    return "\n".join(lines)


def _ratios(results: Sequence[Result], arm: str) -> Iterator[float]:
    """Grams of the arm relative to those of others, of pipelines with the same seed, configuration and test score."""
    elsewhere: dict[tuple[str, int, str], Member] = {}
    for result in results:
        if result.arm != arm and not result.arm.endswith(NOW):
            for member in result.tested:
                elsewhere.setdefault(_key(result, member), member)
    for result in [result for result in results if result.arm == arm]:
        for member in result.tested:
            other = elsewhere.get(_key(result, member))
            if other is not None and other.test == member.test:
                yield member.grams / other.grams


def _key(result: Result, member: Member) -> tuple[str, int, str]:
    return result.set, result.seed, json.dumps([member.model, member.config], sort_keys=True)


def _scaled(result: Result, factor: float) -> Result:
    return replace(result, members=tuple(replace(member, grams=member.grams / factor) for member in result.members))


def _chosen(runs: Sequence[Result]) -> float:
    return statistics.median([run.chosen.test or 0.0 for run in runs if run.chosen] or [float("-inf")])


def _hypervolume(runs: Sequence[Result]) -> float:
    return statistics.median(run.hypervolume for run in runs)
