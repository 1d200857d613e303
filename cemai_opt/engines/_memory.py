"""The memory that is free for trials on this machine, or in this control group."""

from __future__ import annotations

from cemai_opt.core.free_memory import free_bytes
from cemai_opt.core.study import EngineSpec

MOST_OF_FREE = 0.9
"""Share of the free memory that all trials together may use by default."""
BYTES_PER_MB = 10**6


def trial_bytes(spec: EngineSpec, slots: int) -> int:
    """Bytes that one of `slots` trials may use: as given in the study, or its share of the memory that is free now."""
    if spec.trial_memory_mb is not None:
        return spec.trial_memory_mb * BYTES_PER_MB
    return int(MOST_OF_FREE * free_bytes() / slots)
