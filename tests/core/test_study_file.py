"""The study file is strict."""

from __future__ import annotations

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.study_file import parse_resolved_study, parse_study
from cemai_opt.testing.searches import study_of


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"serch": {}}, "unknown key 'serch'.*'search'"),
        ({"data": {"targte": "x"}}, "unknown key 'data.targte'.*'target'"),
        ({"search": {"trials": 0}}, "search.trials"),
        ({"search": {"trials": "many"}}, "search.trials"),
        ({"split": {"by": "groups"}}, "split.by"),
        ({"split": {"test_share": 1.0}}, "split.test_share"),
        ({"carbon": {"pue": 0.5}}, "carbon.pue"),
        ({"carbon": {"intensity_g_per_kwh": -1}}, "carbon.intensity"),
        ({"name": "../up"}, "name"),
        ([], "mapping"),
    ],
)
def test_a_wrong_study_says_what_is_wrong(document: object, message: str) -> None:
    """The key at fault, and the nearest known one."""
    with pytest.raises(StudyError, match=message):
        parse_study(document, "study.yaml")


def test_a_stored_study_of_0_1_0_encodes_nothing() -> None:
    """It left text of many values and dates out, so its rows stay what they were; a new study encodes them."""
    document = study_of().to_json()
    assert parse_resolved_study(document, "run").data.encode
    del document["data"]["encode"]
    assert not parse_resolved_study(document, "run").data.encode
