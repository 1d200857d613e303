"""Records of measured pipelines."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.plan import Config
from cemai_opt.core.result import FAILED
from cemai_opt.runs import RunFolder
from cemai_opt.runs.measured import FORMAT, EmissionRow, MeasuredPipeline, MeasuredRecord
from cemai_opt.testing.searches import study_of
from tests.finished import finished_run
from tests.results import J_PER_G, trial

RIDGE = Config({"train": {"model": "ridge"}})


def record(*grams: float, label: str = "here") -> MeasuredRecord:
    """One pipeline, measured once for each of `grams`."""
    pipeline = MeasuredPipeline(label="ridge", config=RIDGE)
    for g in grams:
        pipeline = pipeline.with_result(trial(0, 0.5, g, uncertainty_g=0.1))
    return MeasuredRecord.of(study_of(), [pipeline], data="d", label=label)


def test_a_row_adds_up_and_says_how_sure_it_is() -> None:
    """The mean of all times; its uncertainty has the spread of each stage and that of the meter."""
    measured = record(4.0, 8.0)
    row = EmissionRow.of(measured.pipelines[0], measured.carbon)
    grams_per_j = measured.carbon.grams(J_PER_G)
    assert row.total.carbon_g == pytest.approx(6.0 * grams_per_j)
    assert row.total.carbon_g == pytest.approx(sum(cost.carbon_g for cost in row.stages.values()))
    spread = [share * 4.0 / math.sqrt(2) / math.sqrt(2) for share in (0.25, 0.75)]
    assert row.total.uncertainty_g == pytest.approx((spread[0] + math.hypot(spread[1], 0.1)) * grams_per_j)
    assert row.score == 0.5


def test_a_pipeline_that_failed_has_its_reason() -> None:
    """And what was measured before."""
    failed = replace(trial(0, None, 1.0), state=FAILED, reason="train: ValueError: no")
    pipeline = MeasuredPipeline(label="x", config=RIDGE).with_result(failed)
    assert (pipeline.reason, pipeline.costs) == ("train: ValueError: no", ())
    assert EmissionRow.of(pipeline, record(1.0).carbon).total.carbon_g == 0.0


def test_a_record_travels(tmp_path: Path) -> None:
    """It is the same when it is read; a later one replaces it, another file stays."""
    path = tmp_path / "new" / "record.json"
    record(1.0).write(path)
    record(1.0, 2.0).write(path)
    assert MeasuredRecord.read(path) == record(1.0, 2.0)
    assert MeasuredRecord.read(path).sources == ["test"]
    (tmp_path / "mine.json").write_text('{"a": 1}')
    with pytest.raises(StudyError, match="holds no measurements"):
        record(1.0).write(tmp_path / "mine.json")
    assert (tmp_path / "mine.json").read_text() == '{"a": 1}'


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    """A digit that changed, a part that is missing, a later format, a file that is not there."""
    path = tmp_path / "record.json"
    record(1.0).write(path)
    text = path.read_text()
    for changed in (text.replace('"seed": 0', '"seed": 1'), text[:300]):
        path.write_text(changed)
        with pytest.raises(StudyError, match="is damaged"):
            MeasuredRecord.read(path)
    later = {**json.loads(text), "format": FORMAT + 1}
    del later["crc32"]
    path.write_text(json.dumps(later))
    with pytest.raises(StudyError, match="later version"):
        MeasuredRecord.read(path)
    with pytest.raises(StudyError, match="cannot read"):
        MeasuredRecord.read(tmp_path / "nothing.json")


def test_a_run_gives_its_tested_members() -> None:
    """Greenest first, as they were trained on training and validation rows."""
    run = finished_run("regression")
    measured = MeasuredRecord.of_run(RunFolder(run.path))
    members = [member for member in RunFolder(run.path).front().members if member.test is not None]
    assert [pipeline.label for pipeline in measured.pipelines] == [f"{m.trial} {m.model}" for m in members]
    assert [pipeline.score for pipeline in measured.pipelines] == [m.test for m in members]
