"""Fits the model."""

from __future__ import annotations

from dataclasses import replace

from cemai_opt.core.batch import Batch, Task
from cemai_opt.core.errors import StudyError
from cemai_opt.core.hyperparameters import Hyperparameter, choice
from cemai_opt.models import ENCODINGS, MODELS
from cemai_opt.stages._stage import Params, Stage


class Train(Stage):
    """Fits the model given by the parameter `model`; its hyperparameters are parameters of this stage as well."""

    order = 80
    is_optional = False
    is_for_new_rows = False

    @classmethod
    def hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        """The model: all whose libraries are installed, cheapest first. `encoding`: of categories, where a model does
        not know them."""
        names = sorted(MODELS.available(), key=lambda name: (MODELS.find(name).cost_rank, name))
        return (choice("model", names, default=names[0]), choice("encoding", ENCODINGS, default="target"))

    @classmethod
    def accepted(cls, params: Params, task: str) -> tuple[Hyperparameter, ...]:
        """The model's name, then that model's hyperparameters."""
        model, encoding = cls.hyperparameters()
        name = str(params.get("model", model.default))
        kind = MODELS.require(name)
        if task not in kind.tasks:
            raise StudyError(f"model {name!r} cannot solve a {task}", "choose another model")
        return (model, *kind.hyperparameters(task), encoding)

    def prepare(self, params: Params, task: Task) -> None:
        """Loads the model's libraries."""
        MODELS.require(str(params["model"])).load(task)

    def _run(self, batch: Batch, params: Params) -> Batch:
        assert batch.samples is not None, "train runs after combine"
        encoding = str(params["encoding"])
        hyperparameters = {name: value for name, value in params.items() if name not in ("model", "encoding")}
        model = MODELS.find(str(params["model"]))(hyperparameters, batch.task)
        trained, on_checkpoint = replace(batch, model=model), self.on_checkpoint
        shown = None if on_checkpoint is None else lambda size: on_checkpoint(trained, size)
        model.fit(batch.samples, shown, encoding=encoding)
        return trained
