"""Samplers, which choose the next configuration: one per file."""

from cemai_opt.core.registry import Registry
from cemai_opt.search.samplers._imported import ImportedSampler
from cemai_opt.search.samplers._sampler import PARENT, EnqueuingSampler, Sampler, SamplerContext

SAMPLERS: Registry[Sampler] = Registry("sampler", __name__, base=Sampler)

__all__ = ["PARENT", "SAMPLERS", "EnqueuingSampler", "Sampler", "SamplerContext", "sampler_named"]


def sampler_named(name: str) -> Sampler:
    """A sampler of this folder by its name, or any sampler class by its dotted name. StudyError suggests a name."""
    return ImportedSampler(name) if "." in name else SAMPLERS.require(name)()
