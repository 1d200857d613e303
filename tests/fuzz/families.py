"""The families of cases, by name; each case has a number, from which it can be made again."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tests.fuzz import commands, folders, models, studies, tables
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


def _model(rng: np.random.Generator, folder: Path) -> Case:
    is_fitting = models.damaged_model(folder / "model", rng)
    models.rows_file(folder / "model")
    return partial(models.check_model, folder / "model", is_fitting=is_fitting, form=models.random_form(rng))


def _command(rng: np.random.Generator, folder: Path) -> Case:
    return partial(commands.check_call, commands.random_call(folder, rng))


@dataclass(frozen=True)
class Family:
    """Makes a case in an empty folder. `share`: of the cases that others get, for one whose cases take long."""

    make: Callable[[np.random.Generator, Path], Case]
    share: float = 1.0


FAMILIES = {
    "tables": Family(_table),
    "studies": Family(_study),
    "search spaces": Family(_space),
    "options": Family(_options),
    "command line": Family(_command, 0.2),
    "run folders": Family(_folder),
    "model folders": Family(_model, 0.2),
}


def cases(family: str, n_cases: int, *, scratch: Path, first: int = 0) -> Iterator[tuple[int, Outcome]]:
    """The outcomes of some cases, by their numbers; a family with a smaller share has fewer."""
    n_cases = int(n_cases * FAMILIES[family].share)
    for number in range(first, first + n_cases):
        folder = scratch / "case"
        folder.mkdir()
        case = FAMILIES[family].make(np.random.default_rng((zlib.crc32(family.encode()), number)), folder)
        yield number, outcome_of(case)
        shutil.rmtree(folder)
