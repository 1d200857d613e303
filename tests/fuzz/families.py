"""The families of cases, by name; each case has a number, from which it can be made again."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from tests.fuzz import folders, studies, tables
from tests.fuzz.outcome import Outcome, outcome_of

Case = Callable[[], None]


def _table(rng: np.random.Generator, folder: Path) -> Case:
    table = tables.random_table(rng)
    tables.written(table, folder, rng)
    return partial(tables.check, table)


def _study(rng: np.random.Generator, folder: Path) -> Case:
    return partial(studies.check_study, studies.random_study(rng), folder)


def _space(rng: np.random.Generator, folder: Path) -> Case:
    return partial(studies.check_space, studies.random_space(rng), folder)


def _options(rng: np.random.Generator, folder: Path) -> Case:
    return partial(studies.check_options, rng)


def _folder(rng: np.random.Generator, folder: Path) -> Case:
    folders.damaged_folder(folder, rng)
    return partial(folders.check, folder)


FAMILIES: dict[str, Callable[[np.random.Generator, Path], Case]] = {
    "tables": _table,
    "studies": _study,
    "search spaces": _space,
    "options": _options,
    "run folders": _folder,
}


def cases(family: str, n_cases: int, *, scratch: Path, first: int = 0) -> Iterator[tuple[int, Outcome]]:
    """The outcomes of some cases, by their numbers."""
    for number in range(first, first + n_cases):
        folder = scratch / "case"
        folder.mkdir()
        case = FAMILIES[family](np.random.default_rng((zlib.crc32(family.encode()), number)), folder)
        yield number, outcome_of(case)
        shutil.rmtree(folder)
