"""The study file is strict."""

from __future__ import annotations

import pytest

from cemai_opt.compose import load_study, shipped
from cemai_opt.core.errors import StudyError
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.core.study import parse_study
from cemai_opt.testing.searches import study_of


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"serch": {}}, "unknown key 'serch'.*'search'"),
        ({"data": {"targte": "x"}}, "unknown key 'data.targte'.*'target'"),
        ({"search": {"trials": 0}}, "search.trials"),
        ({"search": {"trials": "many"}}, "search.trials"),
        ({"split": {"by": "groups"}}, "split.by"),
        ({"split": {"test_share": 1.0}}, "split.test_share"),
        ({"carbon": {"pue": 0.5}}, "carbon.pue"),
        ({"carbon": {"intensity_g_per_kwh": -1}}, "carbon.intensity"),
        ({"name": "../up"}, "name"),
        ([], "mapping"),
    ],
)
def test_a_wrong_study_says_what_is_wrong(document: object, message: str) -> None:
    """The key at fault, and the nearest known one."""
    with pytest.raises(StudyError, match=message):
        parse_study(document, "study.yaml")


@pytest.mark.parametrize("name", sorted(shipped("studies")))
def test_shipped_studies_are_read(name: str) -> None:
    """Each under its own name."""
    assert load_study(name).name == name


def test_a_plan_travels_as_json() -> None:
    """What comes back is what was sent."""
    study = study_of(trials=7, budget_g=1.0)
    plan = TrialPlan(
        trial=3,
        study=study,
        config=Config({"train": {"model": "ridge", "alpha": 1.0}}),
        phase="search",
        stages=("train",),
        folds=2,
    )
    assert from_json(TrialPlan, to_json(plan)) == plan


def test_only_the_length_of_a_search_may_differ_on_resume() -> None:
    """More trials are comparable; another seed is not."""
    study = parse_study({"search": {"trials": 5}}, "test")
    assert study.is_comparable_to(
        parse_study({"search": {"trials": 9, "timeout_s": 3}, "description": "longer"}, "test")
    )
    assert not study.is_comparable_to(parse_study({"search": {"trials": 5}, "seed": 1}, "test"))
