"""The base of all stages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

from cemai_opt.core.batch import Batch, Job, Learnt
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.genes import Gene, Value
from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.core.registry import Part

Params = Mapping[str, Value]


@dataclass(frozen=True)
class Reach:
    """How far back a stage looks from a row, inside the row's group."""

    rows: int = 0
    """So many rows before it."""
    start_rows: int = 0
    """So many rows at the start of the group."""
    anew_rows: int = 0
    """So many rows more, for values that are updated from row to row to be rounded alike."""
    last_known: bool = False
    """The last value of each column that is there, however long ago."""


class Stage(Part, ABC):
    """One step of a pipeline. A part writes `_run`, and its place: the slides' ten stages stand at 10, 20, ... 100.

    A stage learns from `batch.learn` rows only, uses no later row and no other group for a row, and never loses rows.
    What it has learnt it keeps in `batch.learnt`; where its entry is there already, it treats the rows by that.
    """

    order: ClassVar[int]
    is_optional: ClassVar[bool] = True
    """May a search space skip this stage?"""
    is_for_new_rows: ClassVar[bool] = True
    """Do rows that a trained model is to predict pass through this stage?"""

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

    @classmethod
    def reach(cls, params: Params) -> Reach:
        """How far back this stage looks: a part of a group that reaches so far gives its last rows the same values."""
        return Reach()

    @classmethod
    def onnx(cls, graph: OnnxGraph, rows: str, params: Params, learnt: Learnt | None) -> str:
        """Adds what this stage does to new rows: `rows` are (t, n) float64 of one group in time order.

        StudyError where a stage, or what `params` ask of it, has no ONNX form.
        """
        raise StudyError(f"stage {cls.__name__} has no ONNX form", "use the native one")

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
