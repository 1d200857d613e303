"""The steps of a pipeline: one stage a file, run in the order of their `order`."""

from cemai_opt.core.registry import Registry
from cemai_opt.stages._stage import Params, Reach, Stage

STAGES: Registry[Stage] = Registry("stage", __name__, Stage)

__all__ = ["STAGES", "Params", "Reach", "Stage"]
