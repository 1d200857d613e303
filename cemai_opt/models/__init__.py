"""What can be trained: one model a file."""

from cemai_opt.core.registry import Registry
from cemai_opt.models._model import Model

MODELS: Registry[Model] = Registry("model", __name__, Model)

__all__ = ["MODELS", "Model"]
