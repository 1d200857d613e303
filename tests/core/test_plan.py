"""What an engine is told to run."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.plan import DIGEST_DIGITS, Config, TrialPlan
from cemai_opt.core.pruning_bounds import PruningBounds
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.testing.searches import study_of

values = st.booleans() | st.integers(-5, 5) | st.floats(-5.0, 5.0) | st.text(max_size=5)
parameters = st.dictionaries(st.text("abc", min_size=1, max_size=3), values, max_size=4)
configs = st.dictionaries(st.sampled_from(["clean", "scale", "train"]), parameters).map(Config)


def plan_of(config: Config) -> TrialPlan:
    """A plan with something in every field."""
    bounds = PruningBounds(spend_j=2.0)
    return TrialPlan(
        trial=3,
        study=study_of(),
        config=config,
        phase="search",
        stages=("clean", "train"),
        folds=5,
        bounds=bounds,
        cache="run/cache",
    )


@given(configs)
def test_a_plan_reaches_a_worker_as_it_was_sent(config: Config) -> None:
    """By way of JSON text, whole and real numbers and truths told apart."""
    back = from_json(TrialPlan, json.loads(json.dumps(to_json(plan_of(config)))))
    assert back == plan_of(config)
    assert repr(back.config.mapping()) == repr(config.mapping())
    assert back.config.digest == config.digest


@given(configs)
def test_a_digest_knows_values_and_no_order(config: Config) -> None:
    """Two configurations with one digest run the same pipeline."""
    backwards = {stage: dict(reversed(params.items())) for stage, params in reversed(config.mapping().items())}
    assert Config(backwards).digest == config.digest
    assert len(config.digest) == DIGEST_DIGITS
    assert Config({**config.stages, "train": {"model": "another one"}}).digest != config.digest


@given(configs)
def test_every_parameter_has_one_full_name(config: Config) -> None:
    """None is lost."""
    flat = config.flat()
    assert len(flat) == sum(len(params) for params in config.stages.values())
    for stage, params in config.stages.items():
        assert all(flat[f"{stage}.{name}"] is value for name, value in params.items())


def test_a_stage_without_parameters_runs_with_its_defaults() -> None:
    """And a configuration knows its model."""
    config = Config({"train": {"model": "ridge", "alpha": 1.0}})
    assert config.params("scale") == {}
    assert config.model == "ridge"


def test_a_copy_of_a_configuration_is_a_copy() -> None:
    """Changing it changes no trial."""
    config = Config({"train": {"model": "ridge"}})
    config.mapping()["train"]["model"] = "xgboost"
    assert config.model == "ridge"
