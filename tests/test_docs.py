"""Every command and every piece of Python that README and docs show is run here, or by the test that is named here."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from cemai_opt.cli import cli
from tests.conftest import ROOT
from tests.finished import tools
from tests.public_data import recordings, write_public_data
from tests.structure.third_party import product_with

ELSEWHERE = {
    "make demo": "Makefile",
    "make test": "Makefile",
    "python3 -m venv .venv && . .venv/bin/activate": "Makefile",
    "pip install -c constraints.txt '.[all]'": "Makefile",
    "pip install 'cemai-opt[dask]'": "pyproject.toml",
    "pip install 'cemai-opt[postgresql]'": "pyproject.toml",
    "dask scheduler": "tests/dask_cluster.py",
    "dask worker tcp://ADDRESS:8786 --nthreads 4": "tests/dask_cluster.py",
    "python -m cemai_opt optimize piston_rod --engine dask --scheduler tcp://ADDRESS:8786": (
        "tests/engines/test_dask.py"
    ),
    "python -m cemai_opt optimize piston_rod --out runs/here --storage postgresql+psycopg://ada@db/studies": (
        "tests/search/storage/test_database.py"
    ),
    "CEMAI_OPT_METER_COMMAND='curl -s http://plug.local/watts' "
    "cemai-opt optimize --data my.csv --target wear --meter command": "tests/meters/test_command.py",
    "cemai-opt doctor --wall plug.csv --run runs/machine": "tests/runs/test_wall_check.py",
    "cemai-opt doctor --wall plug.csv --run runs/machine --calibrate": "tests/runs/test_wall_check.py",
    **dict.fromkeys(
        (
            "cemai-opt table rq1_broaching --data-root DATA",
            "cemai-opt table rq1_broaching --data-root data --out tables/broaching",
            "cemai-opt table tables/broaching --format latex",
            "cemai-opt table tables/rq1_broaching --format latex",
            "cemai-opt table rq1_broaching --label laptop --out laptop",
            "cemai-opt table rq1_broaching --label server --device cuda --out server",
            "cemai-opt compare laptop server --what-if FRA,DEU,world,30",
        ),
        "tests/cli/test_tables.py",
    ),
}
"""Commands that need another machine or a database, or install the product; and the file that has them run."""
RECIPES = {"docs/cluster.md": "tests/engines/test_dask.py"}
"""Documents whose pieces of Python are run by a test of their own (or say that they are not)."""
TUTORIALS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "tutorials").glob("*.md"))
DOCUMENTS = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")), *TUTORIALS]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FEWER = "--trials 8 --confirm 0 --no-audit --explain never"
QUICK = "--space quick"
HERE = "--engine in_process"
"""What a search needs that runs in the process of the tests, which saves two seconds of loading libraries each time."""
PREPARED = (
    "cemai-opt optimize --data machine.csv --target wear --group tool --time timestamp --out runs/machine",
    "cemai-opt export runs/machine --pick knee --out knee",
)


@dataclass(frozen=True)
class Place:
    """A folder with the files that the documents speak of, and what a shell there knows."""

    folder: Path
    environment: dict[str, str]

    def run(self, command: str) -> None:
        """Runs a line of a document, a search with fewer trials."""
        if "cemai-opt optimize" in command:
            command = f"{command} {FEWER}" if "--space" in command else f"{command} {FEWER} {QUICK}"
        if self.environment["PYTHONPATH"] == str(ROOT) and re.match(
            r"cemai-opt (?!dashboard)(?!.*--(record|budget))", command
        ):
            words = shlex.split(f"{command} {HERE}" if "cemai-opt optimize" in command else command)
            cli.main(words[1:], standalone_mode=False)
            return
        if "cemai-opt dashboard" in command:
            self.look(f"{command} --port 0")
            return
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"

    def look(self, command: str) -> None:
        """Starts a server, waits for its address, and ends it with Ctrl-C."""
        server = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a job in the background
        )
        assert server.stdout is not None
        assert server.stdout.readline().startswith("http://127.0.0.1:")
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=30) == 0


def rows(seed: int = 7) -> pd.DataFrame:
    """Rows as an engineer might have them."""
    frame = tools(seed).drop(columns=["worn", "material"])
    return frame.rename(columns={"run": "tool", "cut": "timestamp", "tool_wear": "wear"})


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, a finished run and an exported model."""
    folder = tmp_path_factory.mktemp("docs")
    frame = rows()
    frame.to_csv(folder / "machine.csv", index=False)
    frame.drop(columns="wear").to_csv(folder / "new.csv", index=False)
    for week in range(1, 4):
        later = rows(seed=7 + week)
        later["tool"] += f"-{week}"
        later.to_csv(folder / f"week{week}.csv", index=False)
    later.to_csv(folder / "later.csv", index=False)
    frame.assign(force_c=frame["force_c"] * 1.01).to_csv(folder / "other.csv", index=False)
    write_public_data(folder / "data")
    place = placed(folder, ROOT)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in PREPARED:
            place.run(command)
    shutil.copytree(folder / "knee", folder / "exported")
    return folder


