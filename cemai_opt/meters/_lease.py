"""A device is leased to one process at a time, by a lock file that the system frees when its holder dies."""

from __future__ import annotations

import fcntl
import tempfile
from pathlib import Path
from typing import IO

_held: dict[str, IO[str]] = {}


def lease(device: str, folder: Path | None = None) -> IO[str] | None:
    """The lock on a device, None where another process holds it. A process keeps a lease until it ends."""
    if device in _held:
        return _held[device]
    name = "".join(c if c.isalnum() or c == "-" else "_" for c in device)
    path = (folder or Path(tempfile.gettempdir())) / f"cemai-opt-{name}.lock"
    stream = path.open("a", encoding="utf-8")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        return None
    _held[device] = stream
    return stream
