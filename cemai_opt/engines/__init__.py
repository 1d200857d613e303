"""Engines, which run trials: one per file."""

from cemai_opt.core.registry import Registry
from cemai_opt.engines._engine import Engine

ENGINES: Registry[Engine] = Registry("engine", __name__, base=Engine)

__all__ = ["ENGINES", "Engine"]
