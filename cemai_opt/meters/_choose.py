"""Chooses and opens the meters of a study: the best readable source of each kind."""

from __future__ import annotations

from cemai_opt.core.errors import MeterError
from cemai_opt.core.registry import Registry
from cemai_opt.meters._meter import Meter


def open_meters(registry: Registry[Meter], name: str, device: str) -> tuple[Meter, ...]:
    """The CPU meter called `name` ("auto": the best), and that of the GPU where `device` is "cuda".

    MeterError where a source that was asked for cannot be read: nothing falls back in silence.
    """
    cpu = _best(registry, "cpu") if name == "auto" else _readable(registry, name)
    return (cpu(),) if device == "cpu" else (cpu(), _best(registry, "gpu")())


def _best(registry: Registry[Meter], kind: str) -> type[Meter]:
    usable = [registry.find(name) for name in registry.available()]
    readable = [meter for meter in usable if meter.kind == kind and meter.availability().is_readable]
    if not readable:
        raise MeterError(f"no {kind} energy can be read here", "`doctor` says what would make it readable")
    return min(readable, key=lambda meter: meter.rank)


def _readable(registry: Registry[Meter], name: str) -> type[Meter]:
    meter = registry.require(name)
    availability = meter.availability()
    if not availability.is_readable:
        raise MeterError(f"meter {name!r}: {availability.why}", availability.remedy)
    return meter
