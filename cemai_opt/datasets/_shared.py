"""Large data sets in files that all processes of a machine share, so that they are in memory once."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import IO

from cemai_opt.core.files import try_lock
from cemai_opt.datasets._dataset import Dataset
from cemai_opt.datasets._stored import load_stored, store

LARGE_BYTES = 64_000_000
"""Smaller data sets stay in memory: a file would cost more than it saves."""
PREFIX = "cemai-opt-data-"
LOCK = "lock"
"""File that is locked as long as the process lives whose folder it is."""


def shared(data: Dataset) -> Dataset:
    """The same data set; if it is large, its arrays are memory-mapped from a temporary folder.

    The folder is removed when this process ends, or when a later one finds that it was killed.
    """
    return data if data.X.nbytes < LARGE_BYTES else load_stored(store(data, _own_folder()[0]))


@cache
def _own_folder() -> tuple[Path, IO[str] | None]:
    """The folder of this process, and its lock."""
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = try_lock(folder / LOCK)
    atexit.register(_remove, folder, os.getpid())
    return folder, lock


def _remove(folder: Path, pid: int) -> None:
    if os.getpid() == pid:  # not at the end of a process that was forked from it
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> int:
    """The number of this user, as `st_uid` has it: 0 on Windows, which has none."""
    return os.getuid() if hasattr(os, "getuid") else 0


def _remove_abandoned(parent: Path) -> None:
    """Removes the folders of this user whose process has been killed."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            is_own = (folder / LOCK).is_file() and folder.stat().st_uid == _user()
            lock = try_lock(folder / LOCK) if is_own else None
        except OSError:  # removed meanwhile
            continue
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()
