"""The settings of a search."""

from __future__ import annotations

import pytest

from cemai_opt.core.search_spec import BUDGETED_TRIALS
from cemai_opt.core.study import StudySpec
from cemai_opt.options import changed
from cemai_opt.testing.searches import study_of


def test_a_budget_ends_the_search_unless_trials_are_given() -> None:
    """In a file, on the command line, and in either order of both."""
    assert StudySpec.model_validate({"search": {"budget_g": 0.1}}).search.trials == BUDGETED_TRIALS
    assert StudySpec.model_validate({"search": {"budget_g": 0.1, "trials": 7}}).search.trials == 7
    assert StudySpec.model_validate({"search": {"budget_g": 0.1, "preset": "quick"}}).search.trials == 30
    assert changed(StudySpec(), {"budget_grams": 0.02}).search.trials == BUDGETED_TRIALS
    assert changed(StudySpec(), {"budget_grams": ""}).search.trials == 100
    assert changed(StudySpec(), {"budget_grams": 0.02, "preset": "quick"}).search.trials == 30
    in_file = StudySpec.model_validate({"search": {"trials": 40}})
    assert changed(in_file, {"budget_grams": 0.02}).search.trials == 40


def test_a_preset_is_what_was_not_given() -> None:
    """In a study file and as an option; what is given itself counts more."""
    assert StudySpec.model_validate({"search": {"preset": "thorough"}}).search.trials == 400
    assert StudySpec.model_validate({"search": {"preset": "thorough", "trials": 7}}).search.trials == 7
    assert changed(StudySpec(), {"preset": "quick"}).search.trials == 30
    assert changed(StudySpec(), {"preset": "quick", "trials": 5}).search.trials == 5
    assert changed(StudySpec(), {"trials": 5}).search.preset == "balanced"


@pytest.mark.parametrize("name", ["auto", "sms_emoa", "nsga2"])
def test_earlier_names_of_the_default_sampler_stand_for_it(name: str) -> None:
    """Runs of earlier versions can be resumed."""
    assert study_of(sampler=name).search.sampler == "nsga2"
