"""The model card of an exported model, in the layout of Hugging Face.

Source of the layout: Mitchell et al. (2019), Model Cards for Model Reporting, FAT*; the metadata are fields of
`huggingface_hub.ModelCardData`, with `co2_eq_emissions` as its documentation describes it. The template of the text
is in the same folder as this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cemai_opt.core.study import ResolvedStudy
from cemai_opt.core.units import readable_grams
from cemai_opt.core.yaml_text import yaml_text
from cemai_opt.deploy.model_document import AverageDocument, ModelDocument, ScorerDocument
from cemai_opt.report.html_report import measuring_facts
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.run_view import RunView

TASKS = {"regression": "tabular-regression", "classification": "tabular-classification"}
MAX_RELATIVE = 100.0
"""A relative error of 10,000 % tells that some target is near zero, and nothing of the model."""
TEMPLATE = Path(__file__).with_name("model_card.md.jinja")


def model_card(view: RunView, member: FrontMember, *, document: ModelDocument) -> str:
    """The card as Markdown."""
    metadata = yaml_text(_metadata(view, member, document=document))
    return f"---\n{metadata}---\n\n{_text(view, member, document=document)}"


def _metadata(view: RunView, member: FrontMember, *, document: ModelDocument) -> dict[str, Any]:
    """The metadata header. Emissions are grams of training this one model; those of the search are in the text."""
    study, test, training = view.study, document.test, document.training
    name = f"{study.name}-{member.model}" + (f"-{member.trial}" if not member.parts else "")
    task = TASKS[study.task]
    metrics = [{"type": metric, "value": value} for metric, value in _told(test.metrics).items()]
    dataset = {"name": _data_name(study), "type": study.name, "split": "test"}
    return {
        "library_name": "cemai-opt",
        "pipeline_tag": task,
        "tags": ["tabular", "green-ai", member.model],
        "metrics": list(_told(test.metrics)),
        "co2_eq_emissions": {
            "emissions": training.carbon_g,
            "source": f"cemai-opt, {training.source}",
            "training_type": "pre-training",
            "geographical_location": _location(study),
            "hardware_used": view.summary.machine.cpu,
        },
        "model-index": [{"name": name, "results": [{"task": {"type": task}, "dataset": dataset, "metrics": metrics}]}],
    }


def _told(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics that mean something: a relative error is infinite in effect if a target is zero."""
    return {name: value for name, value in metrics.items() if not name.startswith("mape") or abs(value) < MAX_RELATIVE}


def _text(view: RunView, member: FrontMember, *, document: ModelDocument) -> str:
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["grams"] = readable_grams
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        study=view.study,
        member=member,
        model=document,
        pipelines=_pipelines(document),
        n_members=len(view.members),
        search_g=view.front.search.carbon_g,
        data_name=_data_name(view.study),
        notes="; ".join(view.summary.notes) or "see the report",
        metrics=sorted(_told(document.test.metrics).items(), key=lambda item: item[0] != document.test.score),
        payback=view.payback_lines,
        facts=measuring_facts(view),
    )


def _pipelines(document: ModelDocument) -> list[ScorerDocument]:
    """The fitted pipeline, or all of an average."""
    scorer = document.scorer
    return [part.scorer for part in scorer.parts] if isinstance(scorer, AverageDocument) else [scorer]


def _data_name(study: ResolvedStudy) -> str:
    return Path(study.data.path).name if study.data.path else f"{study.data.source} data"


def _location(study: ResolvedStudy) -> str:
    return study.carbon.country or study.carbon.cloud or f"unknown ({study.carbon.origin})"
