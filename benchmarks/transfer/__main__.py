"""Measures what `--warm-start` gains, on related data and on unrelated data.

    python -m benchmarks.transfer run --data-root FOLDER --out runs.jsonl [--seeds 5] [--jobs 2]
    python -m benchmarks.transfer table --out runs.jsonl --to docs/results/transfer.md

FOLDER holds `cmapss` and `phm2010`, as for the arena. Per target and seed there is a search without a warm start, and
one more from the run of each source with the same seed; all have the same budget, which covers the whole run.
Results that are in the file already are not run again. The page is that of
`--out benchmarks/transfer/recorded.jsonl.gz`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.streams.__main__ import lines_of
from cemai_opt.core.front import Box, ParetoFront, Point
from cemai_opt.core.units import readable_grams
from cemai_opt.runs import RunFolder
from cemai_opt.runs.machine import this_machine

BUDGET_MG = {"FD001": 32.0, "FD002": 32.0, "c1": 16.0, "c4": 16.0, "c6": 16.0}
"""Milligrams of each run, by target."""
SOURCES: Mapping[str, tuple[str, ...]] = {
    "FD001": ("", "FD002", "c1"),
    "FD002": ("", "FD001"),
    "c1": ("",),
    "c4": ("", "c1", "FD001"),
    "c6": ("", "c4"),
}
"""Runs that a search on each target starts from; "" is none. `UNRELATED` pairs have nothing in common."""
UNRELATED = {("FD001", "c1"), ("c4", "FD001")}
LEVEL = 0.95
"""The level that runs are compared at, relative to the median final hypervolume without a warm start."""
INTENSITY = "475"
BLOCK, N_BLOCKS = "block", 12


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run of a target, from the run of a source if there is one."""

    target: str
    source: str
    seed: int

    @property
    def folder(self) -> str:
        return f"{self.target}-{self.source or 'none'}-{self.seed}"


def options_of(target: str, data: Path) -> list[str]:
    """The data of a target on the command line."""
    if target.startswith("FD"):
        train, test = (data / "cmapss" / f"{part}_{target}.csv.gz" for part in ("train", "test"))
        return [
            *("--data", str(train), "--test", str(test), "--target", "RUL", "--group", "unit", "--time", "cycle"),
            *("--clip-target", "125"),
        ]
    columns = ("--target", "tool_wear", "--group", BLOCK, "--time", "timestamp")
    return ["--data", str(data / f"{target}.csv"), *columns]


def split_experiments(root: Path, scratch: Path) -> None:
    """Writes each cutter of PHM 2010 to a file of its own, cut into blocks of time, which are its groups.

    Split by time instead, wear would always be extrapolated, and no pipeline be better than a constant.
    """
    rows = pd.read_csv(root / "phm2010" / "phm2010.csv.gz")
    for name, own in rows.groupby("experiment_tag"):
        own = own.sort_values("timestamp").drop(columns="experiment_tag")
        own[BLOCK] = np.arange(len(own)) * N_BLOCKS // len(own)
        own.to_csv(scratch / f"{name}.csv", index=False)


