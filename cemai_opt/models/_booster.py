"""The base class of gradient boosting by libraries with a booster of their own: trained, predicted and saved by it."""

from __future__ import annotations

import importlib
import subprocess
import sys
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.errors import StudyError
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._model import NO_SCALING
from cemai_opt.models._onnx import FlatInput

TRIAL = """
import re, sys, numpy
sys.modules.update(dict.fromkeys({unused}))
import {library} as library
if sys.platform != "win32":
    import resource
    used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
    resource.setrlimit(resource.RLIMIT_CPU, (used + {cpu_s}, used + {cpu_s}))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
{booster}
booster.predict({rows})
splits = re.findall({split!r}, {dump})
sys.exit(any(int(split) >= n_features for split in splits))
"""
"""What a child process does with a file before this process does it: load it, predict, and visit all of its trees."""
UNUSED = ("sklearn", "pandas", "pyarrow", "matplotlib", "dask")
"""What the libraries import if it is there, and predictions have no use for; with None in its place it is not found,
and an import takes a fifth of the time."""
TRIAL_CPU_S, TRIAL_S = 8, 120.0
"""What the child may take: seconds of CPU after its imports, and seconds in all."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where the training of a booster begins: the rounds to train, after those of the booster `before`, if any."""

    rounds: int
    before: Any = None


class BoosterModel(EstimatorModel):
    """A booster. Subclasses implement `_boost`, `_output`, `_contributions`, `_write_booster`, `_read_booster` and
    `_booster_onnx`.

    The libraries' scikit-learn estimators train the same trees, but cannot predict during training. `trial` are the
    parts of `TRIAL` that are the library's own.
    """

    trial: ClassVar[Mapping[str, str]]

    pins = NO_SCALING
    is_bounded = has_tree_shap = True
    grows_by = "n_estimators"
    continues = True

    def _fit_estimator(self, X: FloatArray, y: FloatArray | IntArray, *, weight: FloatArray | None) -> None:
        self._boost(X, y, weight=weight, start=Start(rounds=int(self.params["n_estimators"])))

    def _partial_fit(self, X: FloatArray, y: FloatArray, *, group: IntArray, share: float) -> None:
        """Adds rounds in proportion to the new rows, fitted to these."""
        start = Start(rounds=max(round(share * int(self.params["n_estimators"])), 1), before=self._fitted)
        codes = np.searchsorted(self._seen, y.astype(np.int64)) if self.task.is_classification else y
        weight = self.row_weights(codes) if self.task.is_classification else None
        self._boost(self._flat(X), codes, weight=weight, start=start)

    @classmethod
    def load_to_predict(cls) -> None:
        """Imports the library without scikit-learn, which only its estimators need."""
        hidden = [name for name in UNUSED if name not in sys.modules]
        sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: it is not found
        try:
            for library in cls.requires:
                importlib.import_module(library)
        finally:
            for name in hidden:
                del sys.modules[name]

    @abstractmethod
    def _boost(self, X: FloatArray, y: FloatArray | IntArray, *, weight: FloatArray | None, start: Start) -> None:
        """Trains a booster for some rounds, from the start or after those of an earlier one."""

    @abstractmethod
    def _output(self, X: FloatArray) -> FloatArray:
        """Predicted numbers (n,), or scores of the seen classes: (n,) of the second of two, (n, n_seen) of more."""

    @abstractmethod
    def _contributions(self, X: FloatArray) -> FloatArray:
        """Shapley values of inputs (n, n_flat), then the mean output, by the library's tree SHAP.

        (n, n_flat + 1), or (n, n_seen, n_flat + 1) of more than two seen classes.
        """

    @abstractmethod
    def _write_booster(self, folder: Path) -> str:
        """Writes the booster into `folder` in the library's own format; returns the name of the file."""

    @abstractmethod
    def _read_booster(self, file: Path) -> None:
        """Restores what `_write_booster` wrote."""

    @abstractmethod
    def _booster_onnx(self, seen: IntArray | None, x: FlatInput) -> Any:
        """The booster as an ONNX graph; `seen` are the classes seen in training, None for a regression."""

    def _tree_shap(self, X: FloatArray) -> FloatArray:
        found = np.asarray(self._contributions(X), np.float64)
        values = found if found.ndim == 3 else found[:, None]
        return values[:, :, :-1].transpose(0, 2, 1)

    def _estimator(self) -> Any:
        """None: `_fit_estimator` creates the booster."""
        return None

    def _values(self, X: FloatArray) -> FloatArray:
        return self._output(X)

    def _class_scores(self, X: FloatArray) -> FloatArray:
        if len(self._seen) == 1:
            return np.ones((len(X), 1))
        scores = self._output(X)
        return scores if scores.ndim == 2 else np.column_stack([1.0 - scores, scores])

    def _write(self, folder: Path) -> dict[str, Any]:
        seen = self._seen.tolist() if self.task.is_classification else None
        is_constant = seen is not None and len(seen) == 1
        written = {"seen": seen, "file": None if is_constant else self._write_booster(folder)}
        return written | ({"categorical": self._categorical} if self._categorical else {})

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        self._categorical = list(state.get("categorical", ()))
        if state["seen"] is not None:
            self._seen = np.asarray(state["seen"], np.int64)
        if state["file"] is not None:
            self._check_loadable(folder / state["file"])
            self._read_booster(folder / state["file"])

    def _check_loadable(self, file: Path) -> None:
        """StudyError if the library cannot load the file: a damaged one can end the process that loads it."""
        code = TRIAL.format(**self.trial, unused=UNUSED, cpu_s=TRIAL_CPU_S)
        command = [sys.executable, "-P", "-c", code, str(file)]
        try:
            status = subprocess.run(command, capture_output=True, timeout=TRIAL_S, check=False).returncode
        except subprocess.TimeoutExpired:
            raise StudyError(f"{file} could not be loaded within {TRIAL_S:.0f} s", "is the machine busy?") from None
        if status != 0:
            raise StudyError(f"{file} is damaged: {self.requires[0]} cannot load it", "export the model again")

    def _graph(self, seen: IntArray | None, x: FlatInput) -> Any:
        return self._booster_onnx(seen, x)
