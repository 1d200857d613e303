"""The folder of a run: what is written, in which file, and how it is read back."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.result import TrialResult
from cemai_opt.core.spec import StudySpec, parse_study
from cemai_opt.core.spending import Spending
from cemai_opt.report._lock import LOCK, hold
from cemai_opt.report.documents import (
    RunRecord,
    front_document,
    front_rows,
    marks_of,
    summary_document,
    trial_document,
)
from cemai_opt.report.emissions import COLUMNS, emissions_rows

if TYPE_CHECKING:
    import pandas as pd

STUDY, SPACE, TRIALS = "study.yaml", "space.lock.yaml", "trials.jsonl"
CONFIRMED, SPENT = "confirmed.json", "spent.json"
DATA = "data.parquet"
"""Rows that were given as a frame, and so are in no file yet."""
FRONT, FRONT_CSV, SUMMARY, EMISSIONS = "front.json", "front.csv", "summary.json", "emissions.csv"


class RunFolder:
    """Files of one run. Each is replaced as a whole, but `trials.jsonl` and `emissions.csv`, which grow."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def holds_a_run(self) -> bool:
        """Has a study been started here?"""
        return (self.path / STUDY).is_file()

    def check_usable(self, study: StudySpec) -> None:
        """StudyError unless the folder is new, empty, or holds a run of the same study."""
        if self.path.exists() and not self.path.is_dir():
            raise StudyError(f"{self.path} is a file", "choose another --out")
        if self.holds_a_run:
            if not self.study().asks_the_same(study):
                raise StudyError(f"{self.path} holds the run of another study", "choose another --out")
        elif self.path.is_dir() and any(file.name not in (LOCK, DATA) for file in self.path.iterdir()):
            raise StudyError(f"{self.path} is not empty, and holds no run", "choose another --out")

    def keep_rows(self, frame: pd.DataFrame) -> Path:
        """Writes rows that are in no file yet into the folder: their path."""
        content = frame.set_axis(frame.columns.map(str), axis=1).to_parquet(index=False)
        write_bytes(self.path / DATA, content)
        return (self.path / DATA).resolve()

    def start(self, study: StudySpec, space: Mapping[str, Any]) -> None:
        """Makes the folder, keeps others out of it, and writes what is known before the first trial."""
        self.check_usable(study)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = hold(self.path)
        except OSError as error:
            raise StudyError(f"cannot write to {self.path}: {error.strerror}", "choose another --out") from error
        _replace(self.path / STUDY, yaml_text(study.to_json()))
        _replace(self.path / SPACE, yaml_text(space))

    def release(self) -> None:
        """Lets others write into the folder again."""
        self._lock.close()

    def append_run(self, study: StudySpec, why: str, result: TrialResult) -> None:
        """Adds the emissions of one pipeline run: a trial of the search, or one that confirms or tests a member."""
        text = csv_text(emissions_rows(study, f"trial-{result.trial}-{why}", result), COLUMNS)
        is_new = not (self.path / EMISSIONS).exists()
        _append(self.path / EMISSIONS, text if is_new else text.split("\n", 1)[1])

    def append(self, study: StudySpec, result: TrialResult, driver_j: float = 0.0) -> None:
        """Adds one finished trial, with its emissions, and what the driver has spent beside all trials so far."""
        self.append_run(study, "search", result)
        _append(self.path / TRIALS, json.dumps({**trial_document(study, result), "driver_j": driver_j}) + "\n")

    def keep_spent(self, energy_j: float) -> None:
        """Notes all joules of the run so far, those of unfinished trials too; a killed session leaves it behind."""
        _replace(self.path / SPENT, _json({"energy_j": energy_j}), is_lasting=False)

    def last_spent_j(self) -> float:
        """All joules of the run when they were last noted."""
        if not (self.path / SPENT).exists():
            return 0.0
        return float(self._read(SPENT, lambda text: float(json.loads(text)["energy_j"])))

    def confirm(self, measured: Mapping[int, TrialResult], tested: Mapping[int, TrialResult]) -> None:
        """Writes what is known of front members beside the search: repeated measurements, and tests."""
        lists = {"confirmed": measured, "tested": tested}
        _replace(
            self.path / CONFIRMED,
            _json({key: [known[t].to_json() for t in sorted(known)] for key, known in lists.items()}),
        )

    def finish(self, record: RunRecord) -> None:
        """Writes front and summary."""
        front = front_document(record)
        self.confirm({r.trial: r for r in record.results if r.repeats_j}, record.finals)
        _replace(self.path / FRONT, _json(front))
        _replace(self.path / FRONT_CSV, csv_text(front_rows(front)))
        _replace(self.path / SUMMARY, _json(summary_document(record)))

    def study(self) -> StudySpec:
        """The study as it was settled."""
        if not self.holds_a_run:
            siblings = [p.name for p in self.path.parent.glob("*/")] if self.path.parent.is_dir() else []
            raise StudyError(f"{self.path} holds no run", nearest(self.path.name, siblings))
        return parse_study(self._read(STUDY, yaml.safe_load), str(self.path / STUDY))

    def space(self) -> dict[str, Any]:
        """The search space as it was searched."""
        return dict(
            self._read(SPACE, lambda text: {**yaml.safe_load(text), "data_digest": yaml.safe_load(text)["data_digest"]})
        )

    def results(self) -> list[TrialResult]:
        """Finished trials, in the order in which they finished. A last line that was cut off is cut away."""
        if not (self.path / TRIALS).exists():
            return []
        cut_torn_line(self.path / TRIALS)
        return list(self._read(TRIALS, lambda text: [_result(line) for line in text.splitlines()]))

    def spending(self) -> list[Spending]:
        """The ledger of earlier sessions."""
        return [Spending(**row) for row in self.summary()["search"]["ledger"]] if self.has_summary() else []

    def last_driver_j(self) -> float:
        """What the driver had spent when the last trial was written, with what others were spending at that time."""

        def parsed(text: str) -> float:
            return float(json.loads(text.splitlines()[-1])["driver_j"])

        return float(self._read(TRIALS, parsed))

    def confirmed(self) -> tuple[dict[int, TrialResult], dict[int, TrialResult]]:
        """Front members with their repeated measurements, and as they were tested, by trial."""
        if not (self.path / CONFIRMED).exists():
            return {}, {}

        def parsed(text: str) -> tuple[dict[int, TrialResult], dict[int, TrialResult]]:
            document = json.loads(text)
            lists = [[TrialResult.from_json(row) for row in document[key]] for key in ("confirmed", "tested")]
            return {r.trial: r for r in lists[0]}, {r.trial: r for r in lists[1]}

        measured, tested = self._read(CONFIRMED, parsed)
        return measured, tested

    def front(self) -> dict[str, Any]:
        """The front document. StudyError where the run has none yet."""
        document = self._document(FRONT)
        self._read(FRONT, lambda text: [front_rows(json.loads(text)), marks_of(json.loads(text))])
        return document

    def summary(self) -> dict[str, Any]:
        """The summary document. StudyError where the run has none yet."""
        document = self._document(SUMMARY)
        self._read(SUMMARY, lambda text: [Spending(**row) for row in json.loads(text)["search"]["ledger"]])
        return document

    def has_summary(self) -> bool:
        """Has a session of this run written its summary?"""
        return (self.path / SUMMARY).is_file()

    def _document(self, name: str) -> dict[str, Any]:
        self.study()  # says what is wrong where there is no run at all
        if not (self.path / name).is_file():
            raise StudyError(f"the run in {self.path} has no {name} yet", "let `optimize` come to its first result")
        return dict(self._read(name, lambda text: dict(json.loads(text))))

    def _read(self, name: str, parse: Callable[[str], Any]) -> Any:
        """What a file of the run holds. StudyError where it is missing, or not what was written."""
        try:
            return parse((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
            told = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
            raise StudyError(f"{self.path / name} is damaged ({told})", "choose another --out") from error


def _result(line: str) -> TrialResult:
    return TrialResult.from_json(json.loads(line))


def cut_torn_line(file: Path) -> None:
    """Cuts away a last line without its end, which a killed writer leaves."""
    whole, newline, torn = file.read_bytes().rpartition(b"\n")
    if torn:
        os.truncate(file, len(whole + newline))


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise StudyError(
            f"cannot write {path}: {error.strerror}", "make room; the same command goes on then"
        ) from error


def csv_text(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> str:
    """Rows as CSV; the first row's keys are the columns unless they are named."""
    rows = list(rows)
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns or (list(rows[0]) if rows else []), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def write_text(path: Path, text: str) -> None:
    """Writes a file as a whole or not at all. StudyError where it cannot be written."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """The same for a file that is no text."""
    if not path.name:
        raise StudyError("no file was named", "give --out FILE")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror}", "choose another path") from error
    _replace(path, content)


def _replace(path: Path, content: str | bytes, is_lasting: bool = True) -> None:
    """A reader sees the old file or the new one, never half of it; not even when the power fails, if `is_lasting`."""
    draft = path.with_name(path.name + ".part")
    try:
        with draft.open("wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            if is_lasting:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(draft, path)
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror}", "make room, or choose another path") from error


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def yaml_text(document: Mapping[str, Any]) -> str:
    """A document as YAML, keys in their order."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
