"""A series whose next days are predicted: what is known now, and the clock, are inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt import load_model, optimize
from cemai_opt.compose import prepare
from cemai_opt.core.errors import StudyError
from cemai_opt.core.study_file import parse_resolved_study, parse_study

HOURS = 24 * 21


def series() -> pd.DataFrame:
    """Three weeks of the consumption of a building, by a clock that changes to summer time."""
    rng = np.random.default_rng(0)
    stamps = pd.date_range("2026-03-16", periods=HOURS, freq="1h", tz="Europe/Berlin")
    is_busy = (stamps.hour >= 8) & (stamps.hour < 18) & (stamps.day_of_week < 5)
    return pd.DataFrame(
        {
            "time": [stamp.isoformat() for stamp in stamps],
            "temperature": rng.normal(10.0, 3.0, HOURS),
            "kwh": 20.0 + 15.0 * is_busy + rng.normal(0.0, 1.0, HOURS),
        }
    )


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """The series as a file."""
    series().to_csv(tmp_path / "building.csv", index=False)
    return tmp_path / "building.csv"


def study_of(csv: Path, **data: object) -> dict[str, object]:
    """The document of a study of it."""
    return {"data": {"path": str(csv), "target": "kwh", "time": "time", "horizon": 24, **data}, "space": "quick"}


def inputs_of(document: dict[str, object]) -> tuple[str, ...]:
    return prepare(parse_study(document, "test")).data.names


def test_what_is_known_now_and_the_clock_are_inputs(csv: Path) -> None:
    """Unless they are not wanted; without a horizon the target is what is looked for."""
    assert inputs_of(study_of(csv)) == ("temperature", "kwh", "time.hour", "time.weekday")
    assert inputs_of(study_of(csv, past_target=False, calendar="never")) == ("temperature",)
    assert inputs_of(study_of(csv, horizon=0)) == ("temperature", "time.hour", "time.weekday")


def test_codes_of_many_values_stay_the_last_inputs(tmp_path: Path) -> None:
    """As the stages expect them; the code of each row is its own."""
    frame = series().assign(zone=[f"zone {i % 30:02}" for i in range(HOURS)])
    frame.to_csv(tmp_path / "building.csv", index=False)
    data = prepare(parse_study(study_of(tmp_path / "building.csv"), "test")).data
    assert data.names == ("temperature", "kwh", "time.hour", "time.weekday", "zone")
    assert data.n_levels == (30,)
    assert data.X[:, -1].tolist() == [i % 30 for i in range(HOURS)]


def test_a_study_that_was_written_before_has_the_inputs_of_its_time(csv: Path) -> None:
    """In a run folder every key is written, so a key that is missing was not known."""
    resolved = prepare(parse_study(study_of(csv), "test")).study.to_json()
    assert parse_resolved_study(resolved, "now").data.past_target
    for key in ("calendar", "past_target"):
        del resolved["data"][key]
    before = parse_resolved_study(resolved, "before").data
    assert (before.calendar, before.past_target) == ("never", False)


def test_the_clock_counts_as_it_is_written(csv: Path) -> None:
    """Not in UTC, where the day of the building would begin an hour earlier from the end of March on."""
    data = prepare(parse_study(study_of(csv), "test")).data
    hour = data.X[:, data.names.index("time.hour")]
    assert hour.tolist() == [pd.Timestamp(text).hour for text in series()["time"]]


@pytest.mark.parametrize("in_two", [False, True])
def test_an_exported_model_needs_the_target_and_the_time(csv: Path, tmp_path: Path, in_two: bool) -> None:
    """From a frame or a file, with the time in one column or in two; a missing target is named."""
    frame, time = series(), "time"
    if in_two:
        frame = frame.assign(day=frame["time"].str[:10], at=frame["time"].str[11:16]).drop(columns="time")
        frame, time = frame.iloc[: 24 * 13], "day,at"  # before two hours of the clock are the same
    run = optimize(
        frame, target="kwh", time=time, horizon=24, trials=2, confirm=0, space="quick", out=tmp_path / "run",
        engine="in_process", explain="never", calendar="always",
    )  # fmt: skip
    model = run.export(tmp_path / "model", "greenest")
    new = frame.tail(60).reset_index(drop=True)
    predictions = model.predict(new)
    assert np.isfinite(predictions).all()
    new.to_csv(tmp_path / "new.csv", index=False)
    assert (load_model(tmp_path / "model").predict(pd.read_csv(tmp_path / "new.csv")) == predictions).all()
    with pytest.raises(StudyError, match="lacks the input column 'kwh'"):
        model.predict(new.drop(columns="kwh"))


def test_no_feature_of_where_a_series_began_is_searched(csv: Path, tmp_path: Path) -> None:
    """A file that continues the series does not hold its start. A search space file may ask for it."""
    began = "featurize.since_start"
    prepared = prepare(parse_study(study_of(csv), "test"))
    assert prepared.study.split.by == "time"
    assert not prepared.space.hyperparameters[began].searched
    assert "no feature of a series' start" in " ".join(prepared.notes)
    (tmp_path / "own.yaml").write_text(f"hyperparameters:\n  {began}: [true, false]\n")
    own = prepare(parse_study({**study_of(csv), "space": str(tmp_path / "own.yaml")}, "test"))
    assert own.space.hyperparameters[began].searched
    series().assign(day=series()["time"].str[:10]).to_csv(tmp_path / "days.csv", index=False)
    by_day = prepare(parse_study(study_of(tmp_path / "days.csv", group="day", horizon=2), "test"))
    assert by_day.space.hyperparameters[began].searched


def test_missing_rows_of_a_series_are_pointed_out(csv: Path) -> None:
    """Because a horizon counts rows; nothing is said of whole series, or where nothing is predicted ahead."""

    def gaps(document: dict[str, object]) -> list[str]:
        return [note for note in prepare(parse_study(document, "test")).notes if "longer than the usual one" in note]

    assert gaps(study_of(csv)) == []
    series().drop(index=[50, 51, 200]).to_csv(csv, index=False)
    (note,) = gaps(study_of(csv))
    assert note.startswith("2 steps between rows")
    assert gaps(study_of(csv, horizon=0)) == []
