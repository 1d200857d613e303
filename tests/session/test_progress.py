"""Progress on standard error."""

from __future__ import annotations

import pytest

from cemai_opt.core.front import ParetoFront, Point
from cemai_opt.core.result import COMPLETE, FAILED, TrialResult
from cemai_opt.search import SearchState
from cemai_opt.session import progress
from cemai_opt.session.progress import ProgressEvents
from cemai_opt.testing.searches import space_of


def result(trial: int, state: str = COMPLETE, reason: str = "") -> TrialResult:
    """A ridge."""
    return TrialResult(trial=trial, state=state, config=space_of().active({"train.model": "ridge"}), reason=reason)


def state(done: int, *points: Point) -> SearchState:
    """After some of five trials."""
    return SearchState(done=done, trials=5, front=ParetoFront.of(points), hypervolume=0.25, spent_g=0.002)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are not broken."""
    monkeypatch.setenv("COLUMNS", "200")


def test_a_line_has_the_front_and_what_was_spent(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error; standard output is for results."""
    with ProgressEvents("r2") as events:
        events.on_result(result(0), state(1, Point(0, 0.5, 1e-6), Point(1, 0.75, 1e-3)))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == ["1/5  best r2 0.750  greenest 1 ug  hv 0.250  spent 2 mg"]


def test_a_budget_is_said_with_what_was_spent(capsys: pytest.CaptureFixture[str]) -> None:
    """The number of trials does not tell how far a search with a budget is."""
    with ProgressEvents("r2", budget_g=0.032) as events:
        events.on_result(result(0), state(1))
    assert capsys.readouterr().err.splitlines() == ["1/5  spent 2 mg of 32 mg"]


def test_there_is_a_line_every_few_seconds_and_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for every trial."""
    with ProgressEvents("r2") as events:
        for done in range(1, 6):
            events.on_result(result(done), state(done))
        monkeypatch.setattr(progress, "PLAIN_EVERY_S", 0.0)
        events.on_result(result(4), state(4))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["1/5", "5/5", "4/5"]


def test_a_failed_trial_has_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """On a line of its own, each time; square brackets stay as they are."""
    with ProgressEvents("r2") as events:
        for trial in range(2):
            events.on_result(result(trial, FAILED, "train: ValueError: [red] no"), state(trial + 1))
    lines = capsys.readouterr().err.splitlines()
    wanted = [f"trial {trial} (ridge) failed: train: ValueError: [red] no" for trial in range(2)]
    assert [line for line in lines if "failed" in line] == wanted


def test_phases_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """In their own words."""
    with ProgressEvents("r2") as events:
        events.on_phase("measuring front member 1 of 2 again, 3 times [/]")
    assert capsys.readouterr().err.splitlines() == ["measuring front member 1 of 2 again, 3 times [/]"]


def test_a_notebook_without_widgets_gets_plain_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its cell, in place of rich's warning that a bar needs them."""
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    finished = result(0)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with ProgressEvents("r2") as events:
        events.on_result(finished, state(1))
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["1/5  spent 2 mg"]
    assert printed.err == ""
