"""The commands, as a user types them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import optuna
import pytest
import yaml

from cemai_opt.core.measurement import OVERHEAD
from cemai_opt.runs.emissions_csv import COLUMNS
from tests.conftest import Cli

OPTIONS = [
    "--target",
    "tool_wear",
    "--group",
    "run",
    "--time",
    "cut",
    "--space",
    "quick",
    "--no-audit",
    "--country",
    "NOR",
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, wear) -> Path:  # type: ignore[no-untyped-def]  # a frame
    """A finished run of ten trials, in a folder `run` beside its data."""
    import os
    import subprocess
    import sys

    from tests.conftest import ROOT

    folder = tmp_path_factory.mktemp("finished")
    wear.to_csv(folder / "wear.csv", index=False)
    command = [sys.executable, "-m", "cemai_opt", "optimize", "--data", "wear.csv", *OPTIONS, "--trials", "10"]
    done = subprocess.run(
        [*command, "--out", "run"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    (folder / "stderr.txt").write_text(done.stderr)
    return folder


def front_of(folder: Path) -> dict:  # type: ignore[type-arg]  # JSON
    """The front document of the run."""
    document: dict = json.loads((folder / "run" / "front.json").read_text())  # type: ignore[type-arg]  # JSON
    assert document.pop("crc32") > 0
    return document


def test_the_run_folder_is_complete(finished: Path) -> None:
    """Every file that is promised, with every key."""
    run = finished / "run"
    names = {path.name for path in run.iterdir()}
    assert names >= {"study.yaml", "space.lock.yaml", "optuna.journal", "trials.jsonl", "front.json", "front.csv"}
    assert names >= {"summary.json", "emissions.csv"}
    front = front_of(finished)
    assert set(front) == {
        "score",
        "unit",
        "knee",
        "tolerance",
        "members",
        "average",
        "payback",
        "search",
        "baseline",
        "dummy",
    }
    assert front["baseline"]["test"] is not None
    assert front["baseline"]["config"]["train"]["model"] in {"ridge", "decision_tree", "xgboost"}
    assert (front["score"], front["unit"]) == ("r2", "gCO2eq")
    counts = {"trials", "complete", "pruned", "failed", "harvested", "not_run", "repeats"}
    assert set(front["search"]) == {*counts, "carbon_g", "hypervolume"}
    assert sum(front["search"][state] for state in ("complete", "pruned", "failed")) == front["search"]["trials"]
    needed = {
        "trial",
        "model",
        "validation",
        "test",
        "carbon_g",
        "energy_j",
        "uncertainty_g",
        "duration_s",
        "stages",
        "config",
    }
    assert all(needed <= set(member) for member in front["members"])
    assert front["knee"] in [member["trial"] for member in [front["baseline"], *front["members"]]]
    trials = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
    counts = ("trials", "repeats", "not_run", "harvested")
    assert len(trials) == sum(front["search"][count] for count in counts) >= 10
    assert all({"trial", "state", "score", "carbon_g", "reason", "config"} <= set(trial) for trial in trials)


def test_stages_add_up_to_the_total(finished: Path) -> None:
    """In joules and in grams, with the overhead row."""
    for member in front_of(finished)["members"]:
        assert OVERHEAD in member["stages"]
        for unit in ("energy_j", "carbon_g"):
            assert sum(stage[unit] for stage in member["stages"].values()) == pytest.approx(member[unit], rel=1e-9)


def test_the_ledger_holds_more_than_the_trials(finished: Path) -> None:
    """Final trainings and the driver's own work are in the grams of the search."""
    summary = json.loads((finished / "run" / "summary.json").read_text())
    by = summary["search"]["carbon_g_by"]
    assert set(by["entry"]) >= {"complete", "final", "driver"}
    assert all(grams > 0 for grams in by["entry"].values())
    assert sum(by["entry"].values()) == pytest.approx(summary["search"]["carbon_g"])
    trials_g = summary["search"]["carbon_g"] - by["entry"]["driver"]
    assert sum(by["model"].values()) == pytest.approx(trials_g)
    assert sum(by["stage"].values()) == pytest.approx(trials_g)
    assert summary["search"]["carbon_g"] == pytest.approx(front_of(finished)["search"]["carbon_g"])
    history = [point["hypervolume"] for point in summary["search"]["hypervolume_history"]]
    assert history == sorted(history)
    assert summary["versions"]["optuna"]
    assert summary["machine"]["cpu"]


