"""The search space: all hyperparameters of the chosen stages and models, with their conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import Field

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.hyperparameters import Hyperparameter, Value
from cemai_opt.core.plan import Config

MODEL = "train.model"
"""Full name of the hyperparameter that chooses the model; every model's own hyperparameters depend on it."""

Params = Mapping[str, Value]
"""Values by full name of their hyperparameter: `featurize.window_rows`, `xgboost.max_depth`."""


@dataclass(frozen=True)
class SearchSpace:
    """Hyperparameters by full name (`stage.name` or `model.name`), each after those in its condition.

    `pins[model][name]` is the value to which a model fixes a stage's hyperparameter, because no other makes sense for
    it (trees need no scaling). `stages` are the stages that run, in order.
    """

    hyperparameters: Mapping[str, Hyperparameter]
    stages: tuple[str, ...]
    pins: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models in this space."""
        return tuple(str(name) for name in self.hyperparameters[MODEL].choices)

    @cached_property
    def of_model(self) -> Mapping[str, Mapping[str, Hyperparameter]]:
        """By model, what can be active with it: hyperparameters after those in their conditions, the model first."""
        found: dict[str, dict[str, Hyperparameter]] = {}
        for model in self.models:
            own = found[model] = {MODEL: self.hyperparameters[MODEL]}
            for name, hyperparameter in self.hyperparameters.items():
                parent, values = hyperparameter.when or (MODEL, (model,))
                is_possible = (
                    model in values if parent == MODEL else parent in own or parent not in self.hyperparameters
                )
                if is_possible and name not in self.pins.get(model, {}):
                    own[name] = hyperparameter
        return found

    @cached_property
    def _places(self) -> tuple[Mapping[str, int], int]:
        """Where each searched hyperparameter begins in a vector, and how many numbers a vector has."""
        places, n_numbers = dict[str, int](), 0
        for name, hyperparameter in self.hyperparameters.items():
            if hyperparameter.searched:
                places[name] = n_numbers
                n_numbers += len(hyperparameter.unit_values(None))
        return places, n_numbers

    def is_active(self, name: str, params: Params) -> bool:
        """Whether the hyperparameter has an effect, given those before it."""
        if name in self.pins.get(str(params.get(MODEL, "")), {}):
            return False
        condition = self.hyperparameters[name].when
        if condition is None:
            return True
        parent, values = condition
        return params.get(parent) in values and (parent not in self.hyperparameters or self.is_active(parent, params))

    def is_open(self, name: str, params: Params) -> bool:
        """Whether the hyperparameter is active and searched."""
        return self.hyperparameters[name].searched and self.is_active(name, params)

    def complete(self, params: Params) -> dict[str, Value]:
        """All active hyperparameters, with defaults for those that `params` does not give."""
        chosen = self.hyperparameters[MODEL]
        full: dict[str, Value] = {MODEL: chosen.check(params.get(MODEL, chosen.default))}
        for name, hyperparameter in self.of_model[str(full[MODEL])].items():
            if hyperparameter.follows(full):
                full[name] = hyperparameter.check(params.get(name, hyperparameter.default))
        return full

    def active(self, params: Params) -> Config:
        """The configuration of `params`, without inactive hyperparameters."""
        full = self.complete(params)
        model = str(full[MODEL])
        stages: dict[str, dict[str, Value]] = {stage: {} for stage in self.stages}
        for full_name, value in {**full, **self.pins.get(model, {})}.items():
            owner, name = full_name.split(".", 1)
            stage = "train" if owner == model else owner
            if stage in stages:
                stages[stage][name] = value
        return Config(stages)

    def params_of(self, config: Config) -> dict[str, Value]:
        """The inverse of `active`: the values that give this configuration."""
        params: dict[str, Value] = {}
        for stage, stage_params in config.stages.items():
            for name, value in stage_params.items():
                own = f"{config.model}.{name}"
                full_name = own if stage == "train" and own in self.hyperparameters else f"{stage}.{name}"
                if full_name in self.hyperparameters and full_name not in self.pins.get(config.model, {}):
                    params[full_name] = value
        return params

    def vector(self, params: Params) -> list[float]:
        """Every searched hyperparameter as numbers from 0 to 1, one per choice; 0 if it is not active."""
        places, n_numbers = self._places
        numbers = [0.0] * n_numbers
        for name, value in params.items():
            if name in places:
                own = self.hyperparameters[name].unit_values(value)
                numbers[places[name] : places[name] + len(own)] = own
        return numbers

    def within(self, locked: LockedSpace) -> SearchSpace:
        """This space without what `locked` lacks: models, hyperparameters, values. StudyError if it has others."""
        missing = sorted(set(locked.models) - set(self.models))
        if missing:
            raise StudyError(f"model {missing[0]!r} is not in the search space any more", "restore it")
        models = tuple(model for model in self.models if model in locked.models)
        kept = {}
        for name, hyperparameter in self.hyperparameters.items():
            known = locked.hyperparameters.get(name)
            if known is None:
                if name.split(".")[0] in self.models and name.split(".")[0] not in models:
                    continue
                kept[name] = replace(hyperparameter, searched=False)
            else:
                narrowed = hyperparameter.narrowed(_narrowing(known))
                kept[name] = replace(narrowed, default=narrowed.check(known["default"]), searched=known["searched"])
        for name, known in locked.hyperparameters.items():
            if name not in kept and known["searched"]:
                raise StudyError(f"hyperparameter {name!r} is not in the search space any more", "restore it")
        return replace(self, hyperparameters=kept, pins={model: self.pins.get(model, {}) for model in models})

    def locked(self, data_digest: str) -> LockedSpace:
        """The search space as stored with a run, with the fingerprint of the data."""
        described = {name: _described(hyperparameter) for name, hyperparameter in self.hyperparameters.items()}
        return LockedSpace(models=self.models, stages=self.stages, hyperparameters=described, data_digest=data_digest)


@dataclass(frozen=True, kw_only=True)
class LockedSpace:
    """The contents of `space.lock.yaml`: a run can only be resumed with the same space and the same data."""

    models: tuple[str, ...]
    stages: tuple[str, ...]
    hyperparameters: Annotated[Mapping[str, Mapping[str, Any]], Field(alias="genes")]
    """Range or choices, default, unit and condition by full name."""
    data_digest: str


def _narrowing(described: Mapping[str, Any]) -> object:
    """The choices or the range in the description of a hyperparameter, as in a search space file."""
    return described["choices"] if "choices" in described else {key: described[key] for key in ("low", "high")}


def _described(hyperparameter: Hyperparameter) -> dict[str, Any]:
    document: dict[str, Any] = {"default": hyperparameter.default, "searched": hyperparameter.searched}
    if hyperparameter.choices:
        document["choices"] = list(hyperparameter.choices)
    else:
        document |= {"low": hyperparameter.low, "high": hyperparameter.high}
        document |= {"integer": hyperparameter.is_integer, "log": hyperparameter.log}
    if hyperparameter.unit:
        document["unit"] = hyperparameter.unit
    if hyperparameter.when:
        document["when"] = {hyperparameter.when[0]: list(hyperparameter.when[1])}
    return document


OLD_KEYS = {"genes": "hyperparameters"}
"""Keys of version 0.1.0 and their present names; both are accepted."""


@dataclass(frozen=True)
class SearchSpaceSpec:
    """A search space file: models and stages to use, and narrower ranges of their hyperparameters."""

    models: tuple[str, ...] | None = None
    skip_stages: tuple[str, ...] = ()
    hyperparameters: Mapping[str, object] = field(default_factory=dict)

    KEYS: ClassVar = ("description", "models", "skip_stages", "hyperparameters")

    @staticmethod
    def parse(document: object, where: str) -> SearchSpaceSpec:
        """The search space in a parsed YAML document. StudyError with a suggestion for an unknown key."""
        if document is None:
            return SearchSpaceSpec()
        if not isinstance(document, Mapping):
            raise StudyError(f"{where}: a search space is a mapping of keys to values", f"keys: {SearchSpaceSpec.KEYS}")
        given = {OLD_KEYS.get(key, key): value for key, value in document.items()}
        for key in given:
            if key not in SearchSpaceSpec.KEYS:
                raise StudyError(f"{where}: unknown key {str(key)!r}", nearest(str(key), SearchSpaceSpec.KEYS))
        models, hyperparameters = given.get("models"), given.get("hyperparameters") or {}
        skipped = given.get("skip_stages") or ()
        for key, value in (("models", models), ("skip_stages", skipped)):
            if value is not None and not (
                isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)
            ):
                raise StudyError(f"{where}: {key} is not a list of names", f"write {key}: [a, b]")
        if not isinstance(hyperparameters, Mapping):
            raise StudyError(
                f"{where}: hyperparameters is not a mapping",
                "write hyperparameters: {scale.input: [standard, none]}",
            )
        return SearchSpaceSpec(tuple(models) if models is not None else None, tuple(skipped), hyperparameters)

    def applied(
        self, hyperparameters: Mapping[str, Hyperparameter], where: str, *, longest_window: int = 0
    ) -> dict[str, Hyperparameter]:
        """All hyperparameters, narrowed as in this file. StudyError for one that does not exist.

        `longest_window`: rows up to which windows are searched that this file does not mention.
        """
        for name in self.hyperparameters:
            if name not in hyperparameters:
                raise StudyError(f"{where}: there is no hyperparameter {name!r}", nearest(str(name), hyperparameters))
        try:
            return {
                name: known.narrowed(self.hyperparameters[name])
                if name in self.hyperparameters
                else known.up_to(longest_window)
                for name, known in hyperparameters.items()
            }
        except StudyError as error:
            raise StudyError(f"{where}: {error.message}", error.hint) from error
