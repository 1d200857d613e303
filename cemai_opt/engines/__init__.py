"""Where a trial runs: one way a file."""

from cemai_opt.core.registry import Registry
from cemai_opt.engines._engine import Engine

ENGINES: Registry[Engine] = Registry("engine", __name__, Engine)

__all__ = ["ENGINES", "Engine"]
