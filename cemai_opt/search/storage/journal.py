"""An Optuna journal that one process writes, for a fraction of the CPU time of Optuna's own file."""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

RESULTS = frozenset({"user_attr", "user_attrs"})
"""Keys of entries that hold results, which are on disk before anything else is written."""


class OwnJournal(BaseJournalBackend):
    """A journal file whose only searching process is this one; the format is that of Optuna's `JournalFileBackend`.

    That one locks, opens and flushes the file for each of about twenty entries of a trial, and reads each back. Here
    the file stays open, needs no lock, because the run folder is locked, and is flushed once a trial. What others
    append, such as the notes of a dashboard, is read as well.
    """

    def __init__(self, path: Path) -> None:
        """OSError if the file cannot be opened for writing; it is created if it is missing."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)  # of Windows
        self._file = os.open(path, flags, 0o666)
        weakref.finalize(self, os.close, self._file)
        self._n_read, self._n_bytes = 0, 0
        self._own = b""
        """What has been appended since the last reading."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Appends whole entries or, if the disk is full, nothing."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        before = os.fstat(self._file).st_size
        try:
            if os.write(self._file, lines) < len(lines):
                raise OSError("the disk is full")
        except OSError:
            os.ftruncate(self._file, before)
            raise
        self._own += lines
        if any(log.get(key) for log in logs for key in RESULTS):
            os.fsync(self._file)

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Entries from a number on, mostly those that were appended since the last call."""
        if log_number_from != self._n_read:  # another reader than the last time
            self._n_read, self._n_bytes, self._own = 0, 0, b""
        n_new = os.fstat(self._file).st_size - self._n_bytes
        new, self._own = self._own if len(self._own) == n_new else self._read(n_new), b""
        whole = new[: new.rfind(b"\n") + 1]
        first, lines = self._n_read, whole.splitlines()
        self._n_read += len(lines)
        self._n_bytes += len(whole)
        return (json.loads(line) for line in lines[max(log_number_from - first, 0) :])

    def _read(self, n_bytes: int) -> bytes:
        os.lseek(self._file, self._n_bytes, os.SEEK_SET)
        parts = []
        while n_bytes and (part := os.read(self._file, n_bytes)):
            parts.append(part)
            n_bytes -= len(part)
        return b"".join(parts)
