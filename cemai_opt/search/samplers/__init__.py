"""How the next configuration is chosen: one sampler a file."""

from cemai_opt.core.registry import Registry
from cemai_opt.search.samplers._imported import ImportedSampler
from cemai_opt.search.samplers._sampler import PARENT, Budget, Sampler

SAMPLERS: Registry[Sampler] = Registry("sampler", __name__, Sampler)

__all__ = ["PARENT", "SAMPLERS", "Budget", "Sampler", "sampler_named"]


def sampler_named(name: str) -> Sampler:
    """A part of this folder, or any class of samplers by its dotted name. StudyError names the nearest known one."""
    return ImportedSampler(name) if "." in name else SAMPLERS.require(name)()
