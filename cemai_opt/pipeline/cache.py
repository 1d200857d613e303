"""Keeps what shared upstream stages made, so that the next trial with the same beginning does not make it again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.batch import Batch, Profile
from cemai_opt.core.measurement import Measurement

LOAD_BYTES_PER_S = 3e8
"""What is made faster than it is read back at this rate is not kept."""
MIN_GAIN_S = 1e-2
"""Nor what takes less than this: writing an entry takes about 4 ms, finding it 1 ms, and not each one is used again."""
MAX_SHARE = 0.25
"""One result may take this share of the cache."""
ENTRY = "entry.json"


@dataclass(frozen=True)
class Hit:
    """A batch as a stage once left it, and the recorded cost of every stage up to there."""

    batch: Batch
    rows: tuple[Measurement, ...]


class StageCache:
    """A folder of stage results: one folder an entry, arrays as memory-mapped `.npy`, everything else as JSON.

    Several processes may share it: an entry is written under another name and then renamed, so it is there as a whole
    or not at all, also after a kill. A missing or damaged entry is a miss; a full disk keeps nothing.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._n_written = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("tmp-*"):
            if not _is_alive(int(path.name.split("-")[1])):
                shutil.rmtree(path, ignore_errors=True)

    def find(self, key: str, before: Batch) -> Hit | None:
        """The batch after the stage that `key` names; `before` is the batch as it was before the first stage."""
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
        learnt: dict[str, dict[str, np.ndarray]] = {}
        for name in arrays:
            if name.startswith("learnt."):
                _, stage, what = name.split(".")
                learnt.setdefault(stage, {})[what] = np.array(arrays[name])
        changed: dict[str, Any] = {name: array for name, array in arrays.items() if "." not in name}
        changed |= {name: _as_tuple(value) for name, value in document["values"].items()}
        if profile:
            changed["profile"] = Profile(**profile, notes=_as_tuple(document["profile_notes"]))
        if learnt:
            changed["learnt"] = learnt
        return Hit(replace(before, **changed), tuple(Measurement(**row) for row in document["rows"]))

    def keep(self, key: str, before: Batch, after: Batch, rows: Sequence[Measurement], gain_s: float) -> bool:
        """Keeps a batch if that saves more than it costs: `gain_s` seconds are saved at each hit.

        False for what was not kept, among it batches that hold more than arrays, numbers and words.
        """
        state = _state(before, after)
        if state is None:
            return False
        arrays, document = state
        n_bytes = sum(array.nbytes for array in arrays.values())
        if gain_s < MIN_GAIN_S + n_bytes / LOAD_BYTES_PER_S or n_bytes > MAX_SHARE * self._max_bytes:
            return False
        self._n_written += 1
        unfinished = self._folder / f"tmp-{os.getpid()}-{self._n_written}"
        if self.find(key, before) is None:
            self._remove(self._folder / key)  # a damaged one would keep the name for ever
        try:
            self._make_room(n_bytes)
            unfinished.mkdir()
            for name, array in arrays.items():
                np.save(unfinished / f"{name}.npy", array, allow_pickle=False)
            rows_json = [row.to_json() for row in rows]
            (unfinished / ENTRY).write_text(json.dumps({**document, "arrays": list(arrays), "rows": rows_json}))
            unfinished.rename(self._folder / key)
        except OSError:  # no room on the disk, or another process was faster
            shutil.rmtree(unfinished, ignore_errors=True)
            return (self._folder / key).is_dir()
        return True

    def _make_room(self, n_bytes: int) -> None:
        """Removes what was not used for longest. Whoever has it mapped keeps it: the file lives until then."""
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
        """Takes an entry away as a whole: nobody finds half of it."""
        self._n_written += 1
        gone = self._folder / f"tmp-{os.getpid()}-{self._n_written}-gone"
        try:
            entry.rename(gone)
        except OSError:  # another process was faster, or there is none
            return
        shutil.rmtree(gone, ignore_errors=True)


def stage_key(*parts: object) -> str:
    """The name of a stage result: whatever can change it has to be among `parts`, all of them JSON."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _state(before: Batch, after: Batch) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """What has changed between two batches, as arrays and JSON; None where it cannot be written so."""
    arrays: dict[str, np.ndarray] = {}
    document: dict[str, Any] = {"values": {}, "profile_notes": []}
    for field in fields(Batch):
        value = getattr(after, field.name)
        if value is getattr(before, field.name):
            continue
        if isinstance(value, np.ndarray) and value.dtype != object:
            arrays[field.name] = value
        elif field.name == "learnt":
            arrays |= {f"learnt.{stage}.{name}": kept for stage, what in value.items() for name, kept in what.items()}
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
