"""A deployed model in continuous integration: which limits it breaks, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score

from cemai_opt.core.errors import StudyError
from cemai_opt.deploy.check import Limits, check_model
from cemai_opt.deploy.model_folder import load_model
from tests.conftest import Cli
from tests.finished import finished_run
from tests.updating.test_update import deployed, values, week


def test_the_score_is_that_of_the_predictions(tmp_path: Path) -> None:
    """By scikit-learn, on the rows of the file, with the grams of 1,000 predictions; nothing is limited."""
    model, rows = deployed(tmp_path), week(tmp_path, 0)
    result = check_model(load_model(model), rows, limits=Limits())
    assert result.score == pytest.approx(r2_score(pd.read_csv(rows)["tool_wear"], values(model, rows)))
    assert result.rows == len(pd.read_csv(rows))
    assert result.carbon_g_per_1000 > 0.0
    assert result.is_kept


def test_twice_the_intensity_is_twice_the_grams_for_a_joule(tmp_path: Path) -> None:
    """The joules are measured, the grams follow from them."""
    model, rows = load_model(deployed(tmp_path)), week(tmp_path, 0)
    for intensity in (100.0, 200.0):
        result = check_model(model, rows, limits=Limits(), intensity_g_per_kwh=intensity)
        assert result.carbon_g_per_1000 == pytest.approx(result.energy_j_per_1000 * intensity / 3.6e6)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(min_score=0.999), "r2 is"),
        (Limits(max_g_per_1000=1e-12), "1,000 predictions emit"),
        (Limits(min_score=-1.0, max_g_per_1000=1.0), None),
    ],
)
def test_a_broken_limit_is_named(tmp_path: Path, limits: Limits, said: str | None) -> None:
    """Each by what was found and what was allowed; kept ones are not mentioned."""
    result = check_model(load_model(deployed(tmp_path)), week(tmp_path, 0), limits=limits)
    assert len(result.broken) == (said is not None)
    assert said is None or said in result.broken[0]


def test_a_limit_on_an_error_needs_a_model_chosen_by_one(tmp_path: Path) -> None:
    """Instead of a limit that does nothing."""
    with pytest.raises(StudyError, match="r2, which is no error"):
        check_model(load_model(deployed(tmp_path)), week(tmp_path, 0), limits=Limits(max_error=1.0))


def test_classes_are_checked_too(tmp_path: Path) -> None:
    """By the score of the model."""
    model = load_model(deployed(tmp_path, task="classification"))
    result = check_model(model, week(tmp_path, 0, task="classification"), limits=Limits(min_score=0.0))
    assert (result.score_name, result.is_kept) == ("f1_macro", True)


def test_the_exit_status_says_whether_limits_are_kept(tmp_path: Path, cli: Cli) -> None:
    """0, 1 if one is broken, 2 if it cannot be checked; with the figures as JSON."""
    model, rows = deployed(tmp_path), week(tmp_path, 0)
    kept = cli("check", model, "--data", rows, "--min-score", -1, "--json")
    assert (kept.returncode, json.loads(kept.stdout)["broken"]) == (0, [])
    broken = cli("check", model, "--data", rows, "--min-score", 0.9999, "--max-grams", 0.1)
    assert broken.returncode == 1
    assert "broken: r2 is" in broken.stdout
    missing = cli("check", model, "--data", tmp_path / "nothing.csv", "--min-score", 0)
    assert missing.returncode == 2
    assert "nothing.csv" in missing.stderr


def test_rows_that_the_model_has_seen_are_pointed_out(tmp_path: Path) -> None:
    """And that the first rows of a group lack the history that features look back to."""
    model = load_model(deployed(tmp_path))
    seen = Path(finished_run("regression").path).parent / "rows.csv"
    notes = " ".join(check_model(model, seen, limits=Limits()).notes)
    assert "was trained on rows of" in notes
    assert "lack their history" in notes
    assert "was trained on" not in " ".join(check_model(model, week(tmp_path, 0), limits=Limits()).notes)


def test_the_test_rows_of_the_study_are_no_training_rows(tmp_path: Path) -> None:
    """Their score is the one known from the export, which is said."""
    model, rows = load_model(deployed(tmp_path)), week(tmp_path, 0)
    config = model.folder / "config.yaml"
    text = config.read_text()
    assert "test: null" in text
    config.write_text(text.replace("test: null", f"test: {rows}"))
    notes = " ".join(check_model(model, rows, limits=Limits()).notes)
    assert "has the test rows of the study" in notes
    assert "was trained on" not in notes


def test_rows_are_scored_with_the_history_that_is_given(tmp_path: Path, cli: Cli) -> None:
    """As if it were in the same file, but only they are scored."""
    model, rows = deployed(tmp_path), pd.read_csv(week(tmp_path, 0))
    is_late = rows["cut"] >= rows.groupby("run")["cut"].transform("median")
    for name, part in (("earlier", rows[~is_late]), ("later", rows[is_late])):
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    trained = load_model(model)
    value, y = trained.predict(rows.drop(columns="tool_wear"))[is_late], rows["tool_wear"][is_late]
    wanted = 1.0 - np.square(y - value).sum() / np.square(y - y.mean()).sum()
    done = cli("check", model, "--data", tmp_path / "later.csv", "--history", tmp_path / "earlier.csv", "--json")
    result = json.loads(done.stdout)
    assert result["rows"] == int(is_late.sum())
    assert result["score"] == pytest.approx(wanted)
    assert "lack their history" not in done.stderr
    alone = check_model(trained, tmp_path / "later.csv", limits=Limits())
    assert alone.score != pytest.approx(wanted)
