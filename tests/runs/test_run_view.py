"""A run as reports see it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.measurement import Cost
from cemai_opt.core.result import FAILED, PRUNED, REPEAT, SKIPPED
from cemai_opt.runs import RunFolder, RunView
from cemai_opt.testing.searches import space_of, study_of
from tests.results import FRONT, run_of, stage, trial, view_of

MIXED = (
    *FRONT,
    trial(4, 0.45, 1.2, model="ridge", parent=1, spent=Cost()),
    trial(5, 0.5, 1.0, reason=f"{REPEAT}0"),
    trial(6, None, 3.0, model="cnn", state=PRUNED, reason="too expensive"),
    trial(7, None, 0.0, model="cnn", state=PRUNED, reason=f"{SKIPPED}useless"),
    trial(8, None, 1.0, model="lstm", state=FAILED, reason="train: ValueError"),
)


def test_every_trial_is_drawn_in_one_way() -> None:
    """As complete, as a point of a curve, as pruned, or not at all."""
    view = view_of(run_of(*MIXED))
    assert [point.trial for point in view.complete] == [0, 1, 2, 3]
    assert [point.trial for point in view.curve_candidates] == [4]
    assert view.pruned_g == pytest.approx([3.0])
    assert view.n_failed == 1
    assert view.complete[1].carbon_g == pytest.approx(2.0)


def test_families_of_the_front_come_first() -> None:
    """In its order; then all others that were tried, by name."""
    assert view_of(run_of(*MIXED)).families == ["ridge", "decision_tree", "xgboost", "cnn", "lstm"]


def test_neighbours_that_are_tied_are_one_chain() -> None:
    """A gap begins another one."""
    grams = [1.0, 1.1, 1.2, 5.0, 50.0, 52.0]
    close = [trial(i, 0.3 + 0.1 * i, g, uncertainty_g=0.06 * g) for i, g in enumerate(grams)]
    assert view_of(run_of(*close)).ties == [[0, 1, 2], [4, 5]]
    assert view_of(run_of(*FRONT)).ties == []


def test_hypervolume_grows_with_the_grams_of_all_trials() -> None:
    """Also of those that gave no point."""
    history = view_of(run_of(*MIXED)).hypervolume
    assert [grams for grams, _ in history] == pytest.approx([1.0, 3.0, 103.0, 153.0, 153.0])
    values = [value for _, value in history]
    assert values == sorted(values)


def test_the_overhead_is_the_last_of_the_stages() -> None:
    """The others are in their order."""
    cost = Cost((stage("overhead", 0.1), stage("clean", 0.5), stage("train", 0.5)))
    assert view_of(run_of(trial(0, 0.5, 1.0, cost=cost))).stages == ["clean", "train", "overhead"]


def test_hyperparameters_are_those_in_which_trials_differ() -> None:
    """The model comes first; what is the same everywhere is not shown."""
    values = view_of(run_of(*MIXED)).hyperparameters
    assert list(values) == ["train.model", "train.size"]
    assert values["train.model"] == ["ridge", "decision_tree", "xgboost"]


def test_the_most_important_variable_comes_first() -> None:
    """Over all members that were explained."""
    finals = {
        0: trial(0, 0.5, 1.0, importances={"a": 0.4, "b": 0.6}),
        2: trial(2, 0.5, 1.0, importances={"a": 0.1, "b": 0.2, "c": 0.7}),
    }
    shares = view_of(run_of(*FRONT, finals=finals)).importances
    assert list(shares) == ["b", "c", "a"]
    assert shares["a"] == {0: 0.4, 2: 0.1}


def test_a_reader_is_warned_of_what_may_mislead() -> None:
    """Noise, members without a test, failures, and the notes of the run."""
    noisy = replace(FRONT[1], foreign_load=0.9)
    finals = {0: FRONT[0], 1: noisy}
    warnings = view_of(run_of(FRONT[0], noisy, *MIXED[2:], finals=finals, notes=["a note"])).warnings
    assert warnings == [
        "a note",
        "measured while other processes were busy: trials 1",
        "not tested yet: trials 2",
        "1 trials failed; see trials.jsonl for the reasons",
    ]
    assert view_of(run_of(*FRONT, finals={r.trial: r for r in FRONT})).warnings == []


def test_payback_is_told_with_the_tolerance_of_the_front() -> None:
    """One sentence for each choice."""
    view = view_of(run_of(*FRONT))
    assert view.payback_lines[0].startswith("the knee (trial 1) instead of the best (trial 2)")
    wider = replace(view, front=view.front.with_tolerance(0.5))
    assert wider.payback_lines[1].startswith("the greenest within 0.5 of the best (trial 0)")


def test_a_folder_is_viewed_as_it_was_written(tmp_path: Path) -> None:
    """Before there is a front there is no view."""
    folder = RunFolder(tmp_path / "run")
    with folder.writing(study_of(), space_of(("ridge",)).locked("")):
        for result in MIXED:
            folder.append(study_of(), result)
        with pytest.raises(StudyError, match="yet"):
            RunView.of(folder)
        folder.finish(run_of(*MIXED))
    assert RunView.of(folder) == replace(view_of(run_of(*MIXED)), results=list(MIXED), study=study_of())
