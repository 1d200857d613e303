"""What is disclosed is valid by the format of others, and adds up to what was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.units import J_PER_KWH
from cemai_opt.deploy.disclosure import Publisher, boamps_of_member, boamps_of_model, boamps_of_run, sci_of_member
from cemai_opt.deploy.model_folder import load_model
from cemai_opt.runs import RunFolder, RunView
from tests.conftest import ROOT, Cli
from tests.deploy.conftest import export_of
from tests.finished import finished_run, picked_with
from tests.results import run_of, stage, trial, view_of

SCHEMA = json.loads((ROOT / "tests" / "schemas" / "boamps.json").read_text())
ADA = Publisher(name="Ada", confidentiality="internal")


def check(document: dict[str, Any]) -> None:
    """By the schema, after a trip through JSON."""
    jsonschema.Draft4Validator(SCHEMA).validate(json.loads(json.dumps(document)))


@pytest.fixture
def view() -> RunView:
    """A finished run."""
    return RunView.of(RunFolder(finished_run("regression").path))


def test_a_search_is_a_valid_report_of_all_its_energy(view: RunView) -> None:
    """In kWh, with who discloses and what the score is."""
    document = boamps_of_run(view, ADA)
    check(document)
    (measure,) = document["measures"]
    assert measure["powerConsumption"] * J_PER_KWH == pytest.approx(view.summary.search.energy_j)
    assert document["header"]["publisher"] == {
        "name": "Ada", "projectName": view.study.name, "confidentialityLevel": "internal",
    }  # fmt: skip
    assert "environment" not in document  # no country was given


def test_a_pipeline_and_an_exported_model_are_reports_of_their_training(view: RunView, tmp_path: Path) -> None:
    """Each with its model and the joules that it took."""
    member = view.members[0]
    document = boamps_of_member(view, member, publisher=ADA)
    check(document)
    assert document["measures"][0]["powerConsumption"] * J_PER_KWH == pytest.approx(
        member.retraining_g / view.study.carbon.grams(1.0)
    )
    model = load_model(export_of(picked_with("regression", "ridge"), tmp_path / "model").folder)
    document = boamps_of_model(model.document, ADA, data_path="rows.csv.gz")
    check(document)
    assert document["task"]["dataset"][0]["dataFormat"] == "csv"
    assert document["measures"][0]["powerConsumption"] * J_PER_KWH == pytest.approx(model.document.training.energy_j)


@pytest.mark.parametrize(
    ("source", "quality"),
    [
        ("rapl: 2 counters by CPU-time share, 10.0 W idle taken off; ram: 0.375 W/GB", "high"),
        ("cpu_time: process tree, 6.77 W/thread, by a wall meter; ram: 0.375 W/GB", "medium"),
        ("cpu_time: process tree, 4 W/thread, no TDP known; ram: 0.375 W/GB", "low"),
        ("a source of a later version", "low"),
    ],
)
def test_the_quality_is_that_of_the_source(view: RunView, source: str, quality: str) -> None:
    """Within ten percent, 25 percent, or worse."""
    carbon = replace(view.summary.carbon, sources=(source,))
    document = boamps_of_run(replace(view, summary=replace(view.summary, carbon=carbon)), ADA)
    check(document)
    assert document["quality"] == quality


def test_the_schema_refuses_what_is_not_in_the_format(view: RunView) -> None:
    """An unknown field, a missing one, another status."""
    for spoil in (
        lambda d: d.update(color="green"),
        lambda d: d["task"].pop("taskStage"),
        lambda d: d["header"].update(reportStatus="done"),
    ):
        document = boamps_of_run(view, ADA)
        spoil(document)
        with pytest.raises(jsonschema.ValidationError):
            check(document)


def test_the_sci_is_the_sum_of_its_parts_per_prediction() -> None:
    """Operational, embodied and training; water and watt-hours for 1,000 predictions."""
    rules = {"objective": {"retrains_per_year": 10.0, "predictions_per_year": 1e4}}
    inference = stage("inference", 2.0)
    record = run_of(trial(0, 0.9, 5.0, inference=inference))
    study = record.study.model_copy(
        update={
            "objective": record.study.objective.model_copy(update=rules["objective"]),
            "carbon": record.study.carbon.model_copy(update={"embodied_kg": 100.0, "lifetime_years": 4.0}),
        }
    )
    view = view_of(run_of(trial(0, 0.9, 5.0, inference=inference), study=study))
    found = sci_of_member(view, view.members[0], wue_l_per_kwh=1.8)
    assert found["operational"]["carbon_g"] == pytest.approx(2.0 / 1000)
    assert found["training"]["carbon_g"] == pytest.approx(10 * 5.0 / 1e4)
    seconds = inference.duration_s / 1000
    assert found["embodied"]["carbon_g"] == pytest.approx(100e3 * seconds / (4 * 365.25 * 86400))
    parts = (found[part]["carbon_g"] for part in ("operational", "embodied", "training"))
    assert found["sci_g"] == pytest.approx(sum(parts))
    kwh_per_1000 = 2.0 / study.carbon.intensity_g_per_kwh
    assert found["energy_wh_per_1000_predictions"] == pytest.approx(1e3 * kwh_per_1000)
    assert found["water_ml_per_1000_predictions"] == pytest.approx(1.8e3 * kwh_per_1000)


def test_without_a_measurement_there_is_no_sci() -> None:
    """Instead of a zero."""
    view = view_of(run_of(trial(0, 0.9, 5.0)))
    with pytest.raises(StudyError, match="were not measured"):
        sci_of_member(view, view.members[0])


def test_the_command_discloses_runs_and_models(cli: Cli, tmp_path: Path) -> None:
    """As JSON, into a new file only; what a model cannot say is refused."""
    run = finished_run("regression").path
    for options in ((), ("--pick", "best"), ("--standard", "sci", "--wue", 1.8)):
        done = cli("disclose", run, *options)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)
    assert cli("disclose", run, "--out", "report.json", "--publisher", "Ada").returncode == 0
    check(json.loads((tmp_path / "report.json").read_text()))
    again = cli("disclose", run, "--out", "report.json")
    assert (again.returncode, "report.json exists" in again.stderr) == (2, True)
    model = export_of(picked_with("regression", "ridge"), tmp_path / "model").folder
    check(json.loads(cli("disclose", model).stdout))
    assert cli("disclose", model, "--standard", "sci").returncode == 2
