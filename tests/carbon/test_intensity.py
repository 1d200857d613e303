"""Grams per kilowatt-hour by country."""

from __future__ import annotations

import pytest

from cemai_opt.carbon.intensity import national_intensity
from cemai_opt.core.errors import StudyError


def test_countries_come_from_codecarbons_table() -> None:
    """Norway's water against Poland's coal; the origin names country and year."""
    norway, origin = national_intensity("nor")
    assert norway == pytest.approx(30.08)
    assert "Norway" in origin
    assert "2023" in origin
    assert national_intensity("POL")[0] > 10 * norway


@pytest.mark.parametrize(("wrong", "hint"), [("NORW", "NOR"), ("Germany", "DEU"), ("XXX", "known")])
def test_an_unknown_country_is_an_error_that_names_the_nearest(wrong: str, hint: str) -> None:
    """Never the world mean in silence."""
    with pytest.raises(StudyError, match=hint):
        national_intensity(wrong)
