"""The stages in their order, run inside meter windows."""

from cemai_opt.pipeline.build import build_pipeline, read_data
from cemai_opt.pipeline.onnx_scorer import OnnxScorer, scoring_graph
from cemai_opt.pipeline.recorder import Recorder
from cemai_opt.pipeline.run import Pipeline, job_of, stage_order
from cemai_opt.pipeline.scorer import Scorer
from cemai_opt.pipeline.splits import Fold, Splits, resolve_split

__all__ = [
    "Fold",
    "OnnxScorer",
    "Pipeline",
    "Recorder",
    "Scorer",
    "Splits",
    "build_pipeline",
    "job_of",
    "read_data",
    "resolve_split",
    "scoring_graph",
    "stage_order",
]
