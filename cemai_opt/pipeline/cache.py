"""A cache of stage results, shared by trials whose first stages have the same parameters."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.batch import Batch, Profile
from cemai_opt.core.files import atomic_folder, sha256_of
from cemai_opt.core.measurement import Measurement
from cemai_opt.core.serialization import from_json, to_json

LOAD_BYTES_PER_S = 3e8
"""Results that can be computed faster than read back at this rate are not stored."""
MIN_GAIN_S = 1e-2
"""Nor are results that take less than this: writing takes about 4 ms, reading 1 ms, and some are never used again."""
MAX_SHARE = 0.25
"""Maximum share of the cache that one result may occupy."""
ENTRY = "entry.json"
_NUMBERS = itertools.count(1)
"""Numbers of temporary folders, shared by all caches of a process."""


@dataclass(frozen=True)
class Hit:
    """The stored batch after a stage, and the recorded cost of every stage up to it."""

    batch: Batch
    rows: tuple[Measurement, ...]


class StageCache:
    """A folder of stage results: one folder per entry, arrays as memory-mapped `.npy`, everything else as JSON.

    Several processes may share it: an entry is written under a temporary name and then renamed, so it is complete even
    if a process is killed. A missing or damaged entry is a miss; if the disk is full, nothing is stored.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("tmp-*"):
            if not _is_alive(int(path.name.split("-")[1])):
                shutil.rmtree(path, ignore_errors=True)

    def find(self, key: str, before: Batch) -> Hit | None:
        """The batch after the stage with this `key`, if cached; `before` is the batch before the first stage."""
        try:
            return self._read(self._folder / key, before)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _read(self, entry: Path, before: Batch) -> Hit:
        document = json.loads((entry / ENTRY).read_text())
        paths = {name: entry / f"{name}.npy" for name in document["arrays"]}
        arrays = {name: np.asarray(np.load(path, mmap_mode="r")) for name, path in paths.items()}
        os.utime(entry)
        profile = {name.split(".")[1]: array for name, array in arrays.items() if name.startswith("profile.")}
        fitted_states: dict[str, dict[str, np.ndarray]] = {}
        for name in arrays:
            if name.startswith("fitted_states."):
                _, stage, what = name.split(".")
                fitted_states.setdefault(stage, {})[what] = np.array(arrays[name])
        changed: dict[str, Any] = {name: array for name, array in arrays.items() if "." not in name}
        changed |= {name: _as_tuple(value) for name, value in document["values"].items()}
        if profile:
            changed["profile"] = Profile(**profile, notes=_as_tuple(document["profile_notes"]))
        if fitted_states:
            changed["fitted_states"] = fitted_states
        return Hit(replace(before, **changed), from_json(tuple[Measurement, ...], document["rows"]))

    def may_keep(self, gain_s: float, n_bytes: int = 0) -> bool:
        """Whether storing this many bytes saves more than it costs: `gain_s` seconds are saved at each hit."""
        return gain_s >= MIN_GAIN_S + n_bytes / LOAD_BYTES_PER_S and n_bytes <= MAX_SHARE * self._max_bytes

    def keep(self, key: str, before: Batch, *, after: Batch, rows: Sequence[Measurement], gain_s: float) -> bool:
        """Stores a batch if that saves more than it costs: `gain_s` seconds are saved at each hit.

        False if it was not stored, for example because it holds more than arrays, numbers and strings.
        """
        state = _state(before, after)
        if state is None:
            return False
        arrays, document = state
        n_bytes = sum(array.nbytes for array in arrays.values())
        if not self.may_keep(gain_s, n_bytes):
            return False
        unfinished = self._folder / f"tmp-{os.getpid()}-{next(_NUMBERS)}"
        if self.find(key, before) is None:
            self._remove(self._folder / key)  # a damaged entry would block the name forever
        try:
            self._make_room(n_bytes)
            with atomic_folder(self._folder / key, draft=unfinished):
                for name, array in arrays.items():
                    np.save(unfinished / f"{name}.npy", array, allow_pickle=False)
                document |= {"arrays": list(arrays), "rows": to_json(tuple(rows))}
                (unfinished / ENTRY).write_text(json.dumps(document))
        except OSError:  # no space on the disk, or another process was faster
            return (self._folder / key).is_dir()
        return True

    def _make_room(self, n_bytes: int) -> None:
        """Removes the least recently used entries. Processes that have mapped their files can still read them."""
        entries = []
        for entry in os.scandir(self._folder):
            try:
                entries.append((entry.stat().st_mtime, _bytes_in(entry.path), entry.path))
            except OSError:
                continue  # another process removed it
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total + n_bytes <= self._max_bytes:
                break
            self._remove(Path(path))
            total -= size

    def _remove(self, entry: Path) -> None:
        """Removes an entry atomically."""
        gone = self._folder / f"tmp-{os.getpid()}-{next(_NUMBERS)}-gone"
        try:
            entry.rename(gone)
        except OSError:  # another process was faster, or there is none
            return
        shutil.rmtree(gone, ignore_errors=True)


def stage_key(*parts: object) -> str:
    """The key of a stage result: `parts`, which are JSON values, must include everything that can change it."""
    return sha256_of(parts)[:32]


def _state(before: Batch, after: Batch) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """The changes between two batches, as arrays and JSON; None if they cannot be represented so."""
    arrays: dict[str, np.ndarray] = {}
    document: dict[str, Any] = {"values": {}, "profile_notes": []}
    for field in fields(Batch):
        value = getattr(after, field.name)
        if value is getattr(before, field.name):
            continue
        if isinstance(value, np.ndarray) and value.dtype != object:
            arrays[field.name] = value
        elif field.name == "fitted_states":
            arrays |= {
                f"fitted_states.{stage}.{name}": kept for stage, what in value.items() for name, kept in what.items()
            }
        elif isinstance(value, Profile):
            columns = {f.name: getattr(value, f.name) for f in fields(Profile) if f.name != "notes"}
            arrays |= {f"{field.name}.{name}": column for name, column in columns.items()}
            document["profile_notes"] = list(value.notes)
        elif isinstance(value, (int, float, str)) or _is_words(value):
            document["values"][field.name] = value
        else:
            return None
    return arrays, document


def _is_words(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(word, str) for word in value)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _bytes_in(folder: str) -> int:
    return sum(file.stat().st_size for file in os.scandir(folder))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
