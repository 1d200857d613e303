"""The stages before training as one trial finds and leaves them in the cache."""

from __future__ import annotations

import hashlib
import importlib.metadata
import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np

from cemai_opt.core.batch import Batch
from cemai_opt.core.genes import Value
from cemai_opt.core.measurement import OVERHEAD, Measurement
from cemai_opt.pipeline.cache import StageCache, stage_key
from cemai_opt.pipeline.recorder import CACHE, Recorder
from cemai_opt.stages import Stage

LIBRARIES = ("numpy", "pandas", "scikit-learn")
"""Libraries whose versions decide what a stage makes."""


class SharedStages:
    """Looks results up before the stages run, and offers new ones; all of it is spent, and charged to no stage."""

    def __init__(self, cache: StageCache, data_digest: str, before: Batch, recorder: Recorder) -> None:
        self._cache, self._before, self._recorder = cache, before, recorder
        with recorder.aside(CACHE):
            self._parts: list[object] = [data_digest, _versions(), asdict(before.job), _rows_digest(before)]
            self._keys: list[str] = []
        self._known: dict[str, Measurement] = {}
        self._gain_s = 0.0

    def add(self, name: str, stage: Stage, params: Mapping[str, Value]) -> None:
        """Names the next stage in line."""
        self._parts.append([name, dict(params), _source_digest(type(stage).__module__)])
        self._keys.append(stage_key(*self._parts))

    def found(self) -> tuple[Batch, int]:
        """The batch after the last stage that is known, and how many stages that are."""
        with self._recorder.aside(CACHE):
            for n_known in range(len(self._keys), 0, -1):
                hit = self._cache.find(self._keys[n_known - 1], self._before)
                if hit is not None:
                    self._known = {row.stage: row for row in hit.rows}
                    for row in hit.rows:
                        self._recorder.known(row)
                    return hit.batch, n_known
        return self._before, 0

    def offer(self, i: int, batch: Batch) -> None:
        """Keeps the batch after stage `i` where that is worth it."""
        with self._recorder.aside(CACHE):
            rows = [row for row in self._recorder.recording().cost.rows if row.stage != OVERHEAD]
            self._gain_s += rows[-1].duration_s
            if self._cache.keep(self._keys[i], self._before, batch, rows, self._gain_s):
                self._gain_s = 0.0


def _rows_digest(batch: Batch) -> str:
    """Which rows are there, who learns and who is judged."""
    sums = hashlib.sha256(str(len(batch.X)).encode())
    for mask in (batch.learn, batch.judge):
        sums.update(np.packbits(mask).tobytes())
    return sums.hexdigest()[:16]


@cache
def _versions() -> str:
    return ",".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)


@cache
def _source_digest(module: str) -> str:
    """A stage that was rewritten is another stage."""
    path = getattr(sys.modules[module], "__file__", None)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16] if path else ""
