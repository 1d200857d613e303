"""The stages of a pipeline: one per file, run in ascending `order`."""

from cemai_opt.core.registry import Registry
from cemai_opt.stages._stage import Lookback, Params, Stage

STAGES: Registry[Stage] = Registry("stage", __name__, base=Stage)

__all__ = ["STAGES", "Lookback", "Params", "Stage"]
