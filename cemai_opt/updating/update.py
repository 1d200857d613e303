"""Updates a deployed model with new labelled rows, or keeps it, whichever is expected to be worth its grams."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from cemai_opt.core.batch import BoolArray, FloatArray, group_starts
from cemai_opt.core.config_file import read_config_file
from cemai_opt.core.errors import CemaiError, StudyError
from cemai_opt.core.files import lock_now, sha256_of_file, sha256_of_path
from cemai_opt.datasets import Dataset, newest_rows, read_labelled_rows
from cemai_opt.deploy.export import check_free
from cemai_opt.deploy.model_document import HistoryRows, ModelDocument
from cemai_opt.deploy.model_folder import (
    CARD,
    CONFIG,
    SIDECAR,
    TrainedModel,
    load_model,
    read_sidecar,
    write_sidecar,
)
from cemai_opt.deploy.scoring import MIN_UNITS, scored
from cemai_opt.deploy.unit_errors import UnitErrors
from cemai_opt.meters import open_meters
from cemai_opt.pipeline import Recorder
from cemai_opt.runs import RunFolder
from cemai_opt.runs.machine import PACKAGE, library_versions
from cemai_opt.runs.run_folder import write_file
from cemai_opt.updating.candidates import (
    TEST_SHARE,
    Deployed,
    Incoming,
    Made,
    check_unchanged,
    continued,
    refitted,
    scorers_of,
    searched,
    why_not_continue,
)
from cemai_opt.updating.card import with_updates
from cemai_opt.updating.log import KEPT, LOG, REJECTED, REPLACED, HeldOut, UpdateEntry, UpdateLog
from cemai_opt.updating.policy import CONTINUE, KEEP, REFIT, SEARCH, Choice, Situation, choose, is_worse

CHECK, TRAIN, FILES = "check", "train", "files"
"""Phases of an update: scoring the new rows, training, and writing and comparing models."""
SEARCH_SHARE = 0.5
"""Share of the grams of the earlier search that a search from its front may spend, unless a budget is given."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """The run whose front a search may start from, and its budget in grams, by default a share of that run's."""

    run: Path
    budget_g: float | None = None


@dataclass(frozen=True, kw_only=True)
class Updated:
    """The entry of the log that an update wrote, or the earlier one if it has seen the same rows before."""

    entry: UpdateEntry
    is_repeated: bool = False
    whole_process_g: float | None = None
    """Grams of the process so far, its start and libraries included, if the meters count them."""
    notes: tuple[str, ...] = ()


def update_model(
    folder: Path,
    data: Path,
    *,
    decide: Callable[[Situation], Choice] = choose,
    search: Search | None = None,
    ignore: tuple[str, ...] = (),
    on_phase: Callable[[str], None] = lambda phase: None,
) -> Updated:
    """Scores the model in `folder` on the new rows in `data`, decides, acts, and logs all of it in the folder.

    `decide` is the policy, by default `choose` with its default rules. A new model replaces the old one, which is kept
    as `<folder>.previous`, unless it is worse on the newest rows.
    StudyError if the folder holds no model that can be updated, or the data is not what the model needs.
    """
    folder = folder.resolve()
    read_sidecar(folder)  # StudyError unless it is a model
    with _locked(folder):
        model = load_model(folder)
        if model.document.test.errors is None or not model.document.training.rows:
            raise StudyError(f"{folder} is of an earlier version, which kept no errors", "export the model again")
        return _Update(folder, data.resolve(), model=model, ignore=ignore, search=search, on_phase=on_phase).run(decide)


