"""Runs studies under faults and counts what was lost: `make faults`, or `python -m benchmarks.faults [SCENARIO ...]`.

Each scenario injects its faults at random moments of a study of 40 short trials and lets the study end. Lost is a
finished trial that is missing or different at the end; twice is a pipeline that was run and recorded more than once;
wrong is a study that did not end with all its trials, or whose files contradict each other.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.faults.site import Site, Toll, finished
from tests import postgresql
from tests.dask_cluster import DaskCluster

SEED = 0
KILLS = 20


def driver_killed(folder: Path) -> Toll:
    """kill -9 of the driver, each time at another moment of its life."""
    toll, rng, site = Toll("kill -9 of the driver"), random.Random(SEED), Site(folder, trials=150)
    while toll.injected < KILLS:
        driver = site.start()
        _wait(driver, rng.uniform(0.2, 3.5))
        if driver.poll() is not None:
            break
        driver.kill()
        driver.communicate()
        toll.injected += 1
        site.note()
    site.reckon(toll, *finished(site.start()))
    return toll


def worker_killed(folder: Path) -> Toll:
    """kill -9 of workers, and of the process that starts them."""
    toll, rng, site = Toll("kill -9 of workers"), random.Random(SEED), Site(folder, trials=150)
    driver = site.start("--workers", 2)
    site.wait_for(1, driver)
    while toll.injected < KILLS and driver.poll() is None:
        time.sleep(rng.uniform(0.05, 0.3))
        toll.injected += site.kill_below(driver, rng.randrange(100))
        site.note()
    site.reckon(toll, *finished(driver))
    return toll


def deeds(folder: Path) -> Toll:
    """Trials that crash, exit, hang in native code, eat memory, leave children behind."""
    kinds = ("none", "segfault", "exit", "leave", "hang", "raise", "nan", "eat", "children", "orphans", "kill")
    toll, site = Toll("trials that crash, hang, eat, fork"), Site(folder, kinds, milliseconds=20)
    site.reckon(toll, *finished(site.start("--workers", 2, "--sampler", "random")))
    toll.injected = sum('"deed": "' in line and '"deed": "none"' not in line for line in site.lines().values())
    left = subprocess.run(["pgrep", "-fc", "naughty-child"], capture_output=True, text=True).stdout.strip()
    toll.wrong += left != "0"
    toll.remark += [f"{left} children left"] if left != "0" else []
    return toll


def disk_full(folder: Path) -> Toll:
    """The disk of the run folder is full: one message, and the same command goes on when there is room."""
    toll = Toll("full disk (tmpfs of 1 MB)")
    site = Site(folder, trials=60)
    with _small_disk(folder / "disk", "size=1m"):
        for megabytes in (1, 2, 3, 64):
            subprocess.run(["mount", "-o", f"remount,size={megabytes}m", str(folder / "disk")], check=True)
            code, output = finished(site.start(run="disk/run"))
            site.note("disk/run")
            if code == 0:
                break
            toll.injected += 1
            if code != 2 or "Traceback" in output or "No space left" not in output:
                toll.wrong += 1
                toll.remark.append(f"exit {code}: {output[-300:]}")
        site.reckon(toll, code, output, "disk/run")
    return toll


def disk_filler(folder: Path) -> Toll:
    """Trials that write until the disk is full on which the run folder lies, too."""
    toll = Toll("trials that fill the disk (tmpfs of 8 MB)")
    site = Site(folder, ("none", "disk"), milliseconds=20, trials=20)
    with _small_disk(folder / "disk", "size=8m"):
        for _ in range(10):
            code, output = finished(site.start(run="disk/run", environment={"NAUGHTY_FILE": str(folder / "disk/big")}))
            site.note("disk/run")
            toll.injected += 1
            if code == 0:
                break
            (folder / "disk" / "big").unlink(missing_ok=True)
            if code != 2 or "Traceback" in output:
                toll.wrong += 1
                toll.remark.append(f"exit {code}: {output[-300:]}")
        site.reckon(toll, code, output, "disk/run")
    return toll


def dask_worker_killed(folder: Path) -> Toll:
    """kill -9 of the workers of a Dask cluster, one after the other."""
    toll, rng, site = Toll("kill -9 of Dask workers"), random.Random(SEED), Site(folder, milliseconds=300, trials=60)
    with DaskCluster(site.folder, site.environment, 2) as cluster:
        driver = site.start("--engine", "dask", "--scheduler", cluster.address)
        site.wait_for(1, driver)
        for i in range(6):
            time.sleep(rng.uniform(0.5, 1.5))
            cluster.kill_worker(i % 2)
            toll.injected += 1
            site.note()
        site.reckon(toll, *finished(driver))
    return toll


def scheduler_restarted(folder: Path) -> Toll:
    """The Dask scheduler is killed and started anew, with new workers, for Dask's end with their scheduler."""
    toll, site = Toll("Dask scheduler restarted"), Site(folder, milliseconds=300, trials=60)
    with DaskCluster(site.folder, site.environment, 2) as cluster:
        driver = site.start("--engine", "dask", "--scheduler", cluster.address)
        for i in range(2):
            site.wait_for(5 + 15 * i, driver)
            cluster.restart()
            toll.injected += 1
            site.note()
        site.reckon(toll, *finished(driver))
    return toll


