"""Where the joules of a search went."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.ledger_entry import LedgerEntry, joules_by, merged

ledgers = st.lists(
    st.builds(
        LedgerEntry,
        entry=st.sampled_from(["complete", "failed", "driver"]),
        model=st.sampled_from(["", "ridge", "xgboost"]),
        stage=st.sampled_from(["", "clean", "train"]),
        energy_j=st.floats(0.0, 1e6),
    )
)


@given(ledgers)
def test_merging_loses_no_joule_and_leaves_no_double(ledger: list[LedgerEntry]) -> None:
    """However often it is done."""
    rows = merged(ledger)
    assert sum(row.energy_j for row in rows) == pytest.approx(sum(row.energy_j for row in ledger))
    assert len({(row.entry, row.model, row.stage) for row in rows}) == len(rows)
    assert merged(rows) == rows


@given(ledgers)
def test_every_view_is_the_same_for_merged_rows(ledger: list[LedgerEntry]) -> None:
    """A summary of a summary tells the same."""
    for key in ("entry", "model", "stage"):
        assert joules_by(key, merged(ledger)) == pytest.approx(joules_by(key, ledger))


@given(ledgers)
def test_the_entries_add_up_to_everything(ledger: list[LedgerEntry]) -> None:
    """A view by model or stage leaves out what belongs to none."""
    assert sum(joules_by("entry", ledger).values()) == pytest.approx(sum(row.energy_j for row in ledger))
    of_models = sum(row.energy_j for row in ledger if row.model)
    assert sum(joules_by("model", ledger).values()) == pytest.approx(of_models)
    assert "" not in joules_by("stage", ledger)