def test_emissions_have_codecarbons_columns(finished: Path) -> None:
    """The columns of its own dataclass, and as many kilograms as the trials' grams."""
    from dataclasses import fields

    from codecarbon.output_methods.emissions_data import EmissionsData

    assert [field.name for field in fields(EmissionsData)] == COLUMNS
    with (finished / "run" / "emissions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    summary = json.loads((finished / "run" / "summary.json").read_text())["search"]["carbon_g_by"]["entry"]
    spent_g = sum(grams for entry, grams in summary.items() if entry != "driver")
    assert sum(float(row["emissions"]) for row in rows) * 1000 == pytest.approx(spent_g)


def test_two_numbers_are_kept_apart(finished: Path) -> None:
    """The footprint holds idle power beside what the ledger says, and is not the search's grams."""
    summary = json.loads((finished / "run" / "summary.json").read_text())
    footprint = summary["footprint"]
    assert footprint["dynamic_j"] == pytest.approx(summary["search"]["energy_j"], rel=0.05)
    assert footprint["energy_j"] == pytest.approx(footprint["dynamic_j"] + footprint["idle_j"])
    assert footprint["idle_j"] > 0
    assert len(footprint["sessions"]) == 1


def test_front_members_are_confirmed(finished: Path) -> None:
    """On five folds, with mean and standard deviation of their grams, and the standard error of their scores."""
    for member in front_of(finished)["members"]:
        assert member["repeats"] == 5
        assert member["error"] > 0
        assert member["deviation_g"] >= 0
        assert member["uncertainty_g"] > 0


def test_notes_say_what_was_chosen(finished: Path) -> None:
    """The split, the intensity and its origin are on standard error; the table alone is on standard output."""
    notes = " ".join((finished / "stderr.txt").read_text().split())
    assert "30.08 g/kWh (Norway" in notes
    assert "split by" in notes
    assert "5 folds" in notes
    assert "task: regression (inferred" in notes
    assert (finished / "stdout.txt").read_text().startswith("trial")


def test_front_in_three_formats(finished: Path, cli: Cli) -> None:
    """The same members in each."""
    as_json = json.loads(cli("front", "run", "--format", "json", folder=finished).stdout)
    as_csv = list(csv.DictReader(cli("front", "run", "--format", "csv", folder=finished).stdout.splitlines()))
    as_table = cli("front", "run", folder=finished).stdout
    assert as_json == front_of(finished)
    assert [int(row["trial"]) for row in as_csv] == [member["trial"] for member in as_json["members"]]
    assert (
        (finished / "run" / "front.csv").read_text().splitlines()[0].startswith("trial,model,validation,test,carbon_g")
    )
    assert all(line.rstrip() == line.rstrip()[:80] for line in as_table.splitlines())
    assert "knee" in as_table
    assert "best" in as_table


@pytest.mark.parametrize("pick", ["knee", "number"])
def test_an_exported_configuration_runs(finished: Path, cli: Cli, tmp_path: Path, pick: str) -> None:
    """`run` repeats the test score of the member exactly, with energy and grams by stage."""
    member = front_of(finished)["members"][-1]
    chosen = str(member["trial"]) if pick == "number" else pick
    command = ("export", "run", "--pick", chosen, "--format", "config", "--out", tmp_path / "out")
    assert cli(*command, folder=finished).returncode == 0
    out = tmp_path / "out" / "config.yaml"
    exported = yaml.safe_load(out.read_text())
    done = cli("run", out, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["test"] == pytest.approx(exported["picked"]["test"], abs=1e-9)
    assert document["carbon_g"] > 0
    assert sum(s["energy_j"] for s in document["stages"].values()) == pytest.approx(document["energy_j"])
    assert set(document["stages"]) >= {"train", "evaluate", "explain", OVERHEAD}


def test_test_rows_are_no_question_where_nothing_is_trained(finished: Path, cli: Cli, tmp_path: Path) -> None:
    """An option that would do nothing is refused, and nothing is written."""
    out = tmp_path / "out"
    done = cli("export", "run", "--format", "config", "--with-test-rows", "--out", out, folder=finished)
    assert done.returncode == 2
    assert "--format config trains nothing" in done.stderr
    assert not out.exists()


def test_an_exported_configuration_runs_on_other_data(finished: Path, cli: Cli, tmp_path: Path) -> None:
    """The same pipeline, split anew."""
    from cemai_opt.datasets.demo import tool_wear_runs

    tool_wear_runs(n_runs=9, seed=99).to_csv(tmp_path / "other.csv", index=False)
    cli("export", "run", "--format", "config", "--out", tmp_path / "knee", folder=finished)
    table = cli("run", "knee/config.yaml", "--data", "other.csv")
    assert table.returncode == 0, table.stderr
    assert "total" in table.stdout
    assert "r2" in table.stdout


def test_a_run_goes_on_where_it_ended(finished: Path, cli: Cli) -> None:
    """More trials on the same folder keep the first ones, and add their grams."""
    before = (finished / "run" / "trials.jsonl").read_text().splitlines()
    spent_g = front_of(finished)["search"]["carbon_g"]
    command = ["optimize", "--data", "wear.csv", *OPTIONS, "--out", "run"]
    done = cli(*command, "--trials", 13, folder=finished)
    assert done.returncode == 0, done.stderr
    after = (finished / "run" / "trials.jsonl").read_text().splitlines()
    assert after[: len(before)] == before
    assert len(after) >= 13
    assert front_of(finished)["search"]["carbon_g"] > spent_g
    spent_g = json.loads((finished / "run" / "summary.json").read_text())["search"]["carbon_g_by"]["entry"]
    assert cli(*command, "--trials", 13, folder=finished).returncode == 0
    again_g = json.loads((finished / "run" / "summary.json").read_text())["search"]["carbon_g_by"]["entry"]
    for entry in ("complete", "confirm", "final"):  # nothing new to do: nothing is measured or tested again
        assert again_g[entry] == pytest.approx(spent_g[entry])
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(finished / "run" / "optuna.journal"))
    )
    assert optuna.load_study(study_name="wear", storage=storage).metric_names == ["r2", "gCO2eq"]
    other = cli(*command, "--seed", 5, folder=finished)
    assert other.returncode == 2
    assert "another study" in other.stderr


