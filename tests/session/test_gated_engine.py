"""Pipelines start when a gate is open, and a run says what waiting has saved."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

from cemai_opt.session.gated_engine import GatedEngine
from cemai_opt.testing.searches import FormulaEngine, run_search
from tests.cli.test_commands import OPTIONS
from tests.conftest import Cli


def test_the_gate_is_asked_before_every_plan(tmp_path: Path) -> None:
    """And everything else is that of the engine behind it."""
    asked: list[int] = []
    engine = FormulaEngine()
    gated = GatedEngine(engine, lambda: asked.append(len(engine.plans)))
    run_search(tmp_path / "run", engine=gated, trials=5)
    assert asked == list(range(len(engine.plans)))
    assert gated.slots == engine.slots
    assert gated.unseen_j() == engine.unseen_j()


def test_a_run_waits_and_says_what_it_saved(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """A dirty present, clean in four seconds: nothing but the driver ran before; the note is kept."""
    now = datetime.datetime.now(datetime.UTC)
    rows = [(now - datetime.timedelta(hours=1), 500), (now + datetime.timedelta(seconds=8), 50)]
    text = "\n".join(["time,g", *(f"{moment.isoformat()},{grams}" for moment, grams in rows)])
    (tmp_path / "forecast.csv").write_text(text)
    command = ("optimize", "--data", wear_csv, *OPTIONS, "--trials", 3, "--confirm", 0, "--out", "run")
    done = cli(*command, "--wait-for-low-carbon", "forecast.csv", "--deadline", 0.05)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert "waiting for low carbon until" in said
    notes = json.loads((tmp_path / "run" / "summary.json").read_text())["notes"]
    (line,) = (note for note in notes if note.startswith("low carbon: waited"))
    assert "less than starting at once" in line
    assert "in 1 pause" in line
