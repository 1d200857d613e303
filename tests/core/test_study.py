"""Studies, as specified and as resolved."""

from __future__ import annotations

import pytest

from cemai_opt.compose import load_study
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.core.shipped import shipped
from cemai_opt.core.study_file import parse_study
from cemai_opt.testing.searches import study_of


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
