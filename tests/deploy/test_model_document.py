"""The contents of `model.json`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.deploy.export import Exported
from cemai_opt.deploy.model_document import ModelDocument, OnnxParity


def test_a_document_travels_as_json(ridge: Exported) -> None:
    """What comes back is what was written, to the last digit of its weights."""
    text = json.dumps(to_json(ridge.document), allow_nan=False)
    assert from_json(ModelDocument, json.loads(text)) == ridge.document


def test_its_keys_are_those_of_the_first_version(ridge: Exported) -> None:
    """docs/formats.md promises them: the task, a stage's fitted state and the target's scale among them."""
    document = to_json(ridge.document)
    assert document["task"] == "regression"
    assert {"job", "inputs", "stages", "model", "target"} == set(document["scorer"])
    assert all(set(stage) == {"name", "params", "learnt"} for stage in document["scorer"]["stages"])
    assert set(document["scorer"]["target"]) == {"shift", "factor", "low", "high"}


def test_an_incomplete_document_is_an_error(ridge: Exported) -> None:
    """Not a document with gaps."""
    document = to_json(ridge.document)
    del document["scorer"]["target"]
    with pytest.raises(ValueError, match="target"):
        from_json(ModelDocument, document)


def test_a_target_without_the_newer_keys_is_no_logarithm(ridge: Exported) -> None:
    """As version 0.1.0 wrote it."""
    document = to_json(ridge.document)
    del document["scorer"]["target"]["low"], document["scorer"]["target"]["high"]
    assert from_json(ModelDocument, document) == ridge.document


def test_a_tolerance_is_said_in_words() -> None:
    """A number as a distance, classes as they are."""
    parity = OnnxParity(rows=3, tolerance=0.00123456, share_alike=1.0)
    assert parity.tolerance_text == "within 0.00123"
    assert replace(parity, tolerance="the same class").tolerance_text == "the same class"
