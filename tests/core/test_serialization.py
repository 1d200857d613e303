"""Records as JSON and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pydantic import ConfigDict, Field

from cemai_opt.core.result import Curve
from cemai_opt.core.serialization import RECORD, JsonArray, bare, from_json, to_json


@dataclass(frozen=True)
class Names:
    """A record with one field."""

    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A record with numbers of all kinds."""

    __pydantic_config__: ClassVar[ConfigDict] = RECORD

    value: float
    by_name: Mapping[str, float] = field(default_factory=dict)
    new_name: Annotated[int, Field(alias="old")] = 0
    tags: Annotated[Names, *bare(Names, "names", inner=tuple[str, ...])] = field(default=Names(()))


readings = st.builds(
    Reading,
    value=st.floats(),
    by_name=st.dictionaries(st.text(max_size=3), st.floats(), max_size=3),
    tags=st.lists(st.text(max_size=3), max_size=3).map(lambda names: Names(tuple(names))),
)


@given(readings)
def test_what_comes_back_is_what_was_written(reading: Reading) -> None:
    """By way of text, infinities and no-numbers included."""
    assert repr(from_json(Reading, json.loads(json.dumps(to_json(reading))))) == repr(reading)


def test_infinity_is_written_as_a_number() -> None:
    """Not as null, which would be read as missing."""
    document = to_json(Reading(value=math.inf))
    assert document["value"] == math.inf
    assert math.isnan(to_json(Reading(value=math.nan))["value"])


def test_a_renamed_field_keeps_its_key_in_files() -> None:
    """Files of an older version can be read, and are written as they were."""
    assert to_json(Curve("n_estimators", ())) == {"knob": "n_estimators", "points": []}
    assert from_json(Curve, {"knob": "epochs", "points": []}).hyperparameter == "epochs"
    with pytest.raises(ValueError, match="knob"):
        from_json(Curve, {"hyperparameter": "epochs", "points": []})


def test_a_record_of_one_field_is_written_as_its_value() -> None:
    """Without a level of its own."""
    document = to_json(Reading(value=1.0, tags=Names(("a", "b"))))
    assert document["tags"] == ["a", "b"]
    assert from_json(Reading, {"value": 1.0, "tags": ["a", "b"]}).tags == Names(("a", "b"))


def test_keys_of_a_later_version_are_ignored() -> None:
    """An old reader can read a new file."""
    assert from_json(Reading, {"value": 1.0, "invented_later": [1, 2]}) == Reading(value=1.0)


@pytest.mark.parametrize(
    ("document", "said"),
    [({}, "value"), ({"value": "much"}, "value"), ({"value": 1.0, "by_name": {"x": "much"}}, "by_name")],
)
def test_a_missing_or_wrong_field_is_named(document: object, said: str) -> None:
    """So that a damaged file can be mended."""
    with pytest.raises(ValueError, match=said):
        from_json(Reading, document)


@dataclass(frozen=True, kw_only=True, eq=False)
class Numbers:
    """A record with an array."""

    values: JsonArray
    more: JsonArray | None = None


@given(arrays(float, array_shapes(max_dims=2, min_side=0, max_side=5)))
def test_an_array_keeps_its_bits_and_its_shape(values: np.ndarray) -> None:
    """Infinities and NaN too."""
    record = from_json(Numbers, json.loads(json.dumps(to_json(Numbers(values=values)))))
    assert record.values.shape == values.shape
    assert record.values.tobytes() == values.tobytes()
    assert record.more is None


@pytest.mark.parametrize("document", [3, "AAA", {"float64": ""}, {"shape": [2], "float64": "AAA"}])
def test_what_is_no_array_is_refused(document: object) -> None:
    """With a ValueError, as for any other field."""
    with pytest.raises(ValueError):  # noqa: PT011  # the words are those of numpy, base64 or pydantic
        from_json(Numbers, {"values": document})
