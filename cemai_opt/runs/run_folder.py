"""The folder of a run: its files, how they are written, and how they are read back."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from cemai_opt.core.average import Average
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.files import drop_partial_line, try_lock, write_atomic
from cemai_opt.core.ledger_entry import LedgerEntry
from cemai_opt.core.result import TrialResult
from cemai_opt.core.seal import opened_json, opened_yaml, sealed_json, sealed_yaml
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.core.space import LockedSpace
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.core.study_file import parse_resolved_study
from cemai_opt.core.yaml_text import parsed_yaml, yaml_text
from cemai_opt.runs.emissions_csv import COLUMNS, emissions_rows
from cemai_opt.runs.front import RunFront
from cemai_opt.runs.power_log import HEADER, PowerRow, power_rows
from cemai_opt.runs.record import RunRecord, TrialLine
from cemai_opt.runs.summary import RunSummary
from cemai_opt.runs.test_rows import TestRows

if TYPE_CHECKING:
    import pandas as pd

STUDY, SPACE, TRIALS = "study.yaml", "space.lock.yaml", "trials.jsonl"
CONFIRMED, SPENT, LOCK = "confirmed.json", "spent.json", "run.lock"
DATA = "data.parquet"
"""Rows that were given as a data frame rather than a file."""
FRONT, FRONT_CSV, SUMMARY, EMISSIONS = "front.json", "front.csv", "summary.json", "emissions.csv"
TEST_ROWS, POWER = "test_rows.json", "power.csv"
CSV_COLUMNS = ("trial", "model", "validation", "test", "carbon_g", "uncertainty_g", "energy_j", "duration_s")
T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MemberResults:
    """Results of front members from outside the search: repeated measurements, tests, and the best average."""

    confirmed: tuple[TrialResult, ...] = ()
    tested: tuple[TrialResult, ...] = ()
    average: Average | None = None


class RunFolder:
    """Files of one run. Each is replaced as a whole, except `trials.jsonl` and two CSV files that grow."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged: list[str] = []
        """Messages about damaged files without which a run can go on, as they were read."""

    @property
    def holds_a_run(self) -> bool:
        """Whether a study has been started in this folder."""
        return (self.path / STUDY).is_file()

    def check_usable(self, study: ResolvedStudy) -> None:
        """StudyError unless the folder is new, empty, or holds a run of the same study."""
        if self.path.exists() and not self.path.is_dir():
            raise StudyError(f"{self.path} is a file", "choose another --out")
        if self.holds_a_run:
            if not self.study().is_comparable_to(study):
                raise StudyError(f"{self.path} holds the run of another study", "choose another --out")
        elif self.path.is_dir() and any(file.name not in (LOCK, DATA) for file in self.path.iterdir()):
            raise StudyError(f"{self.path} is not empty, and holds no run", "choose another --out")

    def keep_rows(self, frame: pd.DataFrame) -> Path:
        """Writes rows that are in no file yet into the folder and returns the path of the file."""
        content = frame.set_axis(frame.columns.map(str), axis=1).to_parquet(index=False)
        write_file(self.path / DATA, content)
        return (self.path / DATA).resolve()

    @contextmanager
    def writing(self, study: ResolvedStudy, space: LockedSpace) -> Iterator[None]:
        """Creates and locks the folder, and writes the study and the search space before the first trial.

        A new run that ends with a StudyError before its first trial leaves nothing behind. StudyError if the folder
        cannot be used, or another process is writing to it.
        """
        self.check_usable(study)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = self._locked()
        except OSError as error:
            raise StudyError(f"cannot write to {self.path}: {error.strerror}", "choose another --out") from error
        with lock:
            is_new = not self.holds_a_run
            for growing in (TRIALS, POWER):
                if (self.path / growing).exists():
                    drop_partial_line(self.path / growing)
            _replace(self.path / STUDY, sealed_yaml(yaml_text(study.to_json())))
            _replace(self.path / SPACE, sealed_yaml(yaml_text(to_json(space))))
            try:
                yield
            except StudyError:
                if is_new and not (self.path / TRIALS).exists():
                    self._remove_begun()
                raise

    def _remove_begun(self) -> None:
        """Removes what a session has written that could not begin, such as one with a mistyped --storage."""
        for name in (STUDY, SPACE, SPENT, POWER, LOCK):
            (self.path / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it holds something else
            self.path.rmdir()

    def append_run(self, study: ResolvedStudy, result: TrialResult, *, why: str) -> None:
        """Adds the emissions of one pipeline run: a trial of the search, or one that measures or tests a member."""
        text = csv_text(emissions_rows(study, result, run_id=f"trial-{result.trial}-{why}"), COLUMNS)
        is_new = not (self.path / EMISSIONS).exists()
        _append(self.path / EMISSIONS, text if is_new else text.split("\n", 1)[1])

    def append(self, study: ResolvedStudy, result: TrialResult, *, driver_j: float = 0.0) -> None:
        """Adds one finished trial with its emissions, and what the driver has spent outside all trials so far."""
        self.append_run(study, result, why="search")
        line = TrialLine.of(study, result, driver_j=driver_j)
        _append(self.path / TRIALS, sealed_json(json.dumps(to_json(line))) + "\n", is_durable=True)

    def keep_spent(self, energy_j: float) -> None:
        """Records all joules of the run so far, unfinished trials included, for the case that the session is killed."""
        _replace(self.path / SPENT, _json_text({"energy_j": energy_j}), is_durable=False)

    def append_power(self, row: PowerRow) -> None:
        """Adds what was used since the last call."""
        path = self.path / POWER
        _append(path, f"{row.text}\n" if path.exists() else f"{HEADER}\n{row.text}\n")

    def power(self) -> list[PowerRow]:
        """What the run has used over time. StudyError if it kept no such log."""
        self.study()  # raises StudyError if there is no run at all
        if not (self.path / POWER).exists():
            raise StudyError(f"{self.path} has no {POWER}", "runs of earlier versions and replayed ones have none")
        return self._read(POWER, power_rows)

    def last_spent_j(self) -> float:
        """All joules of the run when they were last recorded; 0 if the note is missing or damaged.

        It is not flushed to disk, so a power failure may damage it. Trials and ledger have all but the last of it.
        """
        if not (self.path / SPENT).exists():
            return 0.0
        read = partial(self._read, SPENT, lambda text: float(json.loads(text)["energy_j"]))
        return self._if_whole(read) or 0.0

    def keep_members(
        self, measured: Mapping[int, TrialResult], tested: Mapping[int, TrialResult], *, average: Average | None = None
    ) -> None:
        """Writes the results of front members from outside the search: repeated measurements, tests, the average."""
        members = MemberResults(
            tuple(measured[trial] for trial in sorted(measured)),
            tuple(tested[trial] for trial in sorted(tested)),
            average,
        )
        text = json.dumps(to_json(members), allow_nan=False)  # often: without indents
        _replace(self.path / CONFIRMED, sealed_json(text) + "\n")

    def keep_test_rows(self, rows: TestRows) -> None:
        """Writes predictions of test rows, in place of those of an earlier session."""
        _replace(self.path / TEST_ROWS, sealed_json(json.dumps(to_json(rows), allow_nan=False)) + "\n")

    def test_rows(self) -> TestRows | None:
        """Predictions of test rows; None if the run kept none, or if the file is damaged."""
        if not (self.path / TEST_ROWS).exists():
            return None
        return self._if_whole(partial(self._document, TEST_ROWS, TestRows))

    def finish(self, record: RunRecord) -> None:
        """Writes front and summary."""
        measured = {result.trial: result for result in record.results if result.confirmation is not None}
        self.keep_members(measured, record.finals, average=record.average)
        _replace(self.path / FRONT, sealed_json(_json_text(to_json(record.front))))
        _replace(self.path / FRONT_CSV, csv_text(front_rows(record.front)))
        _replace(self.path / SUMMARY, sealed_json(_json_text(to_json(record.summary))))

    def study(self) -> ResolvedStudy:
        """The study as it was resolved."""
        if not self.holds_a_run:
            siblings = {p.name for p in self.path.parent.glob("*/")} - {self.path.name}
            raise StudyError(f"{self.path} holds no run", nearest(self.path.name, siblings))
        return parse_resolved_study(
            self._read(STUDY, lambda text: parsed_yaml(opened_yaml(text))), str(self.path / STUDY)
        )

    def space(self) -> LockedSpace:
        """The search space as it was searched."""
        return self._read(SPACE, lambda text: from_json(LockedSpace, parsed_yaml(opened_yaml(text))))

    def results(self) -> list[TrialResult]:
        """Finished trials, in the order in which they finished. A partial last line is ignored.

        StudyError if a line is damaged, or if a trial is there twice.
        """
        results = [line.result for line in self._lines()]
        numbers = Counter(result.trial for result in results)
        for trial, n_lines in numbers.items():
            if n_lines > 1:
                raise StudyError(f"{self.path / TRIALS} is damaged (trial {trial} is there twice)", "restore the file")
        return results

    def ledger(self) -> tuple[LedgerEntry, ...]:
        """The ledger of earlier sessions; empty if there is none, or if it is damaged."""
        summary = self.known_summary()
        return summary.search.ledger if summary is not None else ()

    def known_summary(self) -> RunSummary | None:
        """The summary, None if there is none yet, or if it is damaged: a resumed run writes another one."""
        return self._if_whole(self.summary) if self.has_summary() else None

    def last_driver_j(self) -> float:
        """What the driver had spent when the last trial was written; 0 before the first."""
        lines = self._lines()
        return lines[-1].driver_j if lines else 0.0

    def members(self) -> MemberResults:
        """Front members with their repeated measurements, and as they were tested; none if the file is damaged."""
        if not (self.path / CONFIRMED).exists():
            return MemberResults()
        read = partial(self._read, CONFIRMED, lambda text: from_json(MemberResults, json.loads(opened_json(text))))
        return self._if_whole(read) or MemberResults()

    def front(self) -> RunFront:
        """The front. StudyError if the run has none yet."""
        return self._document(FRONT, RunFront)

    def summary(self) -> RunSummary:
        """The summary. StudyError if the run has none yet."""
        return self._document(SUMMARY, RunSummary)

    def has_summary(self) -> bool:
        """Whether a session of this run has written its summary."""
        return (self.path / SUMMARY).is_file()

    def _locked(self) -> IO[str]:
        lock = try_lock(self.path / LOCK)
        if lock is None:
            owner = (self.path / LOCK).read_text(encoding="utf-8").strip() or "unknown"
            raise StudyError(f"a search is running in {self.path} (process {owner})", "wait for it, or choose --out")
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return lock

    def _lines(self) -> list[TrialLine]:
        if not (self.path / TRIALS).exists():
            return []
        return self._read(
            TRIALS,
            lambda text: [
                from_json(TrialLine, json.loads(opened_json(line))) for line in text.rpartition("\n")[0].splitlines()
            ],
        )

    def _document(self, name: str, kind: type[T]) -> T:
        self.study()  # raises StudyError if there is no run at all
        if not (self.path / name).is_file():
            raise StudyError(f"the run in {self.path} has no {name} yet", "wait for the first result of `optimize`")
        return self._read(name, lambda text: from_json(kind, json.loads(opened_json(text))))

    def _read(self, name: str, parse: Callable[[str], T]) -> T:
        """The parsed contents of a file of the run. StudyError if it is missing or damaged."""
        try:
            return parse((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
            hint = "the same `optimize` writes it again" if name in (FRONT, SUMMARY) else "choose another --out"
            raise StudyError(f"{self.path / name} is damaged ({reason})", hint) from error

    def _if_whole(self, read: Callable[[], T]) -> T | None:
        """What is read; None, with a warning, if it is damaged: the rest of the folder is enough to go on."""
        try:
            return read()
        except StudyError as error:
            self.damaged.append(f"{error.message}: the run goes on without it")
            log.warning("%s", self.damaged[-1])
            return None


def front_rows(front: RunFront) -> list[dict[str, Any]]:
    """Front members as flat rows, with the grams of each stage in a column of its own."""
    stages = dict.fromkeys(stage for member in front.members for stage in member.stages)
    return [
        {
            **{column: getattr(member, column) for column in CSV_COLUMNS},
            **{f"{stage}_carbon_g": member.stage_g(stage) for stage in stages},
        }
        for member in front.members
    ]


def _append(path: Path, text: str, *, is_durable: bool = False) -> None:
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text)
            if is_durable:
                stream.flush()
                os.fsync(stream.fileno())
    except OSError as error:
        raise StudyError(
            f"cannot write {path}: {error.strerror}", "free some disk space; the same command then resumes the run"
        ) from error


def csv_text(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> str:
    """Rows as CSV; the columns are the keys of the first row unless given."""
    rows = list(rows)
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns or (list(rows[0]) if rows else []), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def write_file(path: Path, content: str | bytes) -> None:
    """Writes a file atomically and creates its folder. StudyError if it cannot be written."""
    if not path.name:
        raise StudyError("no file was given", "give --out FILE")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror}", "choose another path") from error
    _replace(path, content)


def _replace(path: Path, content: str | bytes, *, is_durable: bool = True) -> None:
    try:
        write_atomic(path, content, is_durable=is_durable)
    except OSError as error:
        raise StudyError(
            f"cannot write {path}: {error.strerror}", "free some disk space, or choose another path"
        ) from error


def _json_text(document: object) -> str:
    return json.dumps(document, indent=1, allow_nan=False) + "\n"
