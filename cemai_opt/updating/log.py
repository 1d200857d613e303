"""The log of the updates of a model, which can be audited: every entry holds the digest of the one before."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict

from cemai_opt.core.errors import StudyError
from cemai_opt.core.files import drop_partial_line, sha256_of, write_atomic
from cemai_opt.core.serialization import RECORD, from_json, to_json
from cemai_opt.deploy.unit_errors import UnitErrors
from cemai_opt.updating.policy import Drift

LOG = "updates.jsonl"
KEPT, REPLACED, REJECTED = "kept", "replaced", "rejected"


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Scores of the model before and after on the newest rows, which neither was trained on; None if not defined."""

    rows: int
    groups: int
    before: float | None
    after: float | None


@dataclass(frozen=True, kw_only=True)
class UpdateEntry:
    """One update: what came in, what was decided, why, what came of it, and what it cost.

    `data_digest`: of the rows as the model before read them; `data_sha256`: of the file or folder. `score`: of that
    model on the new rows, None if it is not defined there; `errors`: its errors there; `expected`: those that the next
    update compares with. `energy_j`: joules by phase. `model`: SHA-256 of `model.json` after the update.
    """

    __pydantic_config__: ClassVar[ConfigDict] = RECORD

    number: int
    time: str
    product: str
    data: str
    data_digest: str
    data_sha256: str
    rows: int
    score: float | None
    score_name: str
    errors: UnitErrors
    expected: UnitErrors
    drift: Drift
    gains: Mapping[str, float]
    expected_j: Mapping[str, float]
    choice: str
    reason: str
    outcome: str
    held_out: HeldOut | None
    energy_j: Mapping[str, float]
    carbon_g: float
    uncertainty_g: float
    model: str
    previous: str = ""
    digest: str = ""

    def signed(self, previous: str) -> UpdateEntry:
        """The entry with the digest of the one before and its own."""
        linked = replace(self, previous=previous, digest="")
        return replace(linked, digest=sha256_of(to_json(linked)))


@dataclass(frozen=True)
class UpdateLog:
    """The entries in a model folder, oldest first."""

    entries: tuple[UpdateEntry, ...] = ()

    @staticmethod
    def read(folder: Path) -> UpdateLog:
        """The log of a folder; empty if there is none. StudyError if an entry was changed, or one is missing."""
        path = folder / LOG
        entries: list[UpdateEntry] = []
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        for i, line in enumerate(text[: text.rfind("\n") + 1].splitlines()):
            try:
                entry = from_json(UpdateEntry, json.loads(line))
            except ValueError as error:
                raise _changed(path, i) from error
            previous = entries[-1].digest if entries else ""
            if entry.signed(previous) != entry or entry.number != i + 1:
                raise _changed(path, i)
            entries.append(entry)
        return UpdateLog(tuple(entries))

    @property
    def since_made(self) -> Sequence[UpdateEntry]:
        """Entries since the present model was made: their rows are not in it."""
        made = [i for i, entry in enumerate(self.entries) if entry.outcome == REPLACED]
        return self.entries[made[-1] + 1 :] if made else self.entries

    @property
    def last_made(self) -> UpdateEntry | None:
        """The entry that made the present model; None if it is that of an export."""
        made = [entry for entry in self.entries if entry.outcome == REPLACED]
        return made[-1] if made else None

    @property
    def drifted_rows(self) -> int:
        """Rows that the model was trained on since a drift, if its last updates were due to one."""
        n_rows, pending = 0, 0
        for entry in self.entries:
            pending += entry.rows
            if entry.outcome == REPLACED:
                n_rows = n_rows + pending if entry.drift.excess > 0.0 or n_rows else 0
                pending = 0
        return n_rows

    def with_entry(self, entry: UpdateEntry) -> UpdateLog:
        """The log with one entry more, which is numbered and linked here."""
        previous = self.entries[-1].digest if self.entries else ""
        return UpdateLog((*self.entries, replace(entry, number=len(self.entries) + 1).signed(previous)))

    def write(self, folder: Path) -> None:
        """Writes the whole log."""
        write_atomic(folder / LOG, "".join(_line(entry) for entry in self.entries))

    def append_last(self, folder: Path) -> None:
        """Appends the last entry to the file in `folder`, which holds the others."""
        path = folder / LOG
        if path.exists():
            drop_partial_line(path)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(_line(self.entries[-1]))
            stream.flush()
            os.fsync(stream.fileno())


def _line(entry: UpdateEntry) -> str:
    return json.dumps(to_json(entry), allow_nan=False) + "\n"


def _changed(path: Path, i: int) -> StudyError:
    return StudyError(f"{path}, line {i + 1}, was changed, or the one before is missing", "restore it from a backup")
