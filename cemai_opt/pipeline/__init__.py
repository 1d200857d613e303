"""Runs the stages of a pipeline in order and measures each of them."""

from cemai_opt.pipeline.build import build_pipeline, read_data
from cemai_opt.pipeline.dummy import dummy_score
from cemai_opt.pipeline.recorder import Recorder
from cemai_opt.pipeline.run import Pipeline, stage_order, task_of
from cemai_opt.pipeline.splits import Fold, Splits, hides_extrapolation, resolve_split

__all__ = [
    "Fold",
    "Pipeline",
    "Recorder",
    "Splits",
    "build_pipeline",
    "dummy_score",
    "hides_extrapolation",
    "read_data",
    "resolve_split",
    "stage_order",
    "task_of",
]
