"""A fitted pipeline without its training rows: what predicts new ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.batch import Batch, FloatArray, IntArray, Job, Learnt, Prediction
from cemai_opt.core.genes import Value
from cemai_opt.core.plan import Config
from cemai_opt.datasets import NewRows
from cemai_opt.models import MODELS, Model
from cemai_opt.pipeline.blocks import blocks
from cemai_opt.stages import STAGES, Reach
from cemai_opt.stages.evaluate import predict

BLOCK_VALUES = 2**21
"""Numbers that one block of rows may become on its way, 16 MB, some of them several times over; a block has at least
`MIN_BLOCK_ROWS` all the same."""
MIN_BLOCK_ROWS = 8192


@dataclass(frozen=True)
class Step:
    """A stage that new rows pass through, with its parameters and with what it has learnt."""

    name: str
    params: Mapping[str, Value]
    learnt: Learnt | None


@dataclass(frozen=True)
class Scorer:
    """Predicts rows as training did: the same cleaning, features, scaling and windows, then the model.

    `inputs` are the names of the numbers in a row; the model sees `n_features` of each of `window` rows.
    """

    job: Job
    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    model: Model
    model_name: str
    window: int
    n_features: int
    target_shift: float
    target_factor: float

    @staticmethod
    def of(batch: Batch, inputs: tuple[str, ...], config: Config, stages: tuple[str, ...]) -> Scorer:
        """The scorer in a batch that has passed all `stages` of a pipeline."""
        assert batch.samples is not None, "only a batch with a fitted model can score"
        steps = []
        for name in stages:
            kind = STAGES.find(name)
            if kind.is_for_new_rows:
                params = kind.checked(name, config.params(name), batch.job.task)
                steps.append(Step(name, params, batch.learnt.get(name)))
        _, window, n_features = batch.samples.X.shape
        shift, factor = batch.target_shift, batch.target_factor
        return Scorer(batch.job, inputs, tuple(steps), batch.model, config.model, window, n_features, shift, factor)

    def predict(self, X: FloatArray, group: IntArray, place: IntArray | None = None) -> Prediction:
        """Predictions of all rows, in the target's own unit.

        `X`: (n_rows, n_inputs), NaN where a value is missing; `group`: (n_rows,), rows of a group contiguous and in
        time order; `place`: (n_rows,) their numbers in their groups, None where groups are there from their start.
        """
        return predict(self.prepared(X, group, place), np.arange(len(X)))

    def prepared(self, X: FloatArray, group: IntArray, place: IntArray | None = None) -> Batch:
        """The rows as the model wants them: what `predict` looks at."""
        nobody, everybody = np.zeros(len(X), bool), np.ones(len(X), bool)
        batch = Batch(
            job=self.job,
            X=X,
            y=np.full(len(X), np.nan),
            group=group,
            learn=nobody,
            judge=everybody,
            names=self.inputs,
            learnt={step.name: step.learnt for step in self.steps if step.learnt is not None},
            place=place,
            target_shift=self.target_shift,
            target_factor=self.target_factor,
            model=self.model,
        )
        for step in self.steps:
            batch = STAGES.find(step.name)().run(batch, step.params)
        return batch

    @property
    def reach(self) -> Reach:
        """How far back the whole pipeline looks from a row."""
        reaches = [STAGES.find(step.name).reach(step.params) for step in self.steps]
        return Reach(
            rows=sum(reach.rows for reach in reaches),
            anew_rows=sum(reach.anew_rows for reach in reaches),
            start_rows=max((reach.start_rows for reach in reaches), default=0),
            last_known=any(reach.last_known for reach in reaches),
        )

    @property
    def block_rows(self) -> int:
        """Rows that are predicted at once."""
        volume = float(len(self.inputs))
        for step in self.steps:
            volume *= max(STAGES.find(step.name).volume(step.params), 1.0)
        return max(int(BLOCK_VALUES / volume), MIN_BLOCK_ROWS)

    def predict_stored(self, rows: NewRows, block_rows: int | None = None) -> Iterator[tuple[IntArray, Prediction]]:
        """Predictions of rows that need not fit into memory: row numbers in the file, with their predictions.

        Each row is predicted once, and as if its whole group were there.
        """
        for block in blocks(rows, self.reach, block_rows or self.block_rows):
            batch = self.prepared(block.X, block.group, block.place)
            yield block.numbers, predict(batch, np.arange(len(block.X) - len(block.numbers), len(block.X)))

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes the model into `folder`; everything else as JSON values."""
        return {
            "job": asdict(self.job),
            "inputs": list(self.inputs),
            "stages": [
                {
                    "name": step.name,
                    "params": dict(step.params),
                    "learnt": None if step.learnt is None else {k: v.tolist() for k, v in step.learnt.items()},
                }
                for step in self.steps
            ],
            "model": {
                "name": self.model_name,
                "params": dict(self.model.params),
                "state": self.model.save(folder),
                "window": self.window,
                "n_features": self.n_features,
            },
            "target": {"shift": self.target_shift, "factor": self.target_factor},
        }

    @staticmethod
    def restored(folder: Path, document: Mapping[str, Any]) -> Scorer:
        """The scorer that `save` wrote: it predicts the same, to the last bit."""
        job, model = Job(**{**document["job"], "device": "cpu"}), document["model"]
        kind = MODELS.require(model["name"])
        steps = (
            Step(
                name=step["name"],
                params=STAGES.require(step["name"]).checked(step["name"], step["params"], job.task),
                learnt=None if step["learnt"] is None else {k: np.asarray(v) for k, v in step["learnt"].items()},
            )
            for step in document["stages"]
        )
        return Scorer(
            job=job,
            inputs=tuple(document["inputs"]),
            steps=tuple(steps),
            model=kind.restored(folder, model["state"], model["params"], job),
            model_name=model["name"],
            window=int(model["window"]),
            n_features=int(model["n_features"]),
            target_shift=float(document["target"]["shift"]),
            target_factor=float(document["target"]["factor"]),
        )