def test_the_same_seed_gives_the_same_scores(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """Two runs in which nothing looks at measured joules: configuration and score agree, trial by trial."""
    notes = []
    for out in ("a", "b"):
        done = cli(
            "optimize",
            "--data",
            wear_csv,
            *OPTIONS,
            "--sampler",
            "random",
            "--no-stop-early",
            "--no-harvest",
            "--trials",
            9,
            "--out",
            out,
            "--seed",
            3,
        )
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in (tmp_path / out / "trials.jsonl").read_text().splitlines()]
        notes.append([(line["config"], line["score"]) for line in lines])
    assert notes[0] == notes[1]


def test_classification_with_text_classes(cli: Cli, wear, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # a frame
    """Three named classes and a text input; the score is macro F1."""
    worn = wear.assign(
        state=wear["tool_wear"].map(lambda w: "new" if w < 0.1 else "used" if w < 0.2 else "worn"),
        operator=wear["run"].str[-1].map({"0": "ann", "1": "bob"}).fillna("cid"),
    ).drop(columns="tool_wear")
    worn.to_csv(tmp_path / "worn.csv", index=False)
    options = [
        "--target",
        "state",
        "--group",
        "run",
        "--space",
        "quick",
        "--trials",
        8,
        "--out",
        "c",
        "--json",
        "--no-audit",
    ]
    done = cli("optimize", "--data", "worn.csv", *options)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["score"] == "f1_macro"
    assert max(member["validation"] for member in document["members"]) > 0.6


def test_a_folder_of_files_is_grouped_by_file(cli: Cli, wear, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # a frame
    """One file is one group; Parquet and gzip are read too."""
    for i, (_, rows) in enumerate(wear.drop(columns="cut").groupby("run")):
        rows = rows.drop(columns="run")
        (tmp_path / "many").mkdir(exist_ok=True)
        if i % 2:
            rows.to_parquet(tmp_path / "many" / f"{i}.parquet")
        else:
            rows.to_csv(tmp_path / "many" / f"{i}.csv.gz", index=False)
    done = cli(
        "optimize",
        "--data",
        "many",
        "--target",
        "tool_wear",
        "--space",
        "quick",
        "--trials",
        6,
        "--out",
        "m",
        "--no-audit",
    )
    assert done.returncode == 0, done.stderr
    assert "split by 10 groups" in " ".join(done.stderr.split())


def test_parts_and_doctor(cli: Cli) -> None:
    """Everything that can be chosen, and what can be measured here."""
    parts = json.loads(cli("parts", "--json").stdout)
    assert {p["name"] for p in parts["models"]} >= {
        "ridge",
        "decision_tree",
        "random_forest",
        "gradient_boosting",
        "lstm",
    }
    assert len(parts["stages"]) >= 10
    assert "nsga2_stock" in {p["name"] for p in parts["samplers"]}
    assert "rapl" in cli("parts").stdout
    doctor = json.loads(cli("doctor", "--json", "--country", "FRA").stdout)
    assert {source["name"] for source in doctor["sources"]} >= {"cpu_time", "rapl", "nvml"}
    assert all(source["readable"] or (source["why"] and source["remedy"]) for source in doctor["sources"])
    assert doctor["intensity_g_per_kwh"] < 100
    assert [row["work_s"] for row in doctor["expected_uncertainty"]] == [0.01, 0.1, 1.0, 10.0]
    assert all(0 < row["uncertainty"] < 0.5 for row in doctor["expected_uncertainty"])
    assert "in use: cpu_time" in cli("doctor").stdout or "in use: rapl" in cli("doctor").stdout


@pytest.mark.parametrize("objective", ["train", "inference", "lifecycle"])
def test_other_objectives(cli: Cli, wear_csv: Path, tmp_path: Path, objective: str) -> None:
    """The front is one of other grams, named in the unit; predictions are measured where they count."""
    done = cli(
        "optimize", "--data", wear_csv, *OPTIONS, "--trials", 6, "--out", "o", "--json", "--objective", objective
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    units = {"train": "gCO2eq", "inference": "gCO2eq per 1,000 predictions", "lifecycle": "gCO2eq per year"}
    assert document["unit"] == units[objective]
    for member in document["members"]:
        per_1000_g = member["inference_g_per_1000"]
        total_g = sum(stage["carbon_g"] for stage in member["stages"].values())
        if objective == "train":
            assert member["carbon_g"] == pytest.approx(member["stages"]["train"]["carbon_g"])
        elif objective == "inference":
            assert member["carbon_g"] == pytest.approx(per_1000_g)
        else:
            assert member["carbon_g"] == pytest.approx(12 * total_g + 1000 * per_1000_g)


def test_the_audit_is_told(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """CodeCarbon's own count of the whole study, over our footprint; embodied carbon is in the footprint alone."""
    options = [option for option in OPTIONS if option != "--no-audit"]
    done = cli("optimize", "--data", wear_csv, *options, "--trials", 3, "--out", "a", "--embodied-kg", 300)
    assert done.returncode == 0, done.stderr
    assert "audit: CodeCarbon counts" in done.stderr
    assert "codecarbon INFO" not in done.stderr
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert 0.05 < summary["footprint"]["sessions"][0]["audit_ratio"] < 20
    assert summary["footprint"]["embodied_g"] > 0
    assert summary["footprint"]["carbon_g"] > summary["search"]["carbon_g"]
