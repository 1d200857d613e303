"""A search ends when its gains of late have cost more than they are worth."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt.search.worth import MIN_TRIALS, Worth
from cemai_opt.testing.searches import run_search, study_of

G_PER_J = study_of().carbon.grams(1.0)


def after(*course: tuple[float, float], worth: str | None = "0.01 = 1g") -> str | None:
    """Why a search ends after these joules and best scores, following as many cheap trials as are needed."""
    rule = Worth(study_of(worth=worth))
    for _ in range(MIN_TRIALS):
        rule.note(0.0, course[0][1])
    for spent_j, best in course:
        rule.note(spent_j, best)
    return rule.why_stop()


def test_a_gain_is_compared_with_the_last_third_of_the_joules() -> None:
    """0.01 is worth a gram: 0.02 for 1.5 grams goes on, 0.01 for 1.5 grams ends it."""
    third_j = 1.5 / G_PER_J
    assert after((2 * third_j, 0.5), (3 * third_j, 0.52)) is None
    reason = after((2 * third_j, 0.5), (3 * third_j, 0.51))
    assert reason == "the last 1.5 g have gained 0.0100: less than --worth '0.01 = 1g'"
    assert after((2 * third_j, 0.5), (3 * third_j, 0.51), worth=None) is None


def test_it_ends_a_search(tmp_path: Path) -> None:
    """Where nothing is gained any more, after some trials in any case."""
    search = run_search(tmp_path, trials=300, rules={"worth": "0.1 = 1ng"})
    assert MIN_TRIALS <= len(search.results) < 300
    assert "--worth" in search.run()
    quick = run_search(tmp_path / "quick", trials=30, rules={"worth": "0.1 = 1ng"})
    assert 15 <= len(quick.results) < 30


@pytest.mark.parametrize("wrong", ["0.01", "0.01 = 5", "x = 5mg", "-1 = 5mg", "0.01 = 0mg", "0.01 = 5 miles"])
def test_what_is_no_worth_is_refused(wrong: str) -> None:
    """With an example; a number without a unit is grams."""
    if wrong == "0.01 = 5":
        assert study_of(worth=wrong).search.worth == wrong
    else:
        with pytest.raises(ValueError, match=r"such as 5mg|'0.01 = 5mg'"):
            study_of(worth=wrong)