class _Update:
    """One update of a model in a folder that is locked."""

    def __init__(
        self,
        folder: Path,
        data: Path,
        *,
        model: TrainedModel,
        ignore: tuple[str, ...],
        search: Search | None,
        on_phase: Callable[[str], None],
    ) -> None:
        self._folder, self._data, self._model, self._search = folder, data, model, search
        self._ignore, self._on_phase = ignore, on_phase
        self._previous = folder.with_name(f"{folder.name}.previous")
        self._log = UpdateLog.read(folder)
        self._meters = open_meters("auto", "cpu", threads=model.scorer.task.threads)
        if self._log.entries and self._log.entries[-1].model != sha256_of_file(folder / SIDECAR):
            raise StudyError(f"{folder / LOG} is the log of another model", f"move {LOG} away to begin a new one")
        for draft in folder.parent.glob(f".{folder.name}-*.next"):  # of an update that was killed: the lock is ours
            shutil.rmtree(draft, ignore_errors=True)

    def run(self, decide: Callable[[Situation], Choice]) -> Updated:
        """Checks, decides and acts."""
        recorder = Recorder(self._meters)
        with recorder.stage(CHECK):
            newest = self._rows(self._data, self._model)
            digest = sha256_of_path(self._data)
            seen = (newest.digest, digest)
            known = [entry for entry in self._log.entries if entry.data_digest in seen or entry.data_sha256 in seen]
            if known:
                return Updated(entry=known[0], is_repeated=True)
            self._check_new_file()
            judged, notes = _judged(newest, self._model.document.history)
            score, errors = scored(self._model, newest, wanted=judged)
            held_out = newest_rows(newest.group, newest.order, share=TEST_SHARE)
            situation = self._situation(errors, newest.y[newest.has_target & ~held_out])
            choice = decide(situation)
        checked = recorder.recording().cost
        entry = UpdateEntry(
            number=0,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            product=f"{PACKAGE} {library_versions()[PACKAGE]}",
            data=str(self._data),
            data_digest=newest.digest,
            data_sha256=digest,
            rows=int(newest.has_target.sum()),
            score=score,
            score_name=self._model.scorer.task.score,
            errors=errors,
            expected=choice.expected,
            drift=choice.drift,
            gains=choice.gains,
            expected_j=situation.energy_j,
            choice=choice.action,
            reason=choice.reason,
            outcome=KEPT,
            held_out=None,
            energy_j={CHECK: checked.energy_j},
            carbon_g=self._model.carbon.grams(checked.energy_j),
            uncertainty_g=self._model.carbon.grams(checked.uncertainty_j),
            model=sha256_of_file(self._folder / SIDECAR),
        )
        if choice.action != KEEP:
            self._on_phase(f"{choice.action} is expected to be worth its grams")
            entry = self._acted(entry, newest, held_out=held_out)
        if entry.outcome != REPLACED:
            self._log.with_entry(entry).append_last(self._folder)
        own = [meter for meter in self._meters if meter.counts_whole_process]
        whole_g = self._model.carbon.grams(math.fsum(meter.peek_j() for meter in own)) if own else None
        return Updated(
            entry=UpdateLog.read(self._folder).entries[-1], whole_process_g=whole_g, notes=(*newest.notes, *notes)
        )

    def _rows(self, path: Path, model: TrainedModel) -> Dataset:
        document = model.document
        return read_labelled_rows(
            path,
            replace(document.schema, left_out=(*document.schema.left_out, *self._ignore)),
            classes=document.classes,
            horizon=document.horizon,
            clip_target=document.clip_target,
        )

    def _check_new_file(self) -> None:
        """StudyError if the file is one that the model was made of, or that held the rows of an earlier update."""
        for entry in self._log.entries:
            if entry.data == str(self._data):
                raise StudyError(
                    f"{self._data} held other rows in update {entry.number}", "give each update a new file"
                )
        if self._data.name in (self._folder / CONFIG).read_text(encoding="utf-8"):
            study, _ = read_config_file(self._folder / CONFIG)
            if str(self._data) in study.data.paths:
                raise StudyError(f"the model was trained on {self._data}", "an update needs rows that it has not seen")

    def _incoming(self, newest: Dataset, held_out: BoolArray) -> Incoming:
        """All rows that the model was not trained on."""
        made, earlier = self._log.last_made, self._log.since_made
        read = [*([made] if made is not None else []), *earlier]
        rows = [self._rows(Path(entry.data), self._model) for entry in read]
        train = [part.has_target for part in (*rows, newest)]
        train[-1] = train[-1] & ~held_out
        if made is not None:
            train[0] = train[0] & newest_rows(rows[0].group, rows[0].order, share=TEST_SHARE)
        return Incoming(
            paths=(*(entry.data for entry in earlier), str(self._data)),
            rows=(*rows, newest),
            train=tuple(train),
            held_out=held_out,
        )

    def _situation(self, errors: UnitErrors, y: FloatArray) -> Situation:
        """What is known, from the log and the newest rows alone; `y`: (n_rows,) targets of those to train on."""
        document, earlier, made = self._model.document, self._log.since_made, self._log.last_made
        n_known = document.training.rows
        first = made.expected if made is not None else document.test.errors
        assert first is not None, "the caller has checked the document"
        assert n_known is not None, "the caller has checked the document"
        tried = max((i + 1 for i, entry in enumerate(earlier) if entry.outcome == REJECTED), default=0)
        n_held_out = made.held_out.rows if made is not None and made.held_out is not None else 0
        n_new = n_held_out + sum(entry.rows for entry in earlier) + len(y)
        files_j, per_row_j = document.training.files_j, document.training.energy_j / n_known
        energy_j = {REFIT: files_j + per_row_j * (n_known + n_new)}
        if not why_not_continue(self._model, y):
            energy_j[CONTINUE] = files_j + per_row_j * n_new
        if self._search is not None:
            energy_j[SEARCH] = self._budget_g(self._search) / self._model.carbon.grams(1.0)
        is_settled = any(entry.expected != first for entry in earlier)
        return Situation(
            expected=earlier[-1].expected if earlier else first,
            newest=errors,
            recent=sum((entry.errors for entry in earlier), start=errors),
            n_known=n_known,
            n_new=sum(entry.rows for entry in earlier[tried:]) + len(y) if tried else n_new,
            energy_j=energy_j,
            is_exact=all(scorer.model.partial_fit_is_exact for scorer in scorers_of(self._model)),
            last=made.choice if made is not None and not is_settled else "",
            n_drifted=self._log.drifted_rows,
        )

    def _budget_g(self, search: Search) -> float:
        if search.budget_g is not None:
            return search.budget_g
        return SEARCH_SHARE * RunFolder(search.run).summary().search.carbon_g

    def _acted(self, entry: UpdateEntry, newest: Dataset, *, held_out: BoolArray) -> UpdateEntry:
        """Makes a new model, compares it with the present one, and puts it into its place if it is not worse."""
        check_unchanged(self._log.entries)
        check_free(self._previous, own=(LOG,))
        draft = self._folder.with_name(f".{self._folder.name}-{os.getpid()}.next")
        start_j = math.fsum(meter.peek_j() for meter in self._meters)
        incoming = self._incoming(newest, held_out)
        if entry.choice == CONTINUE and (why := why_not_continue(self._model, incoming.y)):
            entry = replace(entry, choice=REFIT, reason=f"{entry.reason}; it cannot continue: {why}")
        try:
            before, errors_before = scored(self._model, newest, wanted=held_out, paired=True)
            made = self._made(entry.choice, draft, incoming=incoming)
            new = made.model
            again = newest if new.schema == self._model.schema else self._rows(self._data, new)
            after, errors_after = scored(new, again, wanted=held_out, paired=True)
            here_j = math.fsum(meter.peek_j() for meter in self._meters) - start_j
            energy_j = {**entry.energy_j, TRAIN: made.cost.energy_j, FILES: max(here_j - made.cost.energy_j, 0.0)}
            n_groups = len(np.unique(newest.group[held_out])) if newest.has_groups else 0
            worse = is_worse(errors_before, errors_after, are_blocks=n_groups < MIN_UNITS)
            entry = replace(
                entry,
                held_out=HeldOut(rows=errors_before.n_rows, groups=n_groups, before=before, after=after),
                outcome=REJECTED if worse else REPLACED,
                energy_j=energy_j,
                carbon_g=self._model.carbon.grams(math.fsum(energy_j.values())),
                uncertainty_g=entry.uncertainty_g + self._model.carbon.grams(made.cost.uncertainty_j),
            )
            if worse:
                return replace(entry, expected=sum((e.errors for e in self._log.since_made), start=entry.errors))
            self._replace_by(draft, entry, document=new.document)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return entry

    def _made(self, action: str, draft: Path, *, incoming: Incoming) -> Made:
        deployed = Deployed.of(self._model)
        if action == CONTINUE:
            return continued(deployed, draft, incoming=incoming)
        if action == REFIT:
            return refitted(deployed, draft, incoming=incoming)
        assert self._search is not None, "only with a run is a search possible"
        run, budget_g = self._search.run, self._budget_g(self._search)
        out = self._folder.with_name(f"{self._folder.name}.search-{len(self._log.entries) + 1}")
        self._on_phase(f"searching again from the front of {run}, in {out}")
        return searched(deployed, draft, incoming=incoming, run=run, out=out, budget_g=budget_g)

    def _replace_by(self, draft: Path, entry: UpdateEntry, *, document: ModelDocument) -> None:
        """Puts the new model, with its card and its log, into the place of the present one, which is kept."""
        log = self._log.with_entry(entry)
        if (draft / CARD).is_file():
            write_file(draft / CARD, with_updates((draft / CARD).read_text(encoding="utf-8"), log.entries))
        write_sidecar(draft, replace(document, files={}))
        log = self._log.with_entry(replace(entry, model=sha256_of_file(draft / SIDECAR)))
        log.write(draft)
        check_free(self._previous, own=(LOG,))  # again: training takes a while
        shutil.rmtree(self._previous, ignore_errors=True)
        self._folder.rename(self._previous)
        draft.rename(self._folder)


