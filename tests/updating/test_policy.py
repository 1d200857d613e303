"""What is decided, from errors and joules alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cemai_opt.deploy.unit_errors import UnitErrors
from cemai_opt.updating.policy import CONTINUE, KEEP, REFIT, SEARCH, Rules, Situation, choose, drift_of, is_worse


def errors(level: float, *, n_units: int = 20, seed: int = 0) -> UnitErrors:
    """Units of 50 rows whose mean losses scatter by a fifth around a level."""
    sums = 50 * level * np.random.default_rng(seed).normal(1.0, 0.2, n_units)
    return UnitErrors(loss="squared", sums=tuple(sums.tolist()), rows=(50,) * n_units)


def situation(**changes: object) -> Situation:
    """A model of 1,000 rows and as good as expected on 20 new ones."""
    before = Situation(
        expected=errors(1.0),
        newest=errors(1.0, seed=1),
        recent=errors(1.0, seed=1),
        n_known=1000,
        n_new=20,
        energy_j={REFIT: 10.0},
    )
    return replace(before, **changes)  # type: ignore[arg-type]  # fields of the situation


WORSE = {"newest": errors(2.0, seed=1), "recent": errors(2.0, seed=1)}


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, KEEP),
        ({"n_new": 5000}, REFIT),  # many more rows
        (WORSE, REFIT),
        ({**WORSE, "energy_j": {REFIT: 10.0, CONTINUE: 0.2}}, REFIT),  # half of the drift is not all of it
        ({**WORSE, "energy_j": {REFIT: 10.0, CONTINUE: 0.2}, "is_exact": True}, CONTINUE),
        ({**WORSE, "energy_j": {REFIT: 10.0, CONTINUE: 0.2}, "last": CONTINUE}, REFIT),
        ({**WORSE, "energy_j": {REFIT: 10.0, SEARCH: 500.0}, "last": REFIT}, SEARCH),
        ({**WORSE, "energy_j": {REFIT: 10.0, SEARCH: 500.0}}, REFIT),  # a refit comes first
        ({**WORSE, "last": REFIT}, KEEP),  # nothing is left to try
        ({**WORSE, "last": REFIT, "n_drifted": 20, "n_new": 30}, REFIT),  # but more rows from after the drift
        ({**WORSE, "energy_j": {REFIT: 10.0, CONTINUE: 5.0}, "is_exact": True, "last": CONTINUE}, KEEP),
        (
            {**WORSE, "energy_j": {REFIT: 10.0, CONTINUE: 0.2, SEARCH: 50.0}, "is_exact": True, "last": CONTINUE},
            SEARCH,
        ),
        ({**WORSE, "energy_j": {REFIT: 10.0, SEARCH: 50.0}, "last": SEARCH}, KEEP),
        ({"newest": errors(2.0, n_units=1), "recent": errors(2.0, n_units=1)}, KEEP),  # one unit says nothing
        ({"newest": errors(2.0, seed=1)}, REFIT),  # the old rows do not hide what the new ones say
    ],
)
def test_the_action_follows_from_errors_rows_and_joules(changes: dict[str, object], action: str) -> None:
    """Each of them decides where it should."""
    assert choose(situation(**changes)).action == action


def test_a_continuation_pays_where_a_refit_is_too_dear() -> None:
    """With a high price of grams, half of the drift for a fiftieth of them is the better bargain."""
    dear = situation(**WORSE, energy_j={REFIT: 10.0, CONTINUE: 0.2})
    assert choose(dear, Rules(min_gain=0.4)).action == CONTINUE


def test_of_two_equal_gains_the_cheaper_one_is_taken() -> None:
    """If grams cost nothing, too."""
    free = situation(n_new=5000, energy_j={REFIT: 10.0, CONTINUE: 0.2}, is_exact=True)
    assert choose(free, Rules(min_gain=0.0)).action == CONTINUE


def test_drift_that_remains_is_what_is_expected_from_now_on() -> None:
    """So that it does not call for a refit every week; and errors that fell are expected to stay low."""
    stubborn = choose(situation(**WORSE, last=REFIT))
    assert stubborn.expected == WORSE["recent"]
    assert "expected ones from now on" in stubborn.reason
    better = errors(0.3, seed=1)
    assert choose(situation(newest=better, recent=better)).expected == better
    assert choose(situation()).expected == errors(1.0)


def test_false_alarms_are_rare_and_drift_is_found() -> None:
    """Over 400 pairs of samples: of equal levels at most 8 %, of levels that differ by a half nearly all."""
    alarms = [drift_of(errors(1.0, seed=2 * i), errors(1.0, seed=2 * i + 1)).excess > 0.0 for i in range(400)]
    found = [drift_of(errors(1.0, seed=2 * i), errors(1.5, seed=2 * i + 1)).excess > 0.0 for i in range(400)]
    assert np.mean(alarms) <= 0.08
    assert np.mean(found) >= 0.95


def test_a_new_model_is_refused_only_on_certain_evidence() -> None:
    """Higher errors on all units, not on their mean by chance."""
    before = errors(1.0)
    assert not is_worse(before, before)
    assert not is_worse(before, errors(1.02, seed=5))
    assert is_worse(before, replace(before, sums=tuple(1.1 * one for one in before.sums)))
    assert not is_worse(errors(1.0, n_units=1), errors(9.0, n_units=1))


def test_a_model_without_errors_can_get_worse() -> None:
    """Mean losses of zero are no division by zero."""
    perfect = UnitErrors(loss="wrong", sums=(0.0,) * 5, rows=(10,) * 5)
    assert drift_of(perfect, perfect).excess == 0.0
    assert drift_of(perfect, UnitErrors(loss="wrong", sums=(5.0, 6.0, 4.0, 5.0, 5.0), rows=(10,) * 5)).excess > 0.0
