"""The section on updates in a model card."""

from __future__ import annotations

from cemai_opt.updating.card import HEADING, with_updates
from tests.updating.test_log import entry


def test_the_section_is_replaced_and_the_rest_stays() -> None:
    """One row per update, however often it is written."""
    once = with_updates("# A card\n\ntext\n", [entry()])
    twice = with_updates(once, [entry(), entry()])
    assert twice.startswith("# A card\n\ntext\n\n## Updates\n")
    assert twice.count(HEADING) == 1
    assert twice.count("| 7 | 0.5000 | keep: no drift | kept |") == 2
