"""Runs studies while faults are injected, and counts what was lost: `make faults`.

    python -m benchmarks.faults [SCENARIO ...] [--faults 1000] [--minutes 60]

Each scenario injects its faults at random moments of a study of short trials, and lets the study end. "lost" counts
finished trials that are missing or different at the end; "twice" counts pipelines that were run and recorded more than
once; "wrong" counts studies that did not finish all their trials, or whose files contradict each other.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.faults.misbehaving import CHILD, FILE_VARIABLE
from benchmarks.faults.site import FaultReport, Site, finished
from tests import postgresql
from tests.dask_cluster import DaskCluster

KILLS = 20


def driver_killed(folder: Path, seed: int) -> FaultReport:
    """kill -9 of the driver, after a random time, again and again."""
    report, rng, site = FaultReport("kill -9 of the driver"), random.Random(seed), Site(folder, trials=150)
    while report.injected < KILLS:
        driver = site.start()
        _wait(driver, rng.uniform(0.2, 3.5))
        if driver.poll() is not None:
            break
        driver.kill()
        driver.communicate()
        report.injected += 1
        site.remember()
    site.check(report, finished(site.start()))
    return report


def worker_killed(folder: Path, seed: int) -> FaultReport:
    """kill -9 of workers and of the fork server."""
    report, rng, site = FaultReport("kill -9 of workers"), random.Random(seed), Site(folder, trials=150)
    driver = site.start("--workers", 2)
    site.wait_for(1, driver)
    while report.injected < KILLS and driver.poll() is None:
        time.sleep(rng.uniform(0.05, 0.3))
        report.injected += site.kill_descendant(driver, rng.randrange(100))
        site.remember()
    site.check(report, finished(driver))
    return report


def misbehaving_trials(folder: Path, seed: int) -> FaultReport:
    """Trials that crash, exit, hang in native code, exhaust memory, or leave child processes behind."""
    faults = ("none", "segfault", "exit", "leave", "hang", "raise", "nan", "eat", "children", "orphans", "kill")
    report, site = (
        FaultReport("trials that crash, hang, fork, fill memory"),
        Site(folder, faults=faults, milliseconds=20),
    )
    site.check(report, finished(site.start("--workers", 2, "--sampler", "random")))
    report.injected = sum('"fault": "' in line and '"fault": "none"' not in line for line in site.lines().values())
    left = subprocess.run(["pgrep", "-fc", CHILD], capture_output=True, text=True).stdout.strip()
    if left != "0":
        report.wrong += 1
        report.remarks.append(f"{left} child processes left")
    return report


def disk_full(folder: Path, seed: int) -> FaultReport:
    """The disk of the run folder is full: one error message, and the same command resumes once there is room."""
    report, site = FaultReport("full disk (tmpfs of 1 MB)"), Site(folder, trials=60)
    with _small_disk(folder / "disk", "size=1m"):
        for megabytes in (1, 2, 3, 64):
            subprocess.run(["mount", "-o", f"remount,size={megabytes}m", str(folder / "disk")], check=True)
            ended = finished(site.start(run="disk/run"))
            site.remember("disk/run")
            if ended.code == 0:
                break
            report.injected += 1
            if ended.code != 2 or "Traceback" in ended.output or "No space left" not in ended.output:
                report.wrong += 1
                report.remarks.append(f"exit status {ended.code}: {ended.output[-300:]}")
        site.check(report, ended, run="disk/run")
    return report


def disk_filled_by_trials(folder: Path, seed: int) -> FaultReport:
    """Trials that fill the disk on which the run folder is."""
    report = FaultReport("trials that fill the disk (tmpfs of 8 MB)")
    site = Site(folder, faults=("none", "disk"), milliseconds=20, trials=20)
    big = folder / "disk" / "big"
    with _small_disk(folder / "disk", "size=8m"):
        for _ in range(10):
            ended = finished(site.start(run="disk/run", environment={FILE_VARIABLE: str(big)}))
            site.remember("disk/run")
            report.injected += 1
            if ended.code == 0:
                break
            big.unlink(missing_ok=True)
            if ended.code != 2 or "Traceback" in ended.output:
                report.wrong += 1
                report.remarks.append(f"exit status {ended.code}: {ended.output[-300:]}")
        site.check(report, ended, run="disk/run")
    return report


def dask_worker_killed(folder: Path, seed: int) -> FaultReport:
    """kill -9 of the workers of a Dask cluster in turn."""
    report, rng = FaultReport("kill -9 of Dask workers"), random.Random(seed)
    site = Site(folder, milliseconds=300, trials=60)
    with DaskCluster(site.folder, site.environment, n_workers=2) as cluster:
        driver = site.start("--engine", "dask", "--scheduler", cluster.address)
        site.wait_for(1, driver)
        for i in range(6):
            time.sleep(rng.uniform(0.5, 1.5))
            cluster.kill_worker(i % 2)
            report.injected += 1
            site.remember()
        site.check(report, finished(driver))
    return report


def scheduler_restarted(folder: Path, seed: int) -> FaultReport:
    """The Dask scheduler is killed and restarted with new workers, because workers end with their scheduler."""
    report, site = FaultReport("Dask scheduler restarted"), Site(folder, milliseconds=300, trials=60)
    with DaskCluster(site.folder, site.environment, n_workers=2) as cluster:
        driver = site.start("--engine", "dask", "--scheduler", cluster.address)
        for i in range(2):
            site.wait_for(5 + 15 * i, driver)
            cluster.restart()
            report.injected += 1
            site.remember()
        site.check(report, finished(driver))
    return report


def driver_of_dask_killed(folder: Path, seed: int) -> FaultReport:
    """kill -9 of the driver while the workers of its cluster keep running."""
    report, site = FaultReport("kill -9 of a Dask driver"), Site(folder, milliseconds=300, trials=60)
    with DaskCluster(site.folder, site.environment, n_workers=2) as cluster:
        for i in range(3):
            driver = site.start("--engine", "dask", "--scheduler", cluster.address)
            site.wait_for(10 * (i + 1), driver)
            driver.kill()
            driver.communicate()
            report.injected += 1
            site.remember()
        site.check(report, finished(site.start("--engine", "dask", "--scheduler", cluster.address)))
    return report


def postgresql_restarted(folder: Path, seed: int) -> FaultReport:
    """PostgreSQL is stopped and started again under two drivers, one of which is killed and resumed."""
    report, site = FaultReport("PostgreSQL restarted, a driver killed"), Site(folder, milliseconds=300, trials=80)
    server = postgresql.Server()
    try:
        drivers = [site.start("--storage", server.address, run=f"run{k}") for k in range(2)]
        for i in range(3):
            site.wait_for(10 + 15 * i, drivers[1], run="run1")
            server.stop()
            time.sleep(2.0)
            server.start()
            report.injected += 1
            site.remember("run0")
            site.remember("run1")
        drivers[0].kill()
        drivers[0].communicate()
        report.injected += 1
        site.remember("run0")
        drivers[0] = site.start("--storage", server.address, run="run0")
        for k, driver in enumerate(drivers):
            site.check(report, finished(driver), run=f"run{k}", has_database=True)
    finally:
        server.close()
    return report


SCENARIOS: dict[str, Callable[[Path, int], FaultReport]] = {
    scenario.__name__: scenario
    for scenario in (
        driver_killed,
        worker_killed,
        misbehaving_trials,
        disk_full,
        disk_filled_by_trials,
        dask_worker_killed,
        scheduler_restarted,
        driver_of_dask_killed,
        postgresql_restarted,
    )
}


def main(names: Sequence[str], *, n_faults: int, minutes: float) -> int:
    """Runs scenarios, again with other seeds until enough faults were injected, and prints the sums by kind.

    Returns 1 where anything was lost, run twice, or wrong.
    """
    began_s, sums = time.monotonic(), dict[str, FaultReport]()
    wanted = [name for name in names or SCENARIOS if not _missing(name)]
    for name in names or SCENARIOS:
        if reason := _missing(name):
            print(f"{name} skipped: {reason}")
    print(HEADING, flush=True)
    for seed in itertools.count():
        for name in wanted:
            start_s = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                report = SCENARIOS[name](Path(folder), seed)
            print(_row(report, time.monotonic() - start_s), flush=True)
            for remark in report.remarks:
                print(f"    {remark}", flush=True)
            known = sums.setdefault(report.fault, FaultReport(report.fault))
            for count in ("injected", "lost", "twice", "wrong"):
                setattr(known, count, getattr(known, count) + getattr(report, count))
            if time.monotonic() - began_s > 60.0 * minutes:
                break
        n_injected = sum(report.injected for report in sums.values())
        if n_injected >= n_faults or time.monotonic() - began_s > 60.0 * minutes or not wanted:
            break
    total = FaultReport("all")
    for count in ("injected", "lost", "twice", "wrong"):
        setattr(total, count, sum(getattr(report, count) for report in sums.values()))
    if seed:
        print(f"\nsums over {seed + 1} rounds\n{HEADING}")
        for report in sums.values():
            print(_row(report, None))
    print(_row(total, time.monotonic() - began_s))
    return 1 if total.lost or total.twice or total.wrong else 0


HEADING = f"{'fault':42}{'injected':>9}{'lost':>6}{'twice':>6}{'wrong':>6}{'s':>6}"


def _row(report: FaultReport, seconds: float | None) -> str:
    counts = f"{report.injected:9d}{report.lost:6d}{report.twice:6d}{report.wrong:6d}"
    return f"{report.fault:42}{counts}" + ("" if seconds is None else f"{seconds:6.0f}")


def _missing(name: str) -> str | None:
    """Why a scenario cannot be run here."""
    if name.startswith("disk") and os.geteuid() != 0:
        return "mounting a small disk needs root"
    if name.startswith("postgresql") and postgresql.programs() is None:
        return "PostgreSQL is not installed"
    return None


def _wait(driver: subprocess.Popen[str], seconds: float) -> None:
    try:
        driver.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return


@contextmanager
def _small_disk(place: Path, options: str) -> Iterator[None]:
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", choices=[[], *SCENARIOS], help="all by default")
    parser.add_argument("--faults", type=int, default=1, help="rounds with other seeds until this many are injected")
    parser.add_argument("--minutes", type=float, default=60.0, help="or until this time is over")
    args = parser.parse_args()
    sys.exit(main(args.scenarios, n_faults=args.faults, minutes=args.minutes))
