"""Budgets, bounds, cache and payback, as a user asks for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import OPTIONS, finished  # noqa: F401  # a fixture
from tests.conftest import Cli


def document(folder: Path, name: str) -> dict:  # type: ignore[type-arg]  # JSON
    """One of the files of the run `run`."""
    return dict(json.loads((folder / "run" / name).read_text()))


def test_the_final_lines_say_what_was_burned_and_when_it_is_paid_back(finished: Path) -> None:  # noqa: F811
    """By state of the trials, by family, and against the best member."""
    said = " ".join((finished / "stdout.txt").read_text().split())
    assert "the search spent" in said
    assert "driver" in said
    assert "most expensive families" in said
    assert "The greenest good one" in said
    assert "Always predicting the mean: r2" in said
    assert "A year has 12 retrainings and 1,000,000 predictions" in said
    front, summary = document(finished, "front.json"), document(finished, "summary.json")
    assert front["payback"] == summary["search"]["payback"]
    members = {member["trial"]: member for member in [front["baseline"], *front["members"]]}
    good = [member for member in members.values() if member["is_convincing"]]
    best = max(good, key=lambda member: member["validation"] - member["error"])
    for choice in front["payback"]:
        assert choice["instead_of"] == best["trial"]
        chosen = members[choice["trial"]]
        saved_g = best["retraining_g"] - chosen["retraining_g"]
        assert choice["saves_g_per_retraining"] == pytest.approx(saved_g)
        if saved_g > 0:
            assert choice["retrainings"] * saved_g >= front["search"]["carbon_g"]
            assert (choice["retrainings"] - 1) * saved_g < front["search"]["carbon_g"]


def test_a_wide_tolerance_picks_the_greenest_that_is_recommended(finished: Path, cli: Cli) -> None:  # noqa: F811
    """In the table, as a mark, and for export: never one that may be worse than the untuned baseline."""
    shown = cli("front", finished / "run", "--tolerance", 99)
    assert "within 99" in " ".join(shown.stdout.split())  # marks wrap where names and numbers leave little room
    for pick in (["within", "--tolerance", 99], ["greenest"]):
        done = cli("export", finished / "run", "--pick", *pick, "--format", "config", "--out", pick[0])
        assert done.returncode == 0, done.stderr
    front = document(finished, "front.json")
    good = [m for m in [front["baseline"], *front["members"]] if m["is_convincing"]]
    greenest = min(good, key=lambda member: member["carbon_g"])["trial"]
    command = ("export", finished / "run", "--pick", "within", "--tolerance", 99, "--format", "config")
    assert f"trial {greenest} " in cli(*command, "--out", "x").stdout


def test_a_budget_of_grams_is_for_everything(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """Importing, searching, measuring again and testing: the whole run stays near it, and says that it is used up."""
    done = cli("optimize", "--data", wear_csv, *OPTIONS, "--trials", 5000, "--budget-grams", 0.0006, "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "used up" in done.stdout
    spent_g = document(tmp_path, "front.json")["search"]["carbon_g"]
    assert 0.0003 < spent_g < 0.0008


def test_bounds_without_a_pipeline_that_keeps_them(cli: Cli, wear_csv: Path) -> None:
    """It is said, with how near the nearest came."""
    done = cli("optimize", "--data", wear_csv, *OPTIONS, "--trials", 4, "--min-score", 0.99999, "--out", "run")
    assert done.returncode == 2
    assert "--min-score" in done.stderr
    again = cli("optimize", "--data", wear_csv, *OPTIONS, "--trials", 4, "--min-score", 0.1, "--out", "run")
    assert again.returncode == 0, again.stderr


def test_no_cache_leaves_no_folder_and_no_row(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """And every stage of every trial runs."""
    done = cli("optimize", "--data", wear_csv, *OPTIONS, "--trials", 4, "--no-cache", "--out", "run")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "run" / "cache").exists()
    assert "cache" not in document(tmp_path, "summary.json")["search"]["carbon_g_by"]["stage"]


def test_a_sampler_of_optuna_s_by_dotted_name(cli: Cli, wear_csv: Path) -> None:
    """With its capital letters."""
    options = ["--trials", 4, "--sampler", "optuna.samplers.QMCSampler", "--out", "run"]
    assert cli("optimize", "--data", wear_csv, *OPTIONS, *options).returncode == 0
    wrong = cli("optimize", "--data", wear_csv, *OPTIONS, "--sampler", "optuna.samplers.Nope", "--out", "other")
    assert wrong.returncode == 2
    assert "Nope" in wrong.stderr


def test_the_report_is_part_of_the_budget(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """Where nothing is left for it, it is not written, and the message says how to get it."""
    options = ["--target", "tool_wear", "--group", "run", "--space", "quick", "--explain", "never", "--no-audit"]
    done = cli("optimize", "--data", wear_csv, *options, "--budget-grams", 0.0034, "--out", "run", "--report")
    assert done.returncode == 0, done.stderr
    assert "no report: the budget is used up; `cemai-opt report run` writes it" in " ".join(done.stdout.split())
    assert not (tmp_path / "run" / "report.html").exists()
