"""The base of all stages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, final

from cemai_opt.core.batch import Batch, Job
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.genes import Gene, Value
from cemai_opt.core.registry import Part

Params = Mapping[str, Value]


class Stage(Part, ABC):
    """One step of a pipeline. A part writes `_run`, and its place: the slides' ten stages stand at 10, 20, ... 100.

    A stage learns from `batch.learn` rows only, uses no later row and no other group for a row, and never loses rows.
    """

    order: ClassVar[int]
    is_optional: ClassVar[bool] = True
    """May a search space skip this stage?"""

    @classmethod
    def genes(cls) -> tuple[Gene, ...]:
        """Knobs of this stage."""
        return ()

    @classmethod
    def knobs(cls, params: Params, task: str) -> tuple[Gene, ...]:
        """Every knob that may stand in `params`; those of `genes` unless a part hangs others on one of them."""
        return cls.genes()

    @classmethod
    @final
    def checked(cls, name: str, params: Params, task: str) -> dict[str, Value]:
        """`params` with defaults filled in. StudyError names an unknown knob, or a value outside its range."""
        known = {gene.name: gene for gene in cls.knobs(params, task)}
        for knob in params:
            if knob not in known:
                raise StudyError(f"stage {name!r} has no knob {knob!r}", nearest(knob, known))
        try:
            return {knob: gene.check(params.get(knob, gene.default)) for knob, gene in known.items()}
        except StudyError as error:
            raise StudyError(f"stage {name!r}: {error.message}", error.hint) from error

    @classmethod
    def volume(cls, params: Params) -> float:
        """By how much the number of values to learn from grows here, as far as `params` say; no row has to be read."""
        return 1.0

    def prepare(self, params: Params, job: Job) -> None:
        """Imports what `run` will need; called before any measurement begins."""
        return

    @final
    def run(self, batch: Batch, params: Params) -> Batch:
        """The batch after this stage; `params` come from `checked`."""
        return self._run(batch, params)

    @abstractmethod
    def _run(self, batch: Batch, params: Params) -> Batch:
        """The batch after this stage."""
