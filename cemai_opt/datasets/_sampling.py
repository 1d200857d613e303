"""Folders that do not fit into memory: as many of their files as do, chosen at random."""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cemai_opt.core.errors import StudyError
from cemai_opt.core.free_memory import free_bytes
from cemai_opt.datasets._files import PARQUET, Source

BYTES_PER_VALUE = 48
"""Memory at the peak of reading, for each cell: 1.6 GB for 5.12 million rows of eight columns, and a fifth more."""
MEMORY_SHARE = 0.5
"""Share of the free memory that reading may take; pipelines need the rest."""
HEAD_BYTES = 1 << 16
FEWEST_FILES = 5
"""Files that are read in any case: to train, to validate and to test on."""


@dataclass(frozen=True)
class Size:
    """Estimated rows of a file, and cells of its table."""

    rows: float
    cells: float


def size_of(file: Path) -> Size:
    """From the metadata of a Parquet file, or from the length of the first lines of a text."""
    name = file.name.lower()
    if name.endswith(PARQUET) and not name.endswith(".gz"):
        import pyarrow as pa
        import pyarrow.parquet

        try:
            found = pyarrow.parquet.read_metadata(file)
        except (pa.ArrowException, OSError):  # whoever reads it says what is wrong
            return Size(0.0, 0.0)
        return Size(float(found.num_rows), float(found.num_rows * found.num_columns))
    is_packed = name.endswith(".gz")
    try:
        with gzip.open(file) if is_packed else file.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        n_bytes = file.stat().st_size if not is_packed else _unpacked_bytes(file)
    except (OSError, EOFError):
        return Size(0.0, 0.0)
    lines = head.splitlines() or [b""]
    n_rows = n_bytes * len(lines) / max(len(head), 1)
    n_columns = 1 + max(lines[0].count(separator) for separator in (b",", b";", b"\t", b"|"))
    return Size(n_rows, n_rows * n_columns)


def _unpacked_bytes(file: Path) -> int:
    """Size of the text in a gzip file, which its last four bytes say up to 4 GB (RFC 1952)."""
    with file.open("rb") as stream:
        stream.seek(-4, os.SEEK_END)
        return max(int.from_bytes(stream.read(4), "little"), file.stat().st_size)


def affordable_rows(source: Source) -> int | None:
    """The rows of a folder that fit into memory, None if all of them do. StudyError for a file that does not.

    They are a half, a quarter, an eighth of all: a little more or less free memory does not change the choice.
    """
    sizes = [size_of(file) for file in source.files]
    needed, free = BYTES_PER_VALUE * sum(size.cells for size in sizes), MEMORY_SHARE * free_bytes()
    if needed <= free:
        return None
    if len(sizes) <= FEWEST_FILES:
        if needed <= free / MEMORY_SHARE:
            return None
        raise StudyError(
            f"{source.path} takes about {needed / 1e9:.1f} GB of memory, and {free_bytes() / 1e9:.1f} GB are free",
            "make it a folder with one file for each group, of which some can be chosen, or leave rows out",
        )
    n_rows = sum(size.rows for size in sizes)
    while n_rows * needed / sum(size.rows for size in sizes) > free:
        n_rows /= 2.0
    return max(int(n_rows), 1)


def sampled(source: Source, n_rows: int | None) -> Source:
    """The folder with so many of its files that they have about `n_rows` rows, chosen at random, always the same."""
    if n_rows is None or not source.is_folder:
        return source
    sizes = [size_of(file).rows for file in source.files]
    chosen = _first_until(sizes, n_rows, order=np.random.default_rng(0).permutation(len(sizes)).tolist())
    if len(chosen) == len(sizes):
        return source
    note = (
        f"{len(chosen)} of the {len(sizes)} files of {source.path.name} are read, chosen at random (--sample-rows "
        f"{n_rows}): about {sum(sizes[i] for i in chosen):.0f} of {sum(sizes):.0f} rows"
    )
    return replace(source, files=tuple(source.files[i] for i in chosen), notes=(*source.notes, note))


def _first_until(sizes: Sequence[float], n_rows: int, *, order: Sequence[int]) -> list[int]:
    """Numbers of files in the order of their names."""
    chosen: list[int] = []
    for i in order:
        if len(chosen) >= FEWEST_FILES and sum(sizes[j] for j in chosen) + sizes[i] > n_rows:
            break
        chosen.append(i)
    return sorted(chosen)
