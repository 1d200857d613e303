"""The model card of an exported model, in the layout of Hugging Face.

Source of the layout: Mitchell et al. (2019), Model Cards for Model Reporting, FAT*; the metadata are those that
`huggingface_hub.ModelCardData` knows, with `co2_eq_emissions` as its documentation describes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cemai_opt.core.spec import StudySpec
from cemai_opt.core.units import readable_grams
from cemai_opt.report.html_report import measuring_facts
from cemai_opt.report.payback import payback_lines
from cemai_opt.report.run_folder import yaml_text
from cemai_opt.report.run_view import Member, RunView

TASKS = {"regression": "tabular-regression", "classification": "tabular-classification"}


def model_card(view: RunView, member: Member, document: Mapping[str, Any]) -> str:
    """The card as Markdown; `document` is the model's sidecar."""
    return f"---\n{yaml_text(_metadata(view, member, document))}---\n\n{_text(view, member, document)}"


def _metadata(view: RunView, member: Member, document: Mapping[str, Any]) -> dict[str, Any]:
    """What machines read. Emissions are grams, of training this one model; those of the search are in the text."""
    study, test, training = view.study, document["test"], document["training"]
    task, name = TASKS[study.task], f"{study.name}-{member['model']}-{member['trial']}"
    metrics = [{"type": metric, "value": value} for metric, value in test["metrics"].items()]
    dataset = {"name": _data_name(study), "type": study.name, "split": "test"}
    return {
        "library_name": "cemai-opt",
        "pipeline_tag": task,
        "tags": ["tabular", "green-ai", member["model"]],
        "metrics": list(test["metrics"]),
        "co2_eq_emissions": {
            "emissions": training["carbon_g"],
            "source": f"cemai-opt, {training['source']}",
            "training_type": "pre-training",
            "geographical_location": _location(study),
            "hardware_used": str(view.summary["machine"]["cpu"]),
        },
        "model-index": [{"name": name, "results": [{"task": {"type": task}, "dataset": dataset, "metrics": metrics}]}],
    }


def _text(view: RunView, member: Member, document: Mapping[str, Any]) -> str:
    study, schema, test = view.study, document["schema"], document["test"]
    classes = f" Classes: {', '.join(document['classes'])}." if document["classes"] else ""
    horizon = f" The target is that of {document['horizon']} rows later." if document["horizon"] else ""
    inputs = "\n".join(
        f"- `{column['name']}`" + (f": one of {', '.join(column['levels'])}" if column["levels"] is not None else "")
        for column in schema["columns"]
    )
    return f"""# {study.name}: {member["model"]} (trial {member["trial"]})

A pipeline that predicts `{schema["target"]}` ({study.task}), found by a search for pipelines that score well and cost
little carbon. It was picked as **{document["picked"]["rule"]}** of {len(view.members)} Pareto-optimal ones.

## Model Details

A pipeline of {len(document["scorer"]["stages"])} stages and a model ({member["model"]}), trained from scratch on
tabular or sensor data by {document["product"]}.{classes}{horizon}

## Uses

Intended: rows of the same kind as the training data, from the same machines under the same conditions, each group of
rows (`{schema["group"] or "no group column"}`) in time order (`{schema["time"] or "the order of the rows"}`).
Out of scope: other machines or conditions without a test on rows from there; decisions about people.

## Bias, Risks, and Limitations

The scores say how well it does on groups of rows like those it was tested on, and on no others.{_caveat(test)}
Words that training has not seen, and values outside the range that it has, are not refused. Grams are those of the
machine and the carbon intensity below.

## How to Get Started with the Model

In this folder:

```
cemai-opt predict . --data new.csv --out predictions.csv
```

Inputs, in this order:

{inputs}

## Training Details

{_data_name(study)}: target `{schema["target"]}`, {"; ".join(view.summary["notes"]) or "see the report"}.
The model was trained on training and validation rows, and tested once on {test["rows"]} rows that neither training nor
search had seen.

## Evaluation

| metric | test | |
|---|---|---|
{_scores(test)}

On validation, which chose it and therefore flatters it: {member["validation"]:.4f}.

## Environmental Impact

| what | gCO2eq |
|---|---|
{_impact(view, member, document)}

{chr(10).join(f"- {line}" for line in payback_lines(view.front))}

How it was measured:

{chr(10).join(f"- {name}: {value}" for name, value in measuring_facts(view))}

## Technical Specifications

Stages: {", ".join(stage["name"] for stage in document["scorer"]["stages"])}, then `{member["model"]}` on windows of
{document["scorer"]["model"]["window"]} rows with {document["scorer"]["model"]["n_features"]} features each. Every
parameter is in `config.yaml`; `model.json` has what the stages have learnt, and checksums of all files.
{_forms(document)}
"""


def _caveat(test: Mapping[str, Any]) -> str:
    caveat = test["interval"]["caveat"] if test["interval"] is not None else ""
    return f" The interval of the score is {caveat}." if caveat else ""


def _scores(test: Mapping[str, Any]) -> str:
    lines = []
    for metric, value in sorted(test["metrics"].items(), key=lambda item: item[0] != test["score"]):
        about = ""
        if metric == test["score"] and test["interval"] is not None:
            interval = test["interval"]
            about = f"95 % interval {interval['low']:.4f} to {interval['high']:.4f}, {interval['n_units']} "
            about += f"{interval['unit']} drawn again" + (f"; {interval['caveat']}" if interval["caveat"] else "")
        lines.append(f"| {metric} | {value:.4f} | {about} |")
    return "\n".join(lines)


def _impact(view: RunView, member: Member, document: Mapping[str, Any]) -> str:
    training, inference = document["training"], member["inference_g_per_1000"]
    rows = [
        ("training this model", " +- ".join(readable_grams(training[key]) for key in ("carbon_g", "uncertainty_g"))),
        ("1,000 predictions", "not measured" if inference is None else readable_grams(inference)),
        ("the search that found it", readable_grams(view.front["search"]["carbon_g"])),
    ]
    return "\n".join(f"| {what} | {grams} |" for what, grams in rows)


def _forms(document: Mapping[str, Any]) -> str:
    onnx = document["onnx"]
    native = f"The native form predicts {document['native']['rows']} test rows as in training, to the last bit."
    if onnx["file"] is None:
        return f"{native} There is no ONNX form: {onnx['why']}."
    parity = onnx["parity"]
    tolerance = parity["tolerance"]
    within = tolerance if isinstance(tolerance, str) else f"within {tolerance:.3g}"
    return f"{native} `{onnx['file']}` predicts {parity['share_alike']:.2%} of them alike ({within})."


def _data_name(study: StudySpec) -> str:
    return Path(study.data.path).name if study.data.path else f"{study.data.source} data"


def _location(study: StudySpec) -> str:
    return study.carbon.country or study.carbon.cloud or f"unknown ({study.carbon.origin})"
