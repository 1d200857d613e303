"""Reads and writes results of the stages before training in the cache, for one trial."""

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
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.measurement import OVERHEAD, Measurement
from cemai_opt.pipeline.cache import StageCache, stage_key
from cemai_opt.pipeline.recorder import CACHE, Recorder
from cemai_opt.stages import Stage

STAGE_LIBRARIES = ("numpy", "pandas", "scikit-learn")
"""Libraries whose versions affect the result of a stage."""


class SharedStages:
    """Looks up results before the stages run, and stores new ones; its energy is spent, but charged to no stage."""

    def __init__(self, cache: StageCache, data_digest: str, *, before: Batch, recorder: Recorder) -> None:
        self._cache, self._before, self._recorder = cache, before, recorder
        with recorder.aside(CACHE):
            self._parts: list[object] = [data_digest, _versions(), asdict(before.task), _rows_digest(before)]
            self._keys: list[str] = []
        self._known: dict[str, Measurement] = {}
        self._gain_s = 0.0

    def add(self, name: str, stage: Stage, *, params: Mapping[str, Value]) -> None:
        """Adds the next stage to the key."""
        self._parts.append([name, dict(params), _source_digest(type(stage).__module__)])
        self._keys.append(stage_key(*self._parts))

    def found(self) -> tuple[Batch, int]:
        """The batch after the last cached stage, and the number of cached stages."""
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
        """Stores the batch after stage `i` if that saves more than it costs."""
        self._gain_s += self._recorder.last_s
        if not self._cache.may_keep(self._gain_s):
            return
        with self._recorder.aside(CACHE):
            rows = [row for row in self._recorder.recording().cost.rows if row.stage != OVERHEAD]
            if self._cache.keep(self._keys[i], self._before, after=batch, rows=rows, gain_s=self._gain_s):
                self._gain_s = 0.0


def _rows_digest(batch: Batch) -> str:
    """Digest of the number of rows, and of the training and evaluation rows among them."""
    sums = hashlib.sha256(str(len(batch.X)).encode())
    for mask in (batch.is_train, batch.is_eval):
        sums.update(np.packbits(mask).tobytes())
    return sums.hexdigest()[:16]


@cache
def _versions() -> str:
    return ",".join(f"{name} {importlib.metadata.version(name)}" for name in STAGE_LIBRARIES)


@cache
def _source_digest(module: str) -> str:
    """Digest of a stage's source code, so that results of other versions of it are not used."""
    path = getattr(sys.modules[module], "__file__", None)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16] if path else ""
