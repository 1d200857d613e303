"""Optuna's dashboard on a run: what a browser sees, and whom it refuses."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser import chromium
from tests.conftest import ROOT
from tests.finished import finished_run


@contextmanager
def served(run: Path, *options: str) -> Iterator[str]:
    """The printed address of a dashboard on a run."""
    command = [sys.executable, "-m", "cemai_opt", "dashboard", str(run), "--port", "0", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), server.stderr and server.stderr.read()
        yield address
    finally:
        server.kill()
        server.wait()


def ask(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request; `Host` and others as given."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def cookie_of(address: str) -> str:
    """What the printed address gives a browser."""
    parts = urlsplit(address)
    status, headers, _ = ask(address, f"{parts.path}?{parts.query}")
    assert status == 200
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=Strict" in headers["set-cookie"]
    return headers["set-cookie"].split(";")[0]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A read-only dashboard on the finished regression."""
    with served(finished_run("regression").path) as printed:
        yield printed


def test_only_who_knows_the_token_gets_in(address: str) -> None:
    """Without it, with a wrong one, or with somebody else's cookie: refused, whatever is asked for."""
    for path in ("/", "/dashboard", "/api/studies", "/api/studies/0", "/static/bundle.js", "/dashboard?token=guess"):
        assert ask(address, path)[0] == 401
        assert ask(address, path, Cookie="cemai_opt_token=guess")[0] == 401
    assert ask(address, "/api/studies", Cookie=cookie_of(address))[0] == 200


def test_a_name_that_points_here_is_not_this_machine(address: str) -> None:
    """DNS rebinding: a foreign Host is refused though it knows the token; a tunnel's other port is not."""
    cookie = cookie_of(address)
    for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "", "[::1", "localhost@evil.example"):
        assert ask(address, "/api/studies", Host=host, Cookie=cookie)[0] == 403
    for host in ("localhost:9999", "127.0.0.1", "[::1]:80"):
        assert ask(address, "/api/studies", Host=host, Cookie=cookie)[0] == 200


def test_it_is_read_only_unless_asked(address: str, tmp_path: Path) -> None:
    """Nothing can be deleted, renamed or noted; with --writable only from its own page."""
    import shutil

    cookie = cookie_of(address)
    before = (finished_run("regression").path / "optuna.journal").read_bytes()
    changes = (("DELETE", "/api/studies/0"), ("POST", "/api/studies"), ("PUT", "/api/studies/0/note"))
    for method, path in changes:
        assert ask(address, path, method, Cookie=cookie)[0] == 403
    assert (finished_run("regression").path / "optuna.journal").read_bytes() == before
    copy = shutil.copytree(finished_run("regression").path, tmp_path / "copy")
    with served(copy, "--writable") as writable:
        cookie = cookie_of(writable)
        assert ask(writable, "/api/studies/0", "DELETE", Cookie=cookie)[0] == 403
        assert ask(writable, "/api/studies/0", "DELETE", Cookie=cookie, Origin="http://evil.example")[0] == 403
        own = f"http://{urlsplit(writable).netloc}"
        assert ask(writable, "/api/studies/0", "DELETE", Cookie=cookie, Origin=own)[0] == 204


def test_artifacts_are_shown_in_a_sandbox(address: str) -> None:
    """Config and report of every front member; no script in them can run, no other site may read them."""
    cookie = cookie_of(address)
    study = json.loads(ask(address, "/api/studies/0", Cookie=cookie)[2])
    members = {m.trial for m in finished_run("regression").front}
    with_artifacts = {t["number"]: t for t in study["trials"] if t["artifacts"]}
    assert set(with_artifacts) == members
    trial = next(iter(with_artifacts.values()))
    assert [a["filename"] for a in trial["artifacts"]] == ["config.yaml", "report.html"]
    for artifact in trial["artifacts"]:
        path = f"/artifacts/0/{trial['trial_id']}/{artifact['artifact_id']}"
        status, headers, body = ask(address, path, Cookie=cookie)
        assert status == 200
        assert len(body) > 200
        assert headers["content-security-policy"].startswith("sandbox;")
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
    assert "Front member" in trial["note"]["body"]
    assert "| train |" in trial["note"]["body"]
    assert "a year (--pick" in study["note"]["body"] or "Nothing is recommended" in study["note"]["body"]


def test_a_browser_sees_the_front(address: str) -> None:
    """Objectives by name, our figures drawn: a point with error bars for each member, on a logarithmic axis."""
    with chromium() as browser:
        browser.get(address)
        wait(browser, "return document.title.includes('Optuna')")
        assert "token" not in browser.current_url
        browser.get(f"http://{urlsplit(address).netloc}/dashboard/studies/0")
        wait(browser, "return document.querySelectorAll('[id=\"user-defined-plot:front\"] .xerror').length > 0")
        drawn = "return document.getElementById('user-defined-plot:front')"
        assert browser.execute_script(f"{drawn}.layout.xaxis.type") == "log"
        bars = browser.execute_script(f"{drawn}.querySelectorAll('path.xerror').length")
        assert bars == len(finished_run("regression").front)
        box = browser.execute_script(f"{drawn}.querySelector('.scatterlayer').getBoundingClientRect().toJSON()")
        assert box["width"] > 100
        assert box["height"] > 50
        for name in ("hypervolume", "stages"):
            assert browser.execute_script(f"return !!document.getElementById('user-defined-plot:{name}')")
        text = browser.execute_script("return document.body.innerText")
        assert "gCO2eq" in text
        assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_it_works_while_a_study_is_running(wear_csv: Path, tmp_path: Path) -> None:
    """The dashboard follows the trials, shows the first front as soon as there is one, and disturbs nothing."""
    options = ["--target", "tool_wear", "--group", "run", "--space", "quick", "--trials", "60", "--no-audit"]
    command = [sys.executable, "-m", "cemai_opt", "optimize", "--data", str(wear_csv), *options, "--no-report"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    search = subprocess.Popen([*command, "--out", "run"], cwd=tmp_path, env=environment, stdout=-3, stderr=-3)
    try:
        until = time.monotonic() + 60
        while not (tmp_path / "run" / "optuna.journal").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        with served(tmp_path / "run") as address:
            cookie = cookie_of(address)
            counts = []
            while search.poll() is None:
                counts.append(len(json.loads(ask(address, "/api/studies/0", Cookie=cookie)[2])["trials"]))
                time.sleep(0.3)
            assert search.returncode == 0
            time.sleep(2.1)  # it looks for new trials every two seconds
            study = json.loads(ask(address, "/api/studies/0", Cookie=cookie)[2])
        assert len(study["trials"]) >= 60
        assert len(set(counts)) > 1
        assert {figure["id"] for figure in study["plotly_graph_objects"]} == {"front", "hypervolume", "stages"}
    finally:
        search.kill()


def wait(browser, script: str, seconds: float = 30.0) -> None:  # type: ignore[no-untyped-def]  # a browser
    """Until a script returns true."""
    until = time.monotonic() + seconds
    while not browser.execute_script(script):
        assert time.monotonic() < until, f"not within {seconds} s: {script}"
        time.sleep(0.1)
