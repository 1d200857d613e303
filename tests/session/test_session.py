"""One session of a run: its phases, what it writes, and how it goes on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from cemai_opt.api import Run, optimize
from cemai_opt.compose import prepare
from cemai_opt.core.errors import StudyError
from cemai_opt.core.front import Point, hypervolume_history
from cemai_opt.core.result import TrialResult
from cemai_opt.runs import RunFolder, RunRecord, record
from cemai_opt.runs.front import score_ties_of
from cemai_opt.search import AVERAGE, INTERRUPTED, Events, SearchState
from cemai_opt.session import Session
from tests.conftest import wear_study

TRIALS = 3


def searched(frame: pd.DataFrame, out: Path, **options: object) -> Run:
    """A short run in this process."""
    given = {"target": "tool_wear", "group": "run", "time": "cut", "space": "quick", "explain": "never"}
    return optimize(frame, out=out, **{**given, "trials": TRIALS, "confirm": 1, "engine": "in_process", **options})  # type: ignore[arg-type]  # options


def spent_by(folder: RunFolder) -> dict[str, float]:
    """Joules of the run by entry of the ledger."""
    ledger = folder.ledger()
    return {entry: sum(row.energy_j for row in ledger if row.entry == entry) for entry in {row.entry for row in ledger}}


@pytest.fixture
def finishes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[RunRecord, int]]:
    """Every record that is written as front and summary, and how many of its members were tested by then."""
    written: list[tuple[RunRecord, int]] = []
    finish = RunFolder.finish

    def counted(self: RunFolder, record: RunRecord) -> None:
        written.append((record, len(record.finals)))
        finish(self, record)

    monkeypatch.setattr(RunFolder, "finish", counted)
    return written


def test_front_and_summary_are_written_once_a_phase(
    wear: pd.DataFrame, tmp_path: Path, finishes: list[tuple[RunRecord, int]]
) -> None:
    """After the search, after measuring again, after testing; never once per trial."""
    run = searched(wear, tmp_path / "run")
    (searched_, none), (measured, still_none), (tested, n_tested) = finishes
    assert not any(result.repeats_j for result in searched_.results)
    assert any(result.repeats_j for result in measured.results)
    assert (none, still_none) == (0, 0)
    assert n_tested == len(tested.finals) >= len(tested.pareto)
    assert (len(searched_.footprints), len(measured.footprints), len(tested.footprints)) == (0, 0, 1)
    assert [member.trial for member in run.front] == [point.trial for point in tested.pareto]


def test_front_and_history_are_computed_once_for_each_record(
    wear: pd.DataFrame, tmp_path: Path, finishes: list[tuple[RunRecord, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many files are written from them."""
    histories: list[int] = []
    members: list[int] = []

    def history(points: Sequence[Point]) -> list[float]:
        histories.append(len(points))
        return hypervolume_history(points)

    def score_ties(of: Sequence[TrialResult]) -> dict[int, list[int]]:
        members.append(len(of))
        return score_ties_of(of)

    monkeypatch.setattr(record, "hypervolume_history", history)
    monkeypatch.setattr(record, "score_ties_of", score_ties)
    searched(wear, tmp_path / "run")
    assert len(histories) == len(members) == len(finishes) == 3


