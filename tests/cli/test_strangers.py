"""Files that come from a stranger are data: they run no command, import no code and name no host to connect to."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cemai_opt.core.study import BOUND, StudySpec
from tests.conftest import Cli
from tests.finished import finished_run

SECRET = "hunter2"


@pytest.fixture
def trap(tmp_path: Path) -> str:
    """A command that leaves a file behind."""
    return f"cmd:touch {tmp_path / 'sprung'}"


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A port, and what connects to it."""
    seen: list[str] = []

    class Server(http.server.HTTPServer):
        def get_request(self):  # type: ignore[no-untyped-def]  # of socketserver
            request, address = super().get_request()
            seen.append(str(address))
            return request, address

    server = Server(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, seen
    server.shutdown()
    server.server_close()


def bound(trap: str, port: int = 9) -> dict[str, dict[str, str]]:
    """Settings that must not be followed."""
    return {
        "carbon": {"live": trap},
        "engine": {"name": "dask", "scheduler": f"tcp://127.0.0.1:{port}"},
        "search": {"storage": f"postgresql+psycopg://ada@127.0.0.1:{port}/studies"},
    }


@pytest.mark.parametrize("section", ["carbon", "engine", "search"])
def test_a_study_file_names_no_command_and_no_host(
    cli: Cli, wear_csv: Path, trap: str, tmp_path: Path, section: str
) -> None:
    """The command line does; the message says which option."""
    data = {"path": str(wear_csv), "target": "tool_wear", "group": "run"}
    study = {"name": "wear", "data": data, section: bound(trap)[section]}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    done = cli("optimize", "study.yaml", "--trials", 1, "--out", "run")
    assert done.returncode == 2
    assert "is taken from the command line only" in " ".join(done.stderr.split())
    assert not (tmp_path / "sprung").exists()
    assert not (tmp_path / "run").exists()


def copied_run(tmp_path: Path, changes: dict[str, dict[str, str]]) -> Path:
    """A finished run whose study was changed."""
    run = tmp_path / "stranger"
    run.mkdir()
    for file in finished_run("regression").path.iterdir():
        if file.is_file():
            (run / file.name).write_bytes(file.read_bytes())
    study = yaml.safe_load((run / "study.yaml").read_text())
    for section, values in changes.items():
        study[section] |= values
    (run / "study.yaml").write_text(yaml.safe_dump(study))
    return run


def test_a_run_folder_runs_nothing_and_connects_nowhere(
    cli: Cli,
    trap: str,
    listener: tuple[int, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its front, report, export and dashboard; the password in the environment stays here."""
    port, seen = listener
    monkeypatch.setenv("CEMAI_OPT_STORAGE_PASSWORD", SECRET)
    run = copied_run(tmp_path, bound(trap, port))
    for command in (
        ("report", run, "--out", tmp_path / "report"),
        ("export", run, "--out", tmp_path / "model"),
        ("export", run, "--out", tmp_path / "config", "--format", "config"),
        ("run", tmp_path / "config" / "config.yaml"),
    ):
        done = cli(*command)
        assert done.returncode == 0, done.stderr
    assert "carbon.live is not used" in " ".join(done.stderr.split())
    done = cli("dashboard", run, "--port", 0)
    assert done.returncode == 2
    assert "give its address with --storage" in " ".join(done.stderr.split())
    assert not seen
    assert not (tmp_path / "sprung").exists()


def test_readers_write_nothing(cli: Cli, tmp_path: Path) -> None:
    """A search may be appending to the run: not even a partial last line is touched."""
    run = copied_run(tmp_path, {})
    with (run / "trials.jsonl").open("a") as stream:
        stream.write(json.dumps({"trial": 99})[:-1])
    before = {file.name: file.read_bytes() for file in run.iterdir()}
    assert cli("report", run, "--out", tmp_path / "report").returncode == 0
    assert cli("export", run, "--out", tmp_path / "config", "--format", "config").returncode == 0
    assert {file.name: file.read_bytes() for file in run.iterdir()} == before


def test_code_in_the_current_folder_is_not_imported(cli: Cli, tmp_path: Path) -> None:
    """A model folder may hold a `click.py`."""
    (tmp_path / "click.py").write_text("raise SystemExit('imported')")
    assert cli("--help", is_new=True).returncode == 0


def test_only_four_settings_are_bound_to_a_machine() -> None:
    """A study on its own machine has none; a sampler with a dotted name imports a module."""
    assert StudySpec().bound_to_machine == {}
    settings = bound("cmd:true")
    settings["search"]["sampler"] = "somebody.module.Sampler"
    study = StudySpec.model_validate(settings)
    assert set(study.bound_to_machine) == set(BOUND)
    assert study.without_bound().bound_to_machine == {}
