"""The card of an exported model."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
import yaml

from cemai_opt.deploy.export import Exported
from cemai_opt.deploy.model_card import model_card
from cemai_opt.runs import RunFolder
from cemai_opt.runs.run_view import RunView
from tests.finished import finished_run

OTHER_KEYS = ("co2_eq_emissions", "model-index")
"""Keys of a card's metadata that their documentation describes, and their class takes as any other."""


def test_the_card_is_one_of_hugging_face(ridge: Exported) -> None:
    """Their own classes read its metadata, emissions and scores; the text has their sections."""
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard((ridge.folder / "MODEL_CARD.md").read_text())
    emissions = card.data.to_dict()["co2_eq_emissions"]
    assert emissions["emissions"] == ridge.document.training.carbon_g > 0
    assert set(emissions) == {"emissions", "source", "training_type", "geographical_location", "hardware_used"}
    by_metric = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert by_metric["r2"] == ridge.document.test.value
    assert card.data.pipeline_tag == "tabular-regression"
    assert not card.data.to_dict().keys() - {*inspect.signature(hub.ModelCardData).parameters, *OTHER_KEYS}
    sections = ("Model Details", "Uses", "Bias, Risks, and Limitations", "How to Get Started with the Model")
    for section in (*sections, "Training Details", "Evaluation", "Environmental Impact", "Technical Specifications"):
        assert f"\n## {section}\n" in card.text
    assert "95 % interval" in card.text
    assert "the search that found it" in card.text


def test_the_card_has_the_measured_numbers(ridge: Exported) -> None:
    """Emissions of training in the metadata, scores and the tasks in the index; and none of the template's marks."""
    view = RunView.of(RunFolder(finished_run("regression").path))
    member, document = view.members[0], ridge.document
    document = replace(document, training=replace(document.training, carbon_g=0.125, source="a meter"))
    card = model_card(view, member, document=document)
    header = yaml.safe_load(card.split("---\n")[1])
    assert header["co2_eq_emissions"]["emissions"] == 0.125
    assert header["co2_eq_emissions"]["source"] == "cemai-opt, a meter"
    (index,) = header["model-index"]
    assert index["name"] == f"{view.study.name}-{member.model}-{member.trial}"
    metrics = {metric["type"]: metric["value"] for metric in index["results"][0]["metrics"]}
    assert metrics == dict(document.test.metrics)
    assert not any(mark in card for mark in ("{{", "{%", "None"))