def placed(folder: Path, product: Path) -> Place:
    """The folder as a shell sees it, where `cemai-opt` is the product in `product`."""
    program = folder / "bin" / "cemai-opt"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m cemai_opt "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    path = f"{program.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return Place(folder, {**os.environ, "PATH": path, "PYTHONPATH": str(product), "NO_COLOR": "1"})


def blocks_of(document: str) -> list[tuple[str, str]]:
    """What stands behind the opening fence, and the text, of every fenced block."""
    return [(kind.strip(), text) for kind, text in FENCE.findall((ROOT / document).read_text())]


def commands_of(text: str) -> list[str]:
    """Lines without their remarks."""
    lines = [re.sub(r"\s\s+#.*$", "", line).strip() for line in text.splitlines()]
    return [line for line in lines if line]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_shows_works(document: str, prepared: Path, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]  # pytest's
    """In the order in which it stands there, from the first line to the last."""
    folder, blocks = prepared, blocks_of(document)
    for name in ("knee", "knee.previous"):  # a document may have updated it
        shutil.rmtree(folder / name, ignore_errors=True)
    shutil.copytree(folder / "exported", folder / "knee")
    files = {kind.split("file=")[1]: text for kind, text in blocks if "file=" in kind}
    if document in TUTORIALS:
        for week in (1, 2, 3):
            recordings(10 + week).to_csv(folder / f"week{week}.csv", index=False)
    product = ROOT
    if any(name.startswith("cemai_opt/") for name in files):
        parts = {n.removeprefix("cemai_opt/").removesuffix(".py"): t for n, t in files.items() if n.endswith(".py")}
        product = product_with(tmp_path / "product", parts)
    for name, text in files.items():
        if not name.startswith("cemai_opt/"):
            (folder / name).write_text(text)
    place = placed(folder, product)
    monkeypatch.chdir(folder)
    for kind, text in blocks:
        if kind == "python" and document not in RECIPES:
            frame = rows()
            known = {"frame": frame, "new_rows": frame.drop(columns="wear")}
            known |= {"X": frame[["force_c", "vibration"]].fillna(0.0), "y": frame["wear"], "groups": frame["tool"]}
            exec(re.sub(r"trials=\d+", "trials=3", text), known)
        elif kind == "":
            for command in commands_of(text):
                if command not in ELSEWHERE:
                    place.run(command)


@pytest.mark.parametrize(("command", "by"), ELSEWHERE.items())
def test_what_is_run_elsewhere_is_shown_and_run(command: str, by: str) -> None:
    """The command still stands in a document, and the file that runs it knows its words."""
    shown = [line for document in DOCUMENTS for _, text in blocks_of(document) for line in commands_of(text)]
    assert command in shown
    text = (ROOT / by).read_text()
    words = {"Makefile": [command.split()[0], "all"], "pyproject.toml": ["dask", "postgresql"]}
    wanted = words.get(by) or re.findall(r"--(engine|storage)|dask (scheduler|worker)", command)[:1]
    for word in wanted:
        assert any(part in text for part in ([word] if isinstance(word, str) else word))


def test_the_site_is_built_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """Every page is in its contents, every link within it leads somewhere, and it needs no network."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = {document.removeprefix("docs/").replace(".md", ".html") for document in DOCUMENTS[1:]}
    assert {page for page in pages if not (tmp_path / page).is_file()} == set()
    loaded = re.compile(r"<(?:script|img|iframe)[^>]*src=\"http|<link[^>]*rel=\"stylesheet\"[^>]*href=\"http")
    assert [page for page in pages if loaded.search((tmp_path / page).read_text())] == []


def test_every_link_leads_somewhere() -> None:
    """Files that documents name, and the picture, are there."""
    for document in [*DOCUMENTS, "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text()):
            if not target.startswith("http"):
                assert (ROOT / document).parent.joinpath(target).exists(), f"{document}: {target}"


def test_every_option_that_is_named_is_one() -> None:
    """No document names an option that no command has."""
    commands = [cli.get_command(None, name) for name in cli.list_commands(None)]  # type: ignore[arg-type]  # no context
    params = [param for command in commands if command is not None for param in command.params]
    known = {word for param in params for word in (*param.opts, *param.secondary_opts)}
    known |= {"--help", "--resources", "--nthreads", "--no-dashboard"}  # the last three are Dask's
    for document in DOCUMENTS:
        text = re.sub(r"pip install.*|ssh .*|`kubectl [^`]*`", "", (ROOT / document).read_text())
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= known, document
