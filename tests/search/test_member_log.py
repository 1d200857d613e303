"""What is known of a member is found again, whoever has run it, and nothing is lost when a session ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from cemai_opt.core.result import TrialResult
from cemai_opt.search import CONFIRM, FINAL, MemberLog
from cemai_opt.search.storage.coordination import StudyCoordinator
from cemai_opt.testing.searches import run_search
from tests.results import confirmed, trial


class Others:
    """Stands for the coordinator of a study: trial 7 was tested elsewhere; `posted` is what this driver published."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, int]] = []

    def member(self, why: str, number: int) -> TrialResult | None:
        """The result of another driver."""
        return trial(7, 0.7, 1.0) if (why, number) == (FINAL, 7) else None

    def post_member(self, why: str, result: TrialResult) -> None:
        """Publishes a result."""
        self.posted.append((why, result.trial))


def test_each_addition_is_reported_and_found_by_its_reason(tmp_path: Path) -> None:
    """A confirmed candidate is not a tested one, and a new log made of what was kept knows the same."""
    context, changes = run_search(tmp_path, trials=2).context, list[int]()
    log = MemberLog(on_change=lambda members: changes.append(len(members.measured) + len(members.tested)))
    log.add(CONFIRM, confirmed(3, 0.8), context=context)
    log.add(FINAL, trial(4, 0.9, 1.0), context=context)
    assert changes == [1, 2]
    for known in (log, MemberLog(list(log.measured.values()), list(log.tested.values()))):
        assert known.find(CONFIRM, 3, context=context) == confirmed(3, 0.8)
        assert known.find(FINAL, 3, context=context) is None
        assert known.find(FINAL, 4, context=context) == trial(4, 0.9, 1.0)


def test_other_drivers_share_what_they_know(tmp_path: Path) -> None:
    """Their results are found, and the own ones are published to them."""
    others = Others()
    context = replace(run_search(tmp_path, trials=2).context, coordinator=cast(StudyCoordinator, others))
    log = MemberLog()
    assert log.find(FINAL, 7, context=context) == trial(7, 0.7, 1.0)
    assert log.find(CONFIRM, 7, context=context) is None
    log.add(CONFIRM, confirmed(3, 0.8), context=context)
    assert others.posted == [(CONFIRM, 3)]
