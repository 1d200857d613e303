"""Several drivers on one study: a database in between, and nobody's work lost or done twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import create_engine, text

from cemai_opt.core.errors import StudyError
from cemai_opt.core.result import TrialResult
from cemai_opt.core.serialization import from_json
from cemai_opt.search.storage.database import open_database, without_password
from tests.conftest import ROOT, Cli
from tests.postgresql import PASSWORD, Server, programs

OPTIONS = ["--target", "tool_wear", "--group", "run", "--space", "quick", "--explain", "never", "--no-audit"]

pytestmark = pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed here")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of one's own."""
    running = Server()
    yield running
    running.close()


def driver(csv: Path, server: Server, out: str, trials: int, name: str) -> subprocess.Popen[str]:
    """A driver in a run folder of its own; `name` is the data file's, and so the study's."""
    data = csv.with_name(f"{name}.csv")
    if not data.exists():
        data.write_bytes(csv.read_bytes())
    return subprocess.Popen(
        [
            *[sys.executable, "-m", "cemai_opt", "optimize", "--data", data.name, *OPTIONS, "--confirm", "1"],
            *["--trials", str(trials), "--out", out, "--storage", server.address],
        ],
        cwd=csv.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def results(folder: Path) -> dict[int, TrialResult]:
    """Trials as a run folder holds them."""
    lines = (folder / "trials.jsonl").read_text().splitlines()
    found = [from_json(TrialResult, json.loads(line)) for line in lines]
    assert len({result.trial for result in found}) == len(found)
    return {result.trial: result for result in found}


def test_two_drivers_share_a_study_through_a_restart_and_a_kill(server: Server, wear_csv: Path, tmp_path: Path) -> None:
    """Both folders end with as many trials as were asked for, and equal results; no pipeline ran twice; no password.

    What one driver still does after the other has ended is in its own folder only.
    """
    drivers = {out: driver(wear_csv, server, out, 40, "shared") for out in ("a", "b")}
    _wait_for(tmp_path / "b" / "trials.jsonl", 5)
    server.stop()
    time.sleep(0.5)
    server.start()
    _wait_for(tmp_path / "b" / "trials.jsonl", 12)
    drivers["a"].kill()
    drivers["a"].communicate()
    before = results(tmp_path / "a")
    drivers["a"] = driver(wear_csv, server, "a", 40, "shared")
    output = {out: process.communicate(timeout=120)[0] for out, process in drivers.items()}
    assert [process.returncode for process in drivers.values()] == [0, 0], output
    a, b = results(tmp_path / "a"), results(tmp_path / "b")
    assert {trial: before[trial] for trial in before} == {trial: a[trial] for trial in before}
    assert {trial: a[trial] for trial in a.keys() & b.keys()} == {trial: b[trial] for trial in a.keys() & b.keys()}
    assert all(sum(result.has_run for result in known.values()) >= 40 for known in (a, b))
    ran = Counter(result.config.digest for result in {**a, **b}.values() if result.has_run)
    assert ran.total() >= 40
    assert set(ran.values()) == {1}
    ledgers = [json.loads((tmp_path / out / "summary.json").read_text())["search"]["ledger"] for out in ("a", "b")]
    assert all("other drivers" in [row["entry"] for row in ledger] for ledger in ledgers)
    assert PASSWORD not in "".join(output.values())
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert PASSWORD.encode() not in file.read_bytes(), file


def test_the_dashboard_opens_what_drivers_share(server: Server, cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """Both kinds of storage, as `optuna-dashboard` does."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna_dashboard import wsgi

    first = driver(wear_csv, server, "shown", 3, "shown")
    assert first.communicate(timeout=60)[0]
    assert first.returncode == 0
    assert cli("optimize", "--data", "shown.csv", *OPTIONS, "--trials", 3, "--out", "own").returncode == 0
    journal = JournalStorage(JournalFileBackend(str(tmp_path / "own" / "optuna.journal")))
    for storage in (open_database(*without_password(server.address)), journal):
        application = wsgi(storage)
        output: list[str] = []
        environment = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/studies", "wsgi.url_scheme": "http"}
        environment |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "QUERY_STRING": ""}
        environment |= {"wsgi.input": open(os.devnull, "rb"), "wsgi.errors": sys.stderr}  # noqa: SIM115
        body = b"".join(application(environment, lambda status, *rest, output=output: output.append(status)))
        assert output == ["200 OK"]
        assert "shown" in [study["study_name"] for study in json.loads(body)["study_summaries"]]


def test_another_question_under_the_same_name_is_refused(server: Server, wear_csv: Path, tmp_path: Path) -> None:
    """Trials of two studies must not stand in one front."""
    assert driver(wear_csv, server, "one", 2, "asked").communicate(timeout=60)
    wear_csv.with_name("asked.csv").write_text(wear_csv.read_text().replace("1.", "2.", 50))
    other = driver(wear_csv, server, "two", 2, "asked")
    assert "with other data, options or search space" in other.communicate(timeout=60)[0]
    assert other.returncode == 2


def test_a_run_goes_on_only_in_its_own_storage(server: Server, cli: Cli, wear_csv: Path) -> None:
    """Left out, or another one, is one message that names the first one without its password."""
    assert driver(wear_csv, server, "kept", 2, "kept").communicate(timeout=60)
    done = cli("optimize", "--data", "kept.csv", *OPTIONS, "--trials", 4, "--confirm", 1, "--out", "kept")
    assert done.returncode == 2
    assert f"--storage {without_password(server.address)[0]}" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (
            "postgresql+psycopg://ada:hush@127.0.0.1:9/studies",
            "cannot open postgresql+psycopg://ada@127.0.0.1:9/studies",
        ),
        ("nonsense", "not the address of a database"),
        ("oracle+nothing://ada:hush@db/x", "cannot open oracle+nothing://ada@db/x"),
    ],
)
def test_a_storage_that_cannot_be_opened_is_one_message(cli: Cli, wear_csv: Path, address: str, text: str) -> None:
    """Exit 2, no traceback, no password."""
    done = cli("optimize", "--data", wear_csv, *OPTIONS, "--trials", 2, "--storage", address)
    assert done.returncode == 2
    assert text in " ".join(done.stderr.split()).replace(" ,", ",")
    assert "Traceback" not in done.stderr
    assert "hush" not in done.stderr


def test_trials_of_a_silent_driver_are_tried_again_once(server: Server) -> None:
    """After the grace period they fail, and their parameters are in line; the second time they are not."""
    storage = open_database(*without_password(server.address))
    study = optuna.create_study(storage=storage, study_name="silent", directions=["maximize", "minimize"])
    distribution = {"x": optuna.distributions.IntDistribution(0, 9)}
    for waiting in (1, 0):
        trial = study.ask(distribution)
        storage.record_heartbeat("silent", trial.number)
        with create_engine(server.address).begin() as connection:
            connection.execute(text("UPDATE trial_heartbeats SET heartbeat = heartbeat - INTERVAL '2 minutes'"))
        storage.fail_stale_trials("silent")
        states = [t.state for t in study.get_trials(deepcopy=False)]
        assert states[trial.number] == TrialState.FAIL
        assert states.count(TrialState.WAITING) == waiting
        assert all(t.params == trial.params for t in study.get_trials(states=[TrialState.WAITING]))


def test_a_password_in_a_study_file_is_refused(cli: Cli, tmp_path: Path) -> None:
    """It would be copied with the file."""
    (tmp_path / "s.yaml").write_text("search: {storage: 'postgresql://ada:hush@db/x'}\n")
    done = cli("optimize", "s.yaml")
    assert done.returncode == 2
    assert "a study must not contain a password" in " ".join(done.stderr.split())
    assert "hush" not in done.stderr


def test_no_driver_is_let_in_twice(server: Server) -> None:
    """What runs exclusively is over before the next one begins."""
    from concurrent.futures import ThreadPoolExecutor

    storages = [open_database(*without_password(server.address)) for _ in range(2)]
    inside: list[str] = []

    def stay(i: int) -> None:
        def action() -> None:
            inside.append("in")
            time.sleep(0.3)
            inside.append("out")

        storages[i].exclusively("door", action)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(stay, range(2)))
    assert inside == ["in", "out", "in", "out"]


def test_a_wrong_address_raises_a_study_error() -> None:
    """For who uses it from Python."""
    with pytest.raises(StudyError, match="not the address of a database"):
        open_database("nonsense", None)


def _wait_for(file: Path, n_lines: int) -> None:
    end_s = time.monotonic() + 60.0
    while time.monotonic() < end_s and not (file.exists() and file.read_text().count("\n") >= n_lines):
        time.sleep(0.02)
