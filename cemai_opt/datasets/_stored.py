"""A data set stored as memory-mapped files, which several processes share without copies."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.errors import StudyError
from cemai_opt.core.files import atomic_folder
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.datasets._dataset import Dataset
from cemai_opt.datasets._schema import Schema

REST = "dataset.json"


def store(data: Dataset, folder: Path) -> Path:
    """Writes `data` to a folder in `folder` unless it exists, arrays as `.npy`, the rest as JSON; returns its path.

    Several processes may do so at the same time, because the folder is written atomically. A data set that is mapped
    from such a folder stays there.
    """
    mapped = data.X.base
    if isinstance(mapped, np.memmap) and (known := Path(str(mapped.filename)).parent / REST).is_file():
        return known.parent
    place = draft = folder / f"data-{data.digest}"
    if (place / REST).is_file():
        return place
    rest: dict[str, Any] = {}
    try:
        with atomic_folder(place, draft=folder / f"data-{data.digest}-{os.getpid()}") as draft:
            for field in fields(Dataset):
                value = getattr(data, field.name)
                if isinstance(value, np.ndarray):
                    np.save(draft / f"{field.name}.npy", value, allow_pickle=False)
                else:
                    rest[field.name] = to_json(value) if isinstance(value, Schema) else value
            (draft / REST).write_text(json.dumps(rest), encoding="utf-8")
    except OSError:  # another process was faster
        if not (place / REST).is_file():
            raise
    return place


def load_stored(place: Path) -> Dataset:
    """The data set in a folder that `store` wrote, with memory-mapped arrays: `load_stored(place) == data`.

    StudyError if the folder is gone.
    """
    try:
        document = json.loads((place / REST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StudyError(
            f"{place}, the data of this run, is missing", "was the run folder moved while it ran?"
        ) from error
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in document.items()
    }
    fields["schema"] = from_json(Schema, document["schema"])
    fields |= {path.stem: np.asarray(np.load(path, mmap_mode="r")) for path in place.glob("*.npy")}
    return Dataset(**fields)
