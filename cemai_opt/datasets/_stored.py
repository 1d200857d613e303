"""A data set as files that many processes read without each holding a copy."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.datasets._dataset import Dataset
from cemai_opt.datasets._schema import Schema

REST = "dataset.json"


def store(data: Dataset, folder: Path) -> Path:
    """Writes `data` below `folder`, once: arrays as `.npy`, the rest as JSON. The folder that `load_stored` reads.

    Several processes may do so at the same time: a folder with this name is there as a whole, or not at all.
    """
    place = folder / f"data-{data.digest}"
    if (place / REST).is_file():
        return place
    draft = folder / f"data-{data.digest}-{os.getpid()}"
    draft.mkdir(parents=True, exist_ok=True)
    rest: dict[str, Any] = {}
    for field in fields(Dataset):
        value = getattr(data, field.name)
        if isinstance(value, np.ndarray):
            np.save(draft / f"{field.name}.npy", value, allow_pickle=False)
        elif isinstance(value, Schema):
            rest[field.name] = value.to_json()
        else:
            rest[field.name] = value
    (draft / REST).write_text(json.dumps(rest), encoding="utf-8")
    try:
        draft.rename(place)
    except OSError:  # another process was faster
        if not (place / REST).is_file():
            raise
    return place


def load_stored(place: Path) -> Dataset:
    """The data set in a folder that `store` wrote, its arrays mapped into memory: `load_stored(place) == data`."""
    document = json.loads((place / REST).read_text(encoding="utf-8"))
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in document.items()
    }
    fields["schema"] = Schema.from_json(document["schema"])
    fields |= {path.stem: np.asarray(np.load(path, mmap_mode="r")) for path in place.glob("*.npy")}
    return Dataset(**fields)
