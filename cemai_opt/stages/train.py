"""Fits the model."""

from __future__ import annotations

from dataclasses import replace

from cemai_opt.core.batch import Batch, Job
from cemai_opt.core.genes import Gene, choice
from cemai_opt.models import MODELS
from cemai_opt.stages._stage import Params, Stage


class Train(Stage):
    """Fits the model that the parameter `model` names, with that model's own hyperparameters beside it."""

    order = 80
    is_optional = False
    is_for_new_rows = False

    @classmethod
    def genes(cls) -> tuple[Gene, ...]:
        """Which model: all whose libraries are installed, cheapest first."""
        names = sorted(MODELS.available(), key=lambda name: (MODELS.find(name).cost_rank, name))
        return (choice("model", names, names[0]),)

    @classmethod
    def knobs(cls, params: Params, task: str) -> tuple[Gene, ...]:
        """The model's name, then that model's hyperparameters."""
        (model,) = cls.genes()
        return (model, *MODELS.require(str(params.get("model", model.default))).genes(task))

    def prepare(self, params: Params, job: Job) -> None:
        """Loads the model's libraries."""
        MODELS.require(str(params["model"])).load(job)

    def _run(self, batch: Batch, params: Params) -> Batch:
        assert batch.samples is not None, "train runs after combine"
        hyperparameters = {name: value for name, value in params.items() if name != "model"}
        model = MODELS.find(str(params["model"]))(hyperparameters, batch.job)
        trained, watch = replace(batch, model=model), batch.watch
        model.fit(batch.samples, None if watch is None else lambda size: watch(trained, size))
        return trained
