"""The configuration of an average."""

from __future__ import annotations

import pytest

from cemai_opt.core.average import AverageConfig
from cemai_opt.core.serialization import from_json, to_json

RIDGE, TREE = {"train": {"model": "ridge"}}, {"train": {"model": "decision_tree"}}
DOCUMENT = {"threshold": 0.2, "parts": [{"weight": 3.0, "config": RIDGE}, {"weight": 1.0, "config": TREE}]}


def test_weights_are_shares() -> None:
    """Whatever a file says, they add up to 1."""
    average = from_json(AverageConfig, DOCUMENT)
    assert average.weights == [0.75, 0.25]
    assert [part.config.model for part in average.parts] == ["ridge", "decision_tree"]
    assert to_json(average) == DOCUMENT


@pytest.mark.parametrize(
    "parts", [[], [{"weight": 0.0, "config": RIDGE}], [{"weight": -1.0, "config": RIDGE}], [{"weight": 1.0}]]
)
def test_a_part_needs_a_weight_and_a_configuration(parts: list[object]) -> None:
    """And there is at least one."""
    with pytest.raises(ValueError, match="parts"):
        from_json(AverageConfig, {"parts": parts})
