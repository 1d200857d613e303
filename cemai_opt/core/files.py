"""Atomic writing of files and folders, file locks, and digests of their contents."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

DRAFT = ".part"
"""Suffix of a file that is being written."""
LOCKED_BYTE = 2**30
"""The byte that is locked on Windows, where others could not read what is locked: none that is ever written."""


@contextmanager
def atomic_file(path: Path, *, is_durable: bool = True) -> Iterator[IO[bytes]]:
    """A binary stream whose content replaces `path` when the block ends without an exception.

    Readers see the old file or the new one, never a part of it; with `is_durable` also after a power failure.
    """
    draft = path.with_name(path.name + DRAFT)
    try:
        with draft.open("wb") as stream:
            yield stream
            if is_durable:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def write_atomic(path: Path, content: str | bytes, *, is_durable: bool = True) -> None:
    """Replaces the file atomically by `content`; text is written as UTF-8."""
    with atomic_file(path, is_durable=is_durable) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic_folder(path: Path, *, draft: Path) -> Iterator[Path]:
    """A new folder `draft` that is renamed to `path` when the block ends without an exception, else removed.

    OSError if `path` already exists and is not empty.
    """
    draft.mkdir(parents=True)
    try:
        yield draft
        draft.rename(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def drop_partial_line(path: Path) -> None:
    """Removes a last line without a newline, which a killed writer may leave."""
    whole, newline, partial = path.read_bytes().rpartition(b"\n")
    if partial:
        os.truncate(path, len(whole + newline))


def try_lock(path: Path) -> IO[str] | None:
    """An exclusive lock on a file, held until the stream is closed or its process ends; None if another holds it."""
    stream = path.open("a+", encoding="utf-8")
    try:
        lock_now(stream.fileno())
    except OSError:
        stream.close()
        return None
    return stream


def lock_now(descriptor: int) -> None:
    """An exclusive lock on an open file, held until it is closed. OSError if another process holds it."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt

        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)


def sha256_of(document: object) -> str:
    """SHA-256 of a JSON value in hexadecimal digits, independent of the order of its keys.

    >>> sha256_of({"a": 1, "b": 2}) == sha256_of({"b": 2, "a": 1})
    True
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_of_path(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all files in a folder, in hexadecimal digits."""
    if path.is_file():
        return sha256_of_file(path)
    files = (file for file in path.rglob("*") if file.is_file())
    return sha256_of({file.relative_to(path).as_posix(): sha256_of_file(file) for file in files})


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
