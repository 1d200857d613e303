"""A fitted pipeline without its training rows, which predicts new rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cemai_opt.core.batch import Batch, FittedState, FloatArray, IntArray, Prediction, TargetScale, Task, split_codes
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.plan import Config
from cemai_opt.datasets import NewRows
from cemai_opt.deploy.blocks import Block, blocks
from cemai_opt.deploy.model_document import FittedModelDocument, ScorerDocument, StageDocument
from cemai_opt.models import MODELS, Model
from cemai_opt.stages import STAGES, Lookback
from cemai_opt.stages.evaluate import predict

BLOCK_VALUES = 2**21
"""Values that one block of rows may expand to in the pipeline, 16 MB, and several copies of some of them; a block has
at least `MIN_BLOCK_ROWS` in any case."""
MIN_BLOCK_ROWS = 8192


@dataclass(frozen=True)
class FittedStage:
    """A stage that new rows pass through, with its parameters and its fitted state."""

    name: str
    params: Mapping[str, Value]
    state: FittedState | None


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """Predicts rows as in training: the same cleaning, features, scaling and windows, then the model.

    `inputs` are the names of the values in a row; the input of the model is `window` rows of `n_features` each.
    """

    task: Task
    inputs: tuple[str, ...]
    steps: tuple[FittedStage, ...]
    model: Model
    model_name: str
    window: int
    n_features: int
    target: TargetScale

    @staticmethod
    def of(batch: Batch, inputs: tuple[str, ...], *, config: Config, stages: tuple[str, ...]) -> Scorer:
        """The scorer of a batch that has passed all `stages` of a pipeline."""
        assert batch.samples is not None, "only a batch with a fitted model can score"
        steps = []
        for name in stages:
            kind = STAGES.find(name)
            if kind.is_for_new_rows:
                params = kind.checked(name, config.params(name), task=batch.task.kind)
                steps.append(FittedStage(name, params, state=batch.fitted_states.get(name)))
        _, window, n_features = batch.samples.X.shape
        return Scorer(
            task=batch.task,
            inputs=inputs,
            steps=tuple(steps),
            model=batch.model,
            model_name=config.model,
            window=window,
            n_features=n_features,
            target=batch.target,
        )

    def predict(self, X: FloatArray, group: IntArray, *, place: IntArray | None = None) -> Prediction:
        """Predictions of all rows, in the target's own unit.

        `X`: (n_rows, n_inputs), NaN where a value is missing; `group`: (n_rows,), rows of a group contiguous and in
        time order; `place`: (n_rows,) their positions in their groups, None if the groups are complete from the start.
        """
        return predict(self.prepared(X, group, place=place), np.arange(len(X)))

    def prepared(self, X: FloatArray, group: IntArray, *, place: IntArray | None = None) -> Batch:
        """The rows prepared as input of the model."""
        nobody, everybody = np.zeros(len(X), bool), np.ones(len(X), bool)
        X, codes = split_codes(X, len(self.task.n_levels))
        batch = Batch(
            task=self.task,
            X=X,
            y=np.full(len(X), np.nan),
            group=group,
            is_train=nobody,
            is_eval=everybody,
            names=self.inputs[: X.shape[1]],
            codes=codes,
            code_names=self.inputs[X.shape[1] :],
            fitted_states={step.name: step.state for step in self.steps if step.state is not None},
            place=place,
            target_shift=self.target.shift,
            target_factor=self.target.factor,
            target_low=self.target.low,
            target_high=self.target.high,
            model=self.model,
        )
        for step in self.steps:
            batch = STAGES.find(step.name)().run(batch, step.params)
        return batch

    @property
    def libraries(self) -> frozenset[str]:
        """Libraries that the model needs."""
        return frozenset(type(self.model).requires)

    @property
    def lookback(self) -> Lookback:
        """How far back the whole pipeline looks from a row."""
        reaches = [STAGES.find(step.name).lookback(step.params) for step in self.steps]
        return Lookback(
            rows=sum(lookback.rows for lookback in reaches),
            restart_rows=sum(lookback.restart_rows for lookback in reaches),
            start_rows=max((lookback.start_rows for lookback in reaches), default=0),
            last_known=any(lookback.last_known for lookback in reaches),
        )

    @property
    def block_rows(self) -> int:
        """Number of rows that are predicted at once."""
        volume = float(len(self.inputs))
        for step in self.steps:
            volume *= max(STAGES.find(step.name).volume(step.params), 1.0)
        return max(int(BLOCK_VALUES / volume), MIN_BLOCK_ROWS)

    def predict_stored(self, rows: NewRows, block_rows: int | None = None) -> Iterator[tuple[IntArray, Prediction]]:
        """Predictions for rows that may not fit into memory: row numbers in the file, with their predictions.

        Each row is predicted once, with the same result as for its whole group at once.
        """
        for block in blocks(rows, self.lookback, block_rows=block_rows or self.block_rows):
            yield block.numbers, self.predict_block(block)

    def predict_block(self, block: Block) -> Prediction:
        """Predictions for the wanted rows of a block, which are its last ones."""
        batch = self.prepared(block.X, block.group, place=block.place)
        return predict(batch, np.arange(len(block.X) - len(block.numbers), len(block.X)))

    def save(self, folder: Path) -> ScorerDocument:
        """Writes the model into `folder`; returns everything else as a document."""
        return ScorerDocument(
            task=self.task,
            inputs=self.inputs,
            stages=tuple(
                StageDocument(
                    name=step.name,
                    params=dict(step.params),
                    state=None if step.state is None else {name: v.tolist() for name, v in step.state.items()},
                )
                for step in self.steps
            ),
            model=FittedModelDocument(
                name=self.model_name,
                params=dict(self.model.params),
                state=self.model.save(folder),
                window=self.window,
                n_features=self.n_features,
            ),
            target=self.target,
        )

    @staticmethod
    def restored(folder: Path, document: ScorerDocument) -> Scorer:
        """The scorer that `save` wrote, with bitwise equal predictions."""
        task, model = replace(document.task, device="cpu"), document.model
        kind = MODELS.require(model.name)
        steps = (
            FittedStage(
                stage.name,
                STAGES.require(stage.name).checked(stage.name, stage.params, task=task.kind),
                state=None if stage.state is None else {name: np.asarray(v) for name, v in stage.state.items()},
            )
            for stage in document.stages
        )
        return Scorer(
            task=task,
            inputs=document.inputs,
            steps=tuple(steps),
            model=kind.restored(folder, model.state, params=model.params, task=task),
            model_name=model.name,
            window=model.window,
            n_features=model.n_features,
            target=document.target,
        )
