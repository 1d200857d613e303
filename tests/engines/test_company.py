"""Joules of a trial that ran beside another one are less surely known."""

from __future__ import annotations

from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import Config
from cemai_opt.core.result import COMPLETE, TrialResult
from cemai_opt.engines._company import COMPANY, Company, in_company


def test_only_who_overlaps_has_company() -> None:
    """The first of two that overlap has had it as well; one that comes later has not."""
    company = Company()
    with company.visit() as first:
        assert not first.had_company
        with company.visit() as second:
            pass
    with company.visit() as third:
        pass
    assert (first.had_company, second.had_company, third.had_company) == (True, True, False)


def test_company_widens_what_is_uncertain_and_nothing_else() -> None:
    """Joules stay; uncertainties add as squares."""
    cost = Cost((Measurement("train", 1.0, 1.0, {"cpu": 100.0}, 3.0, "paper"),))
    result = TrialResult(0, COMPLETE, Config({"train": {"model": "ridge"}}), cost, cost, score=0.5)
    wider = in_company(result)
    assert wider.cost.energy_j == 100.0
    assert wider.cost.uncertainty_j == wider.spent.uncertainty_j == (3.0**2 + (COMPANY * 100.0) ** 2) ** 0.5
    assert wider.score == result.score
