"""The machine and the library versions that a run depends on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from cemai_opt.meters import cpu_model, usable_threads

PACKAGE = "cemai-opt"
VERSIONED = (PACKAGE, "codecarbon", "numpy", "optuna", "pandas", "scikit-learn", "torch", "xgboost")
"""Distributions whose versions are stored with every run and model."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine that ran a study."""

    cpu: str
    threads: int | None
    usable_threads: int | None
    system: str
    python: str


def this_machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(
        cpu=cpu_model(),
        threads=os.cpu_count(),
        usable_threads=usable_threads(),
        system=platform.platform(),
        python=platform.python_version(),
    )


@cache
def library_versions() -> Mapping[str, str]:
    """Versions of the installed libraries that results depend on; read once per process."""
    versions = {}
    for name in VERSIONED:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
