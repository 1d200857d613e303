"""Measures given pipelines several times, without a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from cemai_opt.compose import PreparedStudy
from cemai_opt.core.errors import StudyError
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.plan import Config
from cemai_opt.core.registry import need
from cemai_opt.core.table_spec import WITH_FEATURES, TableSpec
from cemai_opt.models import MODELS
from cemai_opt.runs.measured import MeasuredPipeline
from cemai_opt.session.single_run import final_plan, opened_engine
from cemai_opt.stages import STAGES

WINDOW = "sequentialize.window_rows"
Announce = Callable[[str], None]
Stages = dict[str, dict[str, Value]]


def table_configs(spec: TableSpec, task: str) -> dict[str, Config]:
    """The pipelines of a table, by their labels: each model with all stages, without and with feature
    engineering.

    StudyError if a model is unknown, cannot be used here, or cannot solve the task.
    """
    configs: dict[str, Config] = {}
    optional = [name for name in STAGES.names if STAGES.find(name).is_optional]
    for label, name in spec.models.items():
        model = MODELS.require(name)
        if task not in model.tasks:
            raise StudyError(f"model {name!r} cannot solve a {task}", "leave it out of the table")
        need(*STAGES.find("explain").libraries(name, {"algorithm": spec.explain}))
        plain: Stages = {stage: {} for stage in optional}
        plain |= {"sequentialize": {"window_rows": spec.window_rows}, "train": {"model": name}}
        plain |= {"explain": {"algorithm": spec.explain}}
        n_rows = spec.window_rows if WINDOW in model.design else 1  # else the features hold the past
        with_features = plain | {"featurize": dict(spec.features), "sequentialize": {"window_rows": n_rows}}
        configs |= {label: Config(plain), f"{label}{WITH_FEATURES}": Config(with_features)}
        if spec.few_rows is not None:
            few = with_features | {"combine": {"fraction": spec.few_rows}}
            configs[f"{label}{WITH_FEATURES} {spec.few_rows:.0%}"] = Config(few)
    return configs


def measured_pipelines(
    prepared: PreparedStudy, configs: Mapping[str, Config], *, repeats: int, announce: Announce = lambda text: None
) -> Iterator[tuple[MeasuredPipeline, ...]]:
    """Runs each pipeline `repeats` times, all of them once before any runs again; yields all after each run.

    Nothing else runs meanwhile. A pipeline that fails is not run again.
    """
    pipelines = {label: MeasuredPipeline(label=label, config=config) for label, config in configs.items()}
    with closing(opened_engine(prepared)) as engine:
        for i in range(repeats):
            for label, config in configs.items():
                if pipelines[label].reason:
                    continue
                announce(f"{label}, {i + 1} of {repeats}")
                result = engine.run(final_plan(prepared, config)).result()
                pipelines[label] = pipelines[label].with_result(result)
                if not result.is_complete:
                    announce(f"{label} failed: {result.reason}")
                yield tuple(pipelines.values())
