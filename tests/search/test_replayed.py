"""The benchmark of whole searches: recorded pipelines, the product's own rules, the same each time."""

from __future__ import annotations

import gzip
import json
import math

import numpy as np
import pytest

from benchmarks.search.__main__ import ARMS, Course, _course
from benchmarks.search.replay import TableEngine
from benchmarks.search.table import Table, present_params
from tests.conftest import ROOT

TABLES = sorted((ROOT / "benchmarks" / "search" / "tables").glob("*.jsonl.gz"))
PHM = next(path for path in TABLES if "phm2010" in path.name)


def test_recorded_pipelines_come_back_as_they_were() -> None:
    """Score and joules at a recorded pipeline are the recorded ones; between them they are estimated."""
    table = Table(PHM)
    engine = TableEngine(table)
    header, *rows = [json.loads(line) for line in gzip.decompress(PHM.read_bytes()).decode().splitlines()]
    assert header["study"] == "broaching"
    for row in rows[::97]:
        score, joules = engine.truth(table.space.active(present_params(row["genes"])))
        assert score == pytest.approx(max(row["score"], -2.0), abs=2e-3)
        recorded = sum(joules for stage, joules in row["stages"].items() if stage != "explain")
        assert joules == pytest.approx(recorded, rel=0.02)


@pytest.mark.parametrize("name", ["stock NSGA-II", "+ first fold"])
def test_a_replayed_search_is_the_same_each_time(name: str) -> None:
    """To the last digit: nothing in it looks at a clock or a meter."""
    courses = [_course(PHM, name, 3, 20, math.inf if ARMS[name].stock else 2e-4) for _ in range(2)]
    assert np.array_equal(courses[0].spent_g, courses[1].spent_g)
    assert np.array_equal(courses[0].hypervolume, courses[1].hypervolume)
    assert (np.diff(courses[0].hypervolume) >= 0.0).all()


def test_a_course_is_read_at_equal_grams_and_at_equal_hypervolume() -> None:
    """What was reached by then; and when it was reached, or never."""
    course = Course(np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.5, 0.6]), 0, 3)
    assert (course.at(0.5), course.at(2.0), course.at(9.0)) == (0.0, 0.5, 0.6)
    assert (course.grams_to(0.2), course.grams_to(0.7)) == (2.0, math.inf)


def test_tables_are_small() -> None:
    """They are kept in the repository; a fifth of the five megabytes that would be too much."""
    assert len(TABLES) == 4
    assert sum(path.stat().st_size for path in TABLES) < 10**6
