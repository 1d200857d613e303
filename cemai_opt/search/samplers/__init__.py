"""How the next configuration is chosen: one sampler a file."""

from cemai_opt.core.registry import Registry
from cemai_opt.search.samplers._sampler import Budget, Sampler

SAMPLERS: Registry[Sampler] = Registry("sampler", __name__, Sampler)

__all__ = ["SAMPLERS", "Budget", "Sampler"]