def run_one(job: Job, root: Path, *, scratch: Path) -> dict[str, object]:
    """Runs a search, and returns what of it is kept."""
    data = root if job.target.startswith("FD") else scratch
    command = [sys.executable, "-m", "cemai_opt", "optimize", *options_of(job.target, data)]
    command += ["--budget-grams", str(BUDGET_MG[job.target] / 1000.0), "--seed", str(job.seed)]
    command += ["--intensity", INTENSITY, "--out", str(scratch / job.folder)]
    if job.source:
        command += ["--warm-start", str(scratch / Job(target=job.source, source="", seed=job.seed).folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    kept = {"target": job.target, "source": job.source, "seed": job.seed, "machine": this_machine().cpu}
    if done.returncode:
        return {**kept, "error": done.stderr[-500:]}
    return {**kept, "course": list(course_of(scratch / job.folder)), "knee_test": knee_test(scratch / job.folder)}


def course_of(folder: Path) -> Iterator[tuple[float, float, float]]:
    """After each complete trial: grams of the run until then, its score, its grams."""
    study, trials_g = RunFolder(folder).study(), 0.0
    for line in (folder / "trials.jsonl").read_text().splitlines():
        document = json.loads(line)
        trials_g += document["spent_g"]
        if document["carbon_g"] is not None and document["score"] is not None:
            yield trials_g + study.carbon.grams(document["driver_j"]), document["score"], document["carbon_g"]


def knee_test(folder: Path) -> float | None:
    """The test score of the recommended member, or of the best constant if none is recommended; None if the budget was
    used up before the test."""
    front = RunFolder(folder).front()
    if len(front.recommended) or front.dummy is None:
        return front.pick("knee").test
    return front.dummy.test


def measure(out: Path, *, root: Path, seeds: int, at_once: int) -> int:
    """Runs what is missing in `out`: of each seed first the runs without a source, from which the others start.

    Seed by seed, so that other work on the machine, which makes CPU time longer, meets both alike.
    """
    known = [json.loads(line) for line in lines_of(out)]
    done = {(each["target"], each["source"], each["seed"]) for each in known if "error" not in each}
    jobs = [
        Job(target=target, source=source, seed=seed)
        for seed in range(seeds)
        for target, sources in SOURCES.items()
        for source in sources
    ]
    n_failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        split_experiments(root, Path(scratch))
        for seed, is_cold in product(range(seeds), (True, False)):
            wanted = [job for job in jobs if job.seed == seed and (not job.source) == is_cold]
            needed = {(job.source, job.seed) for job in jobs if job.source and _key(job) not in done}
            wanted = [job for job in wanted if _key(job) not in done or (is_cold and (job.target, job.seed) in needed)]
            with ThreadPoolExecutor(at_once) as pool:
                for result in pool.map(lambda job: run_one(job, root, scratch=Path(scratch)), wanted):
                    key = (result["target"], result["source"], result["seed"])
                    print(*key, result.get("error", "done"), flush=True)
                    n_failed += "error" in result
                    if key not in done:
                        with out.open("a") as stream:
                            stream.write(json.dumps(result) + "\n")
    return min(n_failed, 1)


def _key(job: Job) -> tuple[str, str, int]:
    return job.target, job.source, job.seed


def page(runs: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """The lines of the page."""
    machine = sorted({str(run["machine"]) for run in runs})
    yield "# Warm starts, measured\n"
    yield "Grams of the whole run (driver included) until a search first has the hypervolume that runs without a warm"
    yield f"start have at the end, {LEVEL:.0%} of their median; in one box per target, log error by log grams. In"
    yield "`trials`, without what a run spends before its first trial ends, most of it starting and reading. Medians"
    yield "over the seeds, worst in brackets; `-`: not reached within the budget in most seeds. `recommended`: `knee`,"
    yield "or the best constant where a run recommends nothing. On c1, c4 and c6 the test rows are two of twelve blocks"
    yield "of one cutter, inside which wear hardly varies, so that R2 is of little meaning there. Every search had the"
    yield f"default portfolio, {INTENSITY} g/kWh, one thread, CPU time, {', '.join(machine)}. Made by the commands in"
    yield "`benchmarks/transfer/__main__.py`.\n"
    columns = ["target", "earlier run", "seeds", "grams to the level", "of that without", "trials", "of that without"]
    columns += ["final hypervolume", "without", "recommended, test", "without"]
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for target, sources in SOURCES.items():
        own = [run for run in runs if run["target"] == target and "error" not in run]
        if not own:
            continue
        box = Box.around([point for run in own for point in points_of(run)])
        finals = {_id(run): hypervolumes(run, box)[-1] for run in own}
        cold = [run for run in own if not run["source"]]
        level = LEVEL * statistics.median(finals[_id(run)] for run in cold)
        for source in [source for source in sources if any(run["source"] == source for run in own)]:
            yield _row(target, source, own, cold=cold, box=box, level=level, finals=finals)


def _row(
    target: str,
    source: str,
    own: Sequence[Mapping[str, object]],
    *,
    cold: Sequence[Mapping[str, object]],
    box: Box,
    level: float,
    finals: Mapping[tuple[object, ...], float],
) -> str:
    runs = [run for run in own if run["source"] == source]
    grams = [grams_to(run, box, level=level) for run in runs]
    without = statistics.median(grams_to(run, box, level=level) for run in cold)
    reached = statistics.median(grams)
    name = f"{source}, unrelated" if (target, source) in UNRELATED else source or "none"
    shown = f"{readable_grams(reached)} ({_readable(max(grams))})" if reached < float("inf") else "-"
    ratio = f"{reached / without:.2f}" if source and reached < float("inf") else ""
    net = [statistics.median(grams_to(run, box, level=level, net=True) for run in group) for group in (runs, cold)]
    net_ratio = f"{net[0] / net[1]:.2f}" if source and net[1] > 0.0 and net[0] < float("inf") else ""
    tested = [[run["knee_test"] for run in group if run["knee_test"] is not None] for group in (runs, cold)]
    tests = [statistics.median(float(str(test)) for test in group) for group in tested]
    final = [[finals[_id(run)] for run in group] for group in (runs, cold)]
    volumes = [f"{statistics.median(each):.3f} ({min(each):.3f})" for each in final]
    cells = [
        target,
        name,
        str(len(runs)),
        shown,
        ratio,
        _readable(net[0]),
        net_ratio,
        *volumes,
        *(f"{test:.3f}" for test in tests),
    ]
    return f"| {' | '.join(cells)} |"


def _readable(grams: float) -> str:
    return readable_grams(grams) if grams < float("inf") else "never"


def _id(run: Mapping[str, object]) -> tuple[object, ...]:
    return run["source"], run["seed"]


def points_of(run: Mapping[str, object]) -> list[Point]:
    """Score and grams of every complete trial."""
    course: Sequence[Sequence[float]] = run["course"]  # type: ignore[assignment]  # from a JSON file
    return [Point(i, score, carbon_g) for i, (_, score, carbon_g) in enumerate(course)]


def hypervolumes(run: Mapping[str, object], box: Box) -> list[float]:
    """The hypervolume after each trial."""
    front, found = ParetoFront(()), []
    for point in points_of(run):
        front = ParetoFront.of([*front.members, point])
        found.append(front.hypervolume(box))
    return found


def grams_to(run: Mapping[str, object], box: Box, *, level: float, net: bool = False) -> float:
    """Grams of the run until it has a hypervolume, `net` of those until its first trial; infinite if it never has."""
    course: Sequence[Sequence[float]] = run["course"]  # type: ignore[assignment]  # from a JSON file
    volumes = hypervolumes(run, box)
    reached = (spent for (spent, _, _), volume in zip(course, volumes, strict=True) if volume >= level)
    return next(reached, float("inf")) - (course[0][0] if net else 0.0)


def main() -> int:
    """Runs searches, or writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--out", type=Path, required=True, help="file of results")
    parser.add_argument("--data-root", type=Path, default=Path("."))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--to", type=Path, default=Path("docs/results/transfer.md"))
    args = parser.parse_args()
    if args.action == "run":
        return measure(args.out, root=args.data_root, seeds=args.seeds, at_once=args.jobs)
    runs = [json.loads(line) for line in lines_of(args.out)]
    args.to.write_text("\n".join(page(runs)) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
