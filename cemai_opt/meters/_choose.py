"""Chooses and opens the meters of a study: the best readable source of each kind."""

from __future__ import annotations

import os
from pathlib import Path

from cemai_opt.core.errors import MeterError
from cemai_opt.core.registry import Registry
from cemai_opt.meters._meter import Meter
from cemai_opt.meters.replay import RECORD, recording


def open_meters(registry: Registry[Meter], name: str, *, device: str, threads: int) -> tuple[Meter, ...]:
    """The CPU meter `name` ("auto": the best), that of memory, and that of the GPU if `device` is "cuda".

    MeterError if a requested source cannot be read: there is no silent fallback.
    """
    meters: list[Meter] = [(_best(registry, "cpu") if name == "auto" else _readable(registry, name)).opened(threads)]
    for kind in ("ram", "gpu") if device == "cuda" else ("ram",):
        if kind not in meters[0].covers:
            meters.append(_best(registry, kind).opened(threads))
    trace = os.environ.get(RECORD)
    return (recording(tuple(meters), Path(trace)),) if trace else tuple(meters)


def _best(registry: Registry[Meter], kind: str) -> type[Meter]:
    usable = [meter for meter in map(registry.find, registry.available()) if meter.kind == kind]
    for meter in sorted(usable, key=lambda meter: meter.rank):
        if meter.availability().is_readable:
            return meter
    raise MeterError(f"no {kind} energy can be read here", "`doctor` shows how to make it readable")


def _readable(registry: Registry[Meter], name: str) -> type[Meter]:
    meter = registry.require(name)
    availability = meter.availability()
    if not availability.is_readable:
        raise MeterError(f"meter {name!r}: {availability.why}", availability.remedy)
    if meter.kind != "cpu":
        cpu = [other for other in registry.names if registry.find(other).kind == "cpu"]
        raise MeterError(f"meter {name!r} reads {meter.kind} energy, a study needs one of the CPU", f"known: {cpu}")
    return meter
