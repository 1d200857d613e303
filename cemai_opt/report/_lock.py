"""One search at a time in a run folder, by a lock that the system frees when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from cemai_opt.core.errors import StudyError

LOCK = "run.lock"


def hold(folder: Path) -> IO[str]:
    """The lock on a run folder, held until it is closed. StudyError names the process that holds it already."""
    stream = (folder / LOCK).open("a+", encoding="utf-8")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        stream.seek(0)
        owner = stream.read().strip() or "unknown"
        stream.close()
        raise StudyError(
            f"a search is running in {folder} (process {owner})", "wait for it, or choose --out"
        ) from error
    stream.seek(0)
    stream.truncate()
    stream.write(f"{os.getpid()}\n")
    stream.flush()
    return stream
