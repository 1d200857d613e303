"""A few hundred cases of every family; `make fuzz` runs ten thousand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.families import FAMILIES, cases
from tests.fuzz.outcome import BAD

N_CASES = 150


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_goes_wrong_in_silence(family: str, tmp_path: Path) -> None:
    """It works and is right, or it ends with one message: no traceback, no hang, no other number."""
    for number, outcome in cases(family, N_CASES, scratch=tmp_path):
        assert outcome.kind not in BAD, f"{family} case {number}: {outcome.details}"
