"""On a Dask cluster a trial is as guarded, and as honestly metered, as in a process next door."""

from __future__ import annotations

import json
import os
import platform
import re
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest

from cemai_opt import compose
from cemai_opt.core.errors import StudyError
from cemai_opt.engines.dask import Dask, local_cluster
from tests.conftest import ROOT, Cli, wear_study
from tests.dask_cluster import DaskCluster, certificates
from tests.engines.conftest import gone, outcomes_of

OPTIONS = ["--target", "tool_wear", "--group", "run", "--space", "quick", "--explain", "never", "--confirm", "0"]
SBATCH = """#!/bin/sh
# Stands in for Slurm: runs the job script at once on this machine.
sh "$1" > /dev/null 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill "$@" 2> /dev/null
exit 0
"""


def test_trials_are_guarded_on_a_cluster_of_others(product: Path, wear: pd.DataFrame, tmp_path: Path) -> None:
    """A crash and a hang are failed trials, the next one is complete; joules come from where the trial ran."""
    csv = tmp_path / "wear.csv"
    wear.to_csv(csv, index=False)
    with DaskCluster(tmp_path, {**os.environ, "PYTHONPATH": str(product)}) as cluster:
        outcomes = outcomes_of(product, csv, "none,segfault,hang,children,none", "dask", cluster.address)
    assert outcomes["none"]["state"] == outcomes["children"]["state"] == "complete"
    assert outcomes["none"]["host"] == platform.node()
    assert outcomes["segfault"]["reason"] == "its process was killed by SIGSEGV"
    assert outcomes["hang"]["reason"] == "it ran longer than 4 s (--trial-timeout)"
    assert outcomes["children"]["pids"] == []
    spent_j = [sum(sum(row["energy_j"].values()) for row in outcomes[fault]["spent"]) for fault in ("none", "segfault")]
    assert all(energy_j > 0.0 for energy_j in spent_j)
    assert outcomes["end"]["unseen_j"] > sum(spent_j)


def test_a_dying_worker_costs_its_trial_a_new_start(product: Path, wear_csv: Path, tmp_path: Path) -> None:
    """What ran on it runs again on another one, and is complete; what it had started dies with it."""
    begun = tmp_path / "begun"
    environment = {**os.environ, "PYTHONPATH": str(product), "MISBEHAVING_FILE": str(begun)}
    with DaskCluster(tmp_path, environment) as cluster, ThreadPoolExecutor(1) as pool:
        outcomes = pool.submit(outcomes_of, product, wear_csv, "slow", "dask", cluster.address)
        while not (begun.exists() and begun.read_text()):
            assert not outcomes.done(), outcomes.result()
            time.sleep(0.05)
        trial = int(begun.read_text())
        cluster.kill_worker(0)
        assert gone([trial])
        result = outcomes.result()["slow"]
    assert result["state"] == "complete", result["reason"]
    assert int(begun.read_text()) != trial


def test_gpu_trials_need_a_worker_with_a_gpu(wear_csv: Path, tmp_path: Path) -> None:
    """Rather than waiting for ever for a resource that no worker declares."""
    with DaskCluster(tmp_path, {**os.environ, "PYTHONPATH": str(ROOT)}) as cluster:
        study = wear_study(wear_csv, engine={"name": "dask", "scheduler": cluster.address})
        on_gpu = compose.prepare(study).study.model_copy(update={"device": "cuda"})
        with pytest.raises(StudyError, match="no worker declares a GPU"):
            Dask.opened(on_gpu, None)


def test_no_scheduler_is_one_message(cli: Cli, wear_csv: Path) -> None:
    """Which address, what to do; exit 2."""
    options = ["--target", "tool_wear", "--engine", "dask", "--scheduler", "tcp://127.0.0.1:9", "--no-audit"]
    done = cli("optimize", "--data", wear_csv, *options)
    assert done.returncode == 2
    assert "no scheduler at tcp://127.0.0.1:9" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_local_cluster_is_the_default(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """It is made and taken away by the run; the ledger holds what its workers have spent."""
    done = cli("optimize", "--data", wear_csv, *OPTIONS, "--engine", "dask", "--trials", 4, "--no-audit", "--out", "r")
    assert done.returncode == 0, done.stderr
    ledger = json.loads((tmp_path / "r" / "summary.json").read_text())["search"]["ledger"]
    joules = {row["entry"]: 0.0 for row in ledger}
    for row in ledger:
        joules[row["entry"]] += row["energy_j"]
    assert joules["complete"] > 0.0
    assert joules["driver"] > joules["complete"]  # libraries were loaded in the cluster


def test_the_recipe_for_slurm_runs(tmp_path: Path, wear_csv: Path) -> None:
    """The script in docs/cluster.md, with programs in place of Slurm's that run the job here."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "cluster.md").read_text(), re.DOTALL)
    script = next(block for block in blocks if "SLURMCluster" in block)
    (tmp_path / "search.py").write_text(script)
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "search.py", "--data", wear_csv, *OPTIONS, "--trials", "4", "--no-audit", "--out", "r"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "r" / "trials.jsonl").read_text().splitlines()) >= 4


def test_nobody_else_can_use_a_local_cluster(wear_csv: Path) -> None:
    """It asks for a certificate that only this process has."""
    study = compose.prepare(wear_study(wear_csv, engine={"name": "dask"})).study
    with local_cluster(study) as cluster:
        address = urlsplit(cluster.scheduler_address)
        assert (address.scheme, address.hostname) == ("tls", "127.0.0.1")
        stranger = ssl.create_default_context()
        stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((address.hostname, address.port), timeout=10.0) as raw,
            pytest.raises(ssl.SSLError, match="certificate required"),
            stranger.wrap_socket(raw) as connection,
        ):
            connection.recv(1)


def test_a_cluster_with_certificates_is_used_by_those_who_have_them(wear_csv: Path, tmp_path: Path) -> None:
    """A search runs over TLS; a driver with a certificate of its own is refused in one message."""
    usual = {**os.environ, "PYTHONPATH": str(ROOT)}
    own, foreign = ({**usual, **certificates(tmp_path / name)} for name in ("own", "foreign"))
    command = [sys.executable, "-m", "cemai_opt", "optimize", "--data", str(wear_csv), *OPTIONS, "--engine", "dask"]
    with DaskCluster(tmp_path, own, protocol="tls") as cluster:
        command += ["--scheduler", cluster.address, "--trials", "3", "--no-audit"]
        done = subprocess.run([*command, "--out", str(tmp_path / "r")], env=own, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        refused = subprocess.run([*command, "--out", str(tmp_path / "s")], env=foreign, capture_output=True, text=True)
    assert cluster.address.startswith("tls://")
    assert len((tmp_path / "r" / "trials.jsonl").read_text().splitlines()) >= 3
    assert refused.returncode != 0
    assert "no scheduler at tls://" in refused.stderr
