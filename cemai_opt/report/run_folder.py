"""The folder of a run: what is written, in which file, and how it is read back."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.result import TrialResult
from cemai_opt.core.spec import StudySpec, parse_study
from cemai_opt.report.documents import (
    RunRecord,
    front_document,
    front_rows,
    summary_document,
    trial_document,
)
from cemai_opt.report.emissions import COLUMNS, emissions_rows

STUDY, SPACE, TRIALS = "study.yaml", "space.lock.yaml", "trials.jsonl"
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
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise StudyError(f"{self.path} is not empty, and holds no run", "choose another --out")

    def start(self, study: StudySpec, space: Mapping[str, Any]) -> None:
        """Makes the folder and writes what is known before the first trial."""
        self.check_usable(study)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            _replace(self.path / STUDY, _yaml(study.to_json()))
            _replace(self.path / SPACE, _yaml(space))
        except OSError as error:
            raise StudyError(f"cannot write to {self.path}: {error.strerror}", "choose another --out") from error

    def append_run(self, study: StudySpec, why: str, result: TrialResult) -> None:
        """Adds the emissions of one pipeline run: a trial of the search, or one that confirms or tests a member."""
        text = csv_text(emissions_rows(study, f"trial-{result.trial}-{why}", result), COLUMNS)
        is_new = not (self.path / EMISSIONS).exists()
        with (self.path / EMISSIONS).open("a", encoding="utf-8") as stream:
            stream.write(text if is_new else text.split("\n", 1)[1])

    def append(self, study: StudySpec, result: TrialResult) -> None:
        """Adds one finished trial, with its emissions."""
        self.append_run(study, "search", result)
        with (self.path / TRIALS).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(trial_document(study, result)) + "\n")

    def finish(self, record: RunRecord) -> None:
        """Writes front and summary."""
        front = front_document(record)
        _replace(self.path / FRONT, _json(front))
        _replace(self.path / FRONT_CSV, csv_text(front_rows(front)))
        _replace(self.path / SUMMARY, _json(summary_document(record)))

    def study(self) -> StudySpec:
        """The study as it was settled."""
        if not self.holds_a_run:
            siblings = [p.name for p in self.path.parent.glob("*/")] if self.path.parent.is_dir() else []
            raise StudyError(f"{self.path} holds no run", nearest(self.path.name, siblings))
        return parse_study(yaml.safe_load((self.path / STUDY).read_text(encoding="utf-8")), str(self.path / STUDY))

    def space(self) -> dict[str, Any]:
        """The search space as it was searched."""
        document: dict[str, Any] = yaml.safe_load((self.path / SPACE).read_text(encoding="utf-8"))
        return document

    def results(self) -> list[TrialResult]:
        """Finished trials, in the order in which they finished. A last line that was cut off is cut away."""
        file = self.path / TRIALS
        if not file.exists():
            return []
        whole, newline, torn = file.read_bytes().rpartition(b"\n")
        if torn:
            os.truncate(file, len(whole + newline))
        return [TrialResult.from_json(json.loads(line)) for line in whole.splitlines() if line]

    def front(self) -> dict[str, Any]:
        """The front document. StudyError where the run has none yet."""
        return self._document(FRONT)

    def summary(self) -> dict[str, Any]:
        """The summary document. StudyError where the run has none yet."""
        return self._document(SUMMARY)

    def has_summary(self) -> bool:
        """Has a session of this run come to its end?"""
        return (self.path / SUMMARY).is_file()

    def _document(self, name: str) -> dict[str, Any]:
        self.study()  # says what is wrong where there is no run at all
        if not (self.path / name).is_file():
            raise StudyError(f"the run in {self.path} has no {name} yet", "let `optimize` come to its end")
        document: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        return document


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, text)
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror}", "choose another path") from error


def _replace(path: Path, text: str) -> None:
    """A reader sees the old file or the new one, never half of it."""
    draft = path.with_name(path.name + ".part")
    with draft.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, path)


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _yaml(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