def driver_of_dask_killed(folder: Path) -> Toll:
    """kill -9 of the driver while the workers of its cluster live on."""
    toll, site = Toll("kill -9 of a Dask driver"), Site(folder, milliseconds=300, trials=60)
    with DaskCluster(site.folder, site.environment, 2) as cluster:
        for i in range(3):
            driver = site.start("--engine", "dask", "--scheduler", cluster.address)
            site.wait_for(10 * (i + 1), driver)
            driver.kill()
            driver.communicate()
            toll.injected += 1
            site.note()
        site.reckon(toll, *finished(site.start("--engine", "dask", "--scheduler", cluster.address)))
    return toll


def postgresql_restarted(folder: Path) -> Toll:
    """PostgreSQL is stopped and started again under two drivers, one of which is killed and comes back."""
    toll, site = Toll("PostgreSQL restarted, a driver killed"), Site(folder, milliseconds=300, trials=80)
    server = postgresql.Server()
    try:
        drivers = [site.start("--storage", server.address, run=f"run{k}") for k in range(2)]
        for i in range(3):
            site.wait_for(10 + 15 * i, drivers[1], "run1")
            server.stop()
            time.sleep(2.0)
            server.start()
            toll.injected += 1
            site.note("run0")
            site.note("run1")
        drivers[0].kill()
        drivers[0].communicate()
        toll.injected += 1
        site.note("run0")
        drivers[0] = site.start("--storage", server.address, run="run0")
        for k, driver in enumerate(drivers):
            site.reckon(toll, *finished(driver), run=f"run{k}", storage=True)
    finally:
        server.close()
    return toll


SCENARIOS: dict[str, Callable[[Path], Toll]] = {
    scenario.__name__: scenario
    for scenario in (
        driver_killed,
        worker_killed,
        deeds,
        disk_full,
        disk_filler,
        dask_worker_killed,
        scheduler_restarted,
        driver_of_dask_killed,
        postgresql_restarted,
    )
}


def main(names: list[str]) -> int:
    """Runs scenarios and prints the table; 1 where anything was lost, run twice, or ended wrong."""
    print(f"{'fault':42}{'injected':>9}{'lost':>6}{'twice':>6}{'wrong':>6}{'s':>6}")
    is_fine = True
    for name in names or SCENARIOS:
        reason = _missing(name)
        if reason:
            print(f"{name:42} left out: {reason}")
            continue
        start_s = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            toll = SCENARIOS[name](Path(folder))
        counts = f"{toll.injected:9d}{toll.lost:6d}{toll.twice:6d}{toll.wrong:6d}"
        print(f"{toll.fault:42}{counts}{time.monotonic() - start_s:6.0f}", flush=True)
        for remark in toll.remark:
            print(f"    {remark}")
        is_fine = is_fine and not (toll.lost or toll.twice or toll.wrong)
    return 0 if is_fine else 1


def _missing(name: str) -> str | None:
    """Why a scenario cannot be run here."""
    if name.startswith("disk") and os.geteuid() != 0:
        return "mounting a small disk takes root"
    if name.startswith("postgresql") and postgresql.programs() is None:
        return "there is no PostgreSQL server to start"
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
    sys.exit(main(sys.argv[1:]))
