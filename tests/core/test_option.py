"""Settings that are also options."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cemai_opt.core.option import OPTION, Strict, option


class Settings(Strict):
    """One option."""

    share: float = option("share", "A share.", default=0.5, metavar="S", ge=0.0)


def test_an_option_knows_its_name_and_help() -> None:
    """Beside its default and its range."""
    field = Settings.model_fields["share"]
    assert isinstance(field.json_schema_extra, dict)
    assert field.json_schema_extra[OPTION] == {"name": "share", "metavar": "S", "default_text": ""}
    assert (field.description, Settings().share) == ("A share.", 0.5)


@pytest.mark.parametrize("wrong", [{"share": -1.0}, {"share": float("nan")}, {"shares": 0.5}])
def test_what_is_out_of_range_or_unknown_is_refused(wrong: dict[str, float]) -> None:
    """So that a typing error has no silent effect."""
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)
