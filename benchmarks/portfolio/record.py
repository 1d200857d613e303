"""Runs every candidate on every data set of the arena, one process per data set."""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.arena.datasets import SETS
from benchmarks.arena.jobs import prepared_sets
from benchmarks.arena.pipelines import Bench, OverBudgetError, cpu_limit
from benchmarks.portfolio.candidates import candidates
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.space import MODEL, Params, SearchSpace

MAX_CPU_S = 8.0


def record_all(names: list[str], out: Path, *, at_once: int, data_root: Path) -> None:
    """Appends a line for every candidate (its number and parameters), then one for every run."""
    wished = candidates()
    known = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    done = {(row["set"], row["candidate"]) for row in known if "set" in row}
    described = sum("set" not in row for row in known)
    with out.open("a") as stream:
        stream.writelines(_line({"candidate": i, "params": c}) for i, c in enumerate(wished) if i >= described)
    with tempfile.TemporaryDirectory(prefix="portfolio_") as scratch:
        studies = prepared_sets(names or list(SETS), Path(scratch), data_root=data_root)
        with ProcessPoolExecutor(at_once, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
            jobs = [
                pool.submit(_recorded, study, wished, out=out, skipped={i for name, i in done if name == s})
                for study, s in ((path, path.parent.name) for path in studies)
            ]
            for job in jobs:
                print(job.result(), flush=True)


def _recorded(study: Path, wished: list[dict[str, Value]], *, out: Path, skipped: set[int]) -> str:
    """Runs the candidates on one data set; returns a line about it."""
    bench, name, known, n_run = Bench(study, seed=0), study.parent.name, dict[str, dict[str, Any]](), 0
    for number, candidate in enumerate(wished):
        if number in skipped:
            continue
        params = fitting(bench.space, candidate)
        if params is None:
            continue
        config = bench.space.active(params)
        if config.digest not in known:
            n_run += 1
            known[config.digest] = _scored(bench, config)
        with out.open("a") as stream:
            stream.write(_line({"set": name, "candidate": number, **known[config.digest]}))
    return f"{name}: {n_run} pipelines"


def _scored(bench: Bench, config: Any) -> dict[str, Any]:
    try:
        with cpu_limit(MAX_CPU_S):
            member = bench.tested(config)
    except OverBudgetError:
        return {"reason": f"more than {MAX_CPU_S:g} CPU seconds"}
    if isinstance(member, str):
        return {"reason": member}
    return {"score": round(member.test or 0.0, 5), "grams": float(f"{member.grams:.4g}")}


def fitting(space: SearchSpace, params: Params) -> dict[str, Value] | None:
    """The parameters in this search space, where it has them; None without its model."""
    if params[MODEL] not in space.models:
        return None
    return space.complete({name: value for name, value in params.items() if name in space.hyperparameters})


def _line(document: dict[str, Any]) -> str:
    return json.dumps(document) + "\n"
