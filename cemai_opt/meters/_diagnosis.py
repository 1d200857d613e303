"""The energy sources of this machine: all of them, those in use, and their precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cemai_opt.core.registry import Registry
from cemai_opt.meters._checkup import Checkup, check_up
from cemai_opt.meters._idle import machine_idle
from cemai_opt.meters._meter import Meter


@dataclass(frozen=True, kw_only=True)
class Source:
    """One source of energy readings, and whether it can be read here."""

    name: str
    kind: str
    readable: bool
    why: str
    remedy: str
    resolution_s: float
    model_error: float


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """The result of `doctor` for the meters of a machine."""

    sources: tuple[Source, ...]
    in_use: tuple[str, ...]
    model_error: float
    idle_w: float
    idle_source: str
    expected_uncertainty: tuple[Checkup, ...]


def diagnosis_of(registry: Registry[Meter], meters: Sequence[Meter]) -> Diagnosis:
    """The diagnosis of this machine with `meters` in use; takes about five seconds."""
    idle_w, idle_source = machine_idle(registry)
    return Diagnosis(
        sources=tuple(_source(registry.find(name), name) for name in registry.available()),
        in_use=tuple(meter.source for meter in meters),
        model_error=meters[0].model_error,
        idle_w=idle_w,
        idle_source=idle_source,
        expected_uncertainty=tuple(check_up(meters[0])),
    )


def _source(meter: type[Meter], name: str) -> Source:
    state = meter.availability()
    return Source(
        name=name,
        kind=meter.kind,
        readable=state.is_readable,
        why=state.why,
        remedy=state.remedy,
        resolution_s=meter.resolution_s,
        model_error=meter.model_error,
    )
