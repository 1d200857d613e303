"""Names of scores, errors and skills."""

from __future__ import annotations

import pytest

from cemai_opt.core.scores import ERRORS, REGRESSION_SCORES, error_of, maximised


@pytest.mark.parametrize("error", ERRORS)
def test_a_search_maximises_the_skill_of_an_error(error: str) -> None:
    """And the error can be told from the name of the skill."""
    assert error_of(maximised(error)) == error
    assert error in REGRESSION_SCORES


@pytest.mark.parametrize("score", ["r2", "f1", "f1_macro"])
def test_other_scores_are_maximised_themselves(score: str) -> None:
    """They have no error."""
    assert maximised(score) == score
    assert error_of(score) is None
