"""The columns of a table of members."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cemai_opt.report.columns import NOT_TESTED, grams_column, member_columns, score_text
from tests.results import FRONT, run_of, trial


def test_a_member_is_told_in_eight_columns() -> None:
    """Scores with three decimals, grams that can be read, a dash where there is no test."""
    front = run_of(*FRONT, finals={1: trial(1, 0.71249, 2.0)}).front
    columns = member_columns(front)
    assert [column.heading for column in columns] == [
        "trial",
        "model",
        "validation",
        "score +-",
        "test",
        "gCO2eq",
        "+-",
        "mark",
    ]
    assert [[column.text(member) for column in columns] for member in front.members] == [
        ["0", "ridge", "0.500", "", "-", "1 g", "0 g", "greenest"],
        ["1", "decision_tree", "0.800", "", "0.712", "2 g", "100 mg", "knee"],
        ["2", "xgboost", "0.900", "", "-", "100 g", "5 g", "best, within 0.01"],
    ]


def test_an_error_is_shown_on_test_rows_and_its_skill_on_validation_rows() -> None:
    """Where the score is the skill of an error."""
    tested = replace(trial(1, 0.71249, 2.0), metrics={"rmse": 12.3456, "rmse_skill": 0.71249})
    front = replace(run_of(*FRONT, finals={1: tested}).front, score="rmse_skill")
    columns = member_columns(front)
    assert [column.heading for column in columns][2:5] == ["skill", "score +-", "test rmse"]
    assert [columns[4].text(member) for member in front.members] == ["-", "12.35", "-"]


def test_a_column_is_sorted_by_its_value_and_not_by_its_text() -> None:
    """2 g come before 100 mg in the alphabet only."""
    front = run_of(*FRONT).front
    by_heading = {column.heading: column for column in member_columns(front)}
    assert [by_heading["gCO2eq"].value(member) for member in front.members] == pytest.approx([1.0, 2.0, 100.0])
    assert [by_heading["trial"].value(member) for member in front.members] == [0, 1, 2]
    assert [heading for heading, column in by_heading.items() if column.is_text] == ["model", "mark"]


def test_grams_of_a_stage_are_a_column_too() -> None:
    """A quarter of these members' grams."""
    (member, *_) = run_of(*FRONT).front.members
    column = grams_column("clean", lambda m: m.stage_g("clean"))
    assert (column.text(member), column.value(member)) == ("250 mg", pytest.approx(0.25))


def test_no_score_is_a_dash_and_a_score_of_zero_is_none() -> None:
    """They mean different things."""
    assert score_text(None) == NOT_TESTED
    assert score_text(0.0) == "0.000"
    assert score_text(-1.23456) == "-1.235"
