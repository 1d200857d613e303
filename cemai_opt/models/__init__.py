"""Models: one per file."""

from cemai_opt.core.registry import Registry
from cemai_opt.models._categories import ENCODINGS
from cemai_opt.models._model import Model

MODELS: Registry[Model] = Registry("model", __name__, base=Model)

__all__ = ["ENCODINGS", "MODELS", "Model"]
