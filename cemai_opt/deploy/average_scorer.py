"""Several fitted pipelines whose predictions are averaged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from cemai_opt.core.batch import FloatArray, IntArray, Prediction, Task
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import NewRows
from cemai_opt.deploy.blocks import blocks
from cemai_opt.deploy.model_document import AverageDocument, PartDocument, ScorerDocument
from cemai_opt.deploy.scorer import Scorer
from cemai_opt.stages import Lookback
from cemai_opt.stages.evaluate import averaged


@dataclass(frozen=True)
class WeightedScorer:
    """A fitted pipeline of an average, with its weight and the trial that it comes from."""

    scorer: Scorer
    weight: float
    trial: int


@dataclass(frozen=True, kw_only=True)
class AverageScorer:
    """Predicts the weighted mean of what its parts predict. `task` is that of a part, with the average's threshold."""

    task: Task
    parts: tuple[WeightedScorer, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the values in a row."""
        return self.parts[0].scorer.inputs

    @property
    def libraries(self) -> frozenset[str]:
        """Libraries that its models need."""
        return frozenset().union(*(part.scorer.libraries for part in self.parts))

    @property
    def window(self) -> int:
        """Rows in the longest window of its models."""
        return max(part.scorer.window for part in self.parts)

    @property
    def lookback(self) -> Lookback:
        """How far back its parts look from a row."""
        reaches = [part.scorer.lookback for part in self.parts]
        return Lookback(
            rows=max(reach.rows for reach in reaches),
            restart_rows=max(reach.restart_rows for reach in reaches),
            start_rows=max(reach.start_rows for reach in reaches),
            last_known=any(reach.last_known for reach in reaches),
        )

    def predict(self, X: FloatArray, group: IntArray, *, place: IntArray | None = None) -> Prediction:
        """Predictions of all rows, as by `Scorer.predict`."""
        return self._averaged([part.scorer.predict(X, group, place=place) for part in self.parts])

    def predict_stored(self, rows: NewRows, block_rows: int | None = None) -> Iterator[tuple[IntArray, Prediction]]:
        """Predictions for rows that may not fit into memory, as by `Scorer.predict_stored`."""
        fewest = min(part.scorer.block_rows for part in self.parts)
        for block in blocks(rows, self.lookback, block_rows=block_rows or fewest):
            yield block.numbers, self._averaged([part.scorer.predict_block(block) for part in self.parts])

    def save(self, folder: Path) -> AverageDocument:
        """Writes each model into a folder of its own inside `folder`; returns everything else as a document."""
        parts = []
        for i, part in enumerate(self.parts):
            name = f"part-{i}"
            (folder / name).mkdir()
            saved = part.scorer.save(folder / name)
            parts.append(PartDocument(trial=part.trial, weight=part.weight, folder=name, scorer=saved))
        return AverageDocument(task=self.task, inputs=self.inputs, parts=tuple(parts))

    def _averaged(self, predictions: list[Prediction]) -> Prediction:
        return averaged(predictions, [part.weight for part in self.parts], task=self.task)


AnyScorer = Scorer | AverageScorer
"""What predicts rows: one fitted pipeline, or several."""


def average_scorer(parts: Sequence[WeightedScorer], threshold: float | None) -> AverageScorer:
    """The average of fitted pipelines with a decision threshold of its own, or none."""
    return AverageScorer(task=replace(parts[0].scorer.task, threshold=threshold), parts=tuple(parts))


def restored_scorer(folder: Path, document: ScorerDocument | AverageDocument) -> AnyScorer:
    """The scorer that `save` wrote, with bitwise equal predictions. StudyError if a part is not inside the folder."""
    if isinstance(document, ScorerDocument):
        return Scorer.restored(folder, document)
    for part in document.parts:
        if PurePosixPath(part.folder).name != part.folder or part.folder == "..":
            raise StudyError(f"{part.folder} is not a folder inside {folder}", "export the model again")
    parts = tuple(
        WeightedScorer(Scorer.restored(folder / part.folder, part.scorer), part.weight, trial=part.trial)
        for part in document.parts
    )
    return AverageScorer(task=document.task, parts=parts)