def _judged(rows: Dataset, history: HistoryRows) -> tuple[BoolArray, tuple[str, ...]]:
    """The rows, (n_rows,), by which the model is judged, and a note.

    These are all that have a target; where rows continue a series, those whose features have all their earlier rows in
    the file, if there are any: others are predicted worse than they would be, which looks like drift.
    """
    if not history.continues or not history.rows:
        return rows.has_target, ()
    place = np.arange(len(rows.y)) - group_starts(rows.group)
    is_whole: BoolArray = rows.has_target & (place >= history.rows)
    if not is_whole.any():
        what = f"no row has the {history.rows} rows before it that features look back"
        return rows.has_target, (f"{what}: give longer files, or scores are too low",)
    return is_whole, ()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """A lock on the folder itself. CemaiError if another update holds it, or where folders cannot be locked."""
    if os.name != "posix":
        raise CemaiError("`update` locks a folder, which this system cannot", "run it on Linux or macOS")
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if not _is_locked_now(descriptor, folder):
            raise CemaiError(f"another update of {folder} is running", "wait for it")
        yield
    finally:
        os.close(descriptor)


def _is_locked_now(descriptor: int, folder: Path) -> bool:
    """Locks a folder; False if another process holds it, or has replaced the folder meanwhile."""
    try:
        lock_now(descriptor)
    except BlockingIOError:
        return False
    return os.fstat(descriptor).st_ino == folder.stat().st_ino
