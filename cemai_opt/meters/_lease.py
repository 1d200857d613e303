"""Leases of devices to one process at a time, by lock files that the system releases when their holder ends."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from cemai_opt.core.errors import MeterError
from cemai_opt.core.files import try_lock

_held: dict[str, IO[str]] = {}


def lease(device: str, folder: Path | None = None) -> IO[str] | None:
    """The lock on a device, None if another process holds it. A process keeps a lease until it ends."""
    if device in _held:
        return _held[device]
    name = "".join(c if c.isalnum() or c == "-" else "_" for c in device)
    path = (folder or Path(tempfile.gettempdir())) / f"cemai-opt-{name}.lock"
    stream = try_lock(path)
    if stream is not None:
        _held[device] = stream
    return stream


def first_free(gpus: Sequence[str]) -> int:
    """The position of the first GPU that no other process holds, which is leased. MeterError if there is none."""
    for index, gpu in enumerate(gpus):
        if lease(gpu) is not None:
            return index
    raise MeterError(f"all {len(gpus)} GPUs are leased to other trials", "wait for them, or use --device cpu")
