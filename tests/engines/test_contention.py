"""Joules of a trial that ran beside another one are less surely known."""

from __future__ import annotations

from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import Config
from cemai_opt.core.result import COMPLETE, TrialResult
from cemai_opt.engines._contention import CONTENTION, Contention, under_contention


def test_only_who_overlaps_has_company() -> None:
    """The first of two that overlap has had it as well; one that comes later has not."""
    company = Contention()
    with company.running() as first:
        assert not first.had_neighbours
        with company.running() as second:
            pass
    with company.running() as third:
        pass
    assert (first.had_neighbours, second.had_neighbours, third.had_neighbours) == (True, True, False)


def test_company_widens_what_is_uncertain_and_nothing_else() -> None:
    """Joules stay; uncertainties add as squares."""
    cost = Cost(
        (
            Measurement(
                stage="train", duration_s=1.0, cpu_s=1.0, energy_j={"cpu": 100.0}, uncertainty_j=3.0, source="paper"
            ),
        )
    )
    result = TrialResult(
        trial=0, state=COMPLETE, config=Config({"train": {"model": "ridge"}}), cost=cost, spent=cost, score=0.5
    )
    wider = under_contention(result)
    assert wider.cost.energy_j == 100.0
    assert wider.cost.uncertainty_j == wider.spent.uncertainty_j == (3.0**2 + (CONTENTION * 100.0) ** 2) ** 0.5
    assert wider.score == result.score
