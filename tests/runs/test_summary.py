"""What a run has spent, and on what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cemai_opt.core.ledger_entry import LedgerEntry
from cemai_opt.core.measurement import Cost
from tests.results import FRONT, J_PER_G, run_of, stage, trial


def test_grams_are_told_by_entry_model_and_stage() -> None:
    """The driver belongs to no model and no stage."""
    spent = [
        LedgerEntry(entry="complete", model="ridge", stage="train", energy_j=2.0 * J_PER_G),
        LedgerEntry(entry="failed", model="cnn", stage="train", energy_j=1.0 * J_PER_G),
        LedgerEntry(entry="driver", energy_j=0.5 * J_PER_G),
    ]
    search = run_of(*FRONT, spent=spent).summary.search
    assert search.carbon_g == pytest.approx(3.5)
    assert search.carbon_g_by.entry == pytest.approx({"complete": 2.0, "failed": 1.0, "driver": 0.5})
    assert search.carbon_g_by.model == pytest.approx({"ridge": 2.0, "cnn": 1.0})
    assert search.carbon_g_by.stage == pytest.approx({"train": 3.0})
    assert search.ledger == tuple(spent)


def test_a_summary_tells_how_it_was_measured() -> None:
    """Each source once, of trials that ran."""
    other = trial(4, 0.1, 1.0, cost=Cost((replace(stage("train", 1.0), source="another meter"),)))
    unrun = trial(5, 0.1, 1.0, parent=0, cost=Cost((replace(stage("train", 1.0), source="no meter"),)))
    summary = run_of(*FRONT, other, unrun, ended="all trials are done", notes=["a note"]).summary
    assert summary.carbon.sources == ("another meter", "test")
    assert (summary.carbon.intensity_g_per_kwh, summary.carbon.pue) == (400.0, 1.0)
    assert (summary.study, summary.ended, summary.notes) == ("formula", "all trials are done", ("a note",))


def test_hypervolume_is_told_after_every_point() -> None:
    """By the number of its trial."""
    history = run_of(*FRONT).summary.search.hypervolume_history
    assert [point.trial for point in history] == [0, 1, 2, 3]
    assert history[-1].hypervolume == run_of(*FRONT).summary.search.hypervolume > 0.0