def test_phases_are_logged(wear: pd.DataFrame, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Under "cemai_opt" at INFO, in order: the choices, the trials, why the search ended, measuring, testing, audit."""
    with caplog.at_level(logging.INFO, "cemai_opt"):
        run = searched(wear, tmp_path / "run", trials=2)
    messages = [line.getMessage() for line in caplog.records]
    assert all(line.name.startswith("cemai_opt") for line in caplog.records)
    n_members = len(list(run.front))
    finals = sum(" for its test score" in message for message in messages)
    assert sum(message.startswith("confirming front candidate") for message in messages) >= n_members
    assert finals >= n_members
    for phase in ("carbon intensity: ", "2 trials are done", "audit: none"):
        assert sum(message.startswith(phase) for message in messages) == 1, phase
    order = [
        next(i for i, message in enumerate(messages) if part in message)
        for part in (
            "carbon intensity",
            "trial 0 (",
            "2 trials are done",
            "confirming front",
            "for its test score",
            "audit: ",
        )
    ]
    assert order == sorted(order)


def test_a_resumed_run_goes_on_and_measures_nothing_twice(wear: pd.DataFrame, tmp_path: Path) -> None:
    """The trials of the first session stay; members that stay on the front are not run again."""
    searched(wear, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    results, members = folder.results(), folder.members()
    searched(wear, tmp_path / "run", trials=TRIALS + 1)
    assert folder.results()[: len(results)] == results
    assert sum(result.has_run for result in folder.results()) == TRIALS + 1
    again = {result.trial: result for result in folder.members().tested}
    assert {result.trial: again[result.trial] for result in members.tested} == {r.trial: r for r in members.tested}
    assert len(folder.summary().footprint.sessions) == 2
    assert folder.summary().search.energy_j >= sum(result.spent.energy_j for result in folder.results())


def test_a_finished_run_is_not_measured_again(wear: pd.DataFrame, tmp_path: Path) -> None:
    """The same command twice: same trials, same members, nothing spent on them; more repeats are a reason."""
    searched(wear, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    members, spent, front = folder.members(), spent_by(folder), folder.front()
    searched(wear, tmp_path / "run")
    assert folder.members() == members
    assert {entry: spent_by(folder)[entry] for entry in ("confirm", "final")} == pytest.approx(
        {entry: spent[entry] for entry in ("confirm", "final")}
    )
    assert folder.front().picks == front.picks
    assert folder.front().baseline == front.baseline


def test_an_average_is_tried_once(wear: pd.DataFrame, tmp_path: Path) -> None:
    """From the predictions of the measurements and tests; a session that changes nothing takes it over.

    Grams are measured, so that a front may have a single member; then there is nothing to average.
    """
    options = {"trials": 8, "tolerance": 0.0}
    run = searched(wear, tmp_path / "run", **options)
    folder = RunFolder(tmp_path / "run")
    average, useful = folder.members().average, [member for member in run.front if member.validation > 0.0]
    assert (average is None) == (len(useful) < 2)
    entries = {row.entry for row in folder.summary().search.ledger}
    assert AVERAGE not in entries
    if average is not None:
        assert average.tested is not None
        assert average.tested.score is not None
        assert average.validated.score is not None
        gain = average.validated.score - max(member.validation for member in useful)
        assert (run.front.average is not None) == (gain > 0.0)
    searched(wear, tmp_path / "run", **options)
    assert folder.members().average == average
    assert {row.entry for row in folder.summary().search.ledger} == entries


def test_last_rows_are_scored_over_all_folds(wear: pd.DataFrame, tmp_path: Path) -> None:
    """Where a fold has a single group, all folds together have a score; too few groups are refused at once."""
    names = sorted(wear["run"].unique())
    run = searched(wear[wear["run"].isin(names[:8])], tmp_path / "run", score="rmse_last", folds=5)
    results = RunFolder(run.path).results()
    assert [result.state for result in results if result.has_run] == ["complete"] * TRIALS
    assert all(result.metrics["rmse_last_skill"] == result.score for result in results if result.has_run)
    with pytest.raises(StudyError, match="at least two groups of test rows"):
        searched(wear[wear["run"].isin(names[:5])], tmp_path / "other", score="rmse_last")


def test_an_interrupted_search_keeps_its_front(wear_csv: Path, tmp_path: Path) -> None:
    """Ctrl-C after the second trial: no more trials, no tests, but front and summary."""

    class Impatient(Events):
        """Ends the search."""

        def on_result(self, result: TrialResult, state: SearchState) -> None:
            if state.done == 2:
                raise KeyboardInterrupt

    study = wear_study(wear_csv, search={"trials": 9, "explain": "never"}, engine={"name": "in_process"})
    done = Session(prepare(study), RunFolder(tmp_path / "run"), events=Impatient(), with_audit=False).run()
    folder = RunFolder(tmp_path / "run")
    assert done.ended == folder.summary().ended == INTERRUPTED
    assert [result.trial for result in folder.results()] == [0, 1]
    assert folder.members().tested == ()
    assert len(folder.front().members) >= 1
    assert not (tmp_path / "run" / "cache").exists()


def test_a_run_stays_in_its_own_storage(wear_csv: Path, tmp_path: Path, wear: pd.DataFrame) -> None:
    """A database for a run that began in a journal is refused before anything runs."""
    searched(wear, tmp_path / "run", trials=1, confirm=0)
    with pytest.raises(StudyError, match="is stored in its own journal"):
        searched(wear, tmp_path / "run", trials=2, confirm=0, storage=f"sqlite:///{tmp_path}/s.db")
    assert not (tmp_path / "s.db").exists()
