"""The files of a run: one writer, any number of readers."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.result import FAILED, TrialResult
from cemai_opt.runs import RunFolder
from cemai_opt.runs.run_folder import EMISSIONS, FRONT_CSV, STUDY, TRIALS, csv_text, write_file
from cemai_opt.testing.searches import space_of, study_of
from tests.results import FRONT, J_PER_G, run_of, trial

SPACE = space_of(("ridge",)).locked("0123456789ab")


@pytest.fixture
def written(tmp_path: Path) -> RunFolder:
    """A run of four trials that has ended."""
    folder = RunFolder(tmp_path / "run")
    with folder.writing(study_of(), SPACE):
        for result in FRONT:
            folder.append(study_of(), result, driver_j=float(result.trial))
        folder.finish(run_of(*FRONT, finals={1: FRONT[1]}))
    return folder


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[RunFolder]:
    """A folder that a search is writing to."""
    folder = RunFolder(tmp_path / "run")
    with folder.writing(study_of(), SPACE):
        yield folder


def contents(folder: RunFolder) -> dict[str, bytes]:
    """Every file, byte by byte."""
    return {path.name: path.read_bytes() for path in folder.path.iterdir()}


def read_everything(folder: RunFolder) -> None:
    """Every document of the run."""
    for read in (folder.study, folder.space, folder.results, folder.members, folder.front, folder.summary):
        read()
    folder.ledger(), folder.last_driver_j(), folder.last_spent_j()


def test_what_was_written_is_what_is_read(written: RunFolder) -> None:
    """Study, space, trials, members, front and summary."""
    record = run_of(*FRONT, finals={1: FRONT[1]})
    assert written.study() == study_of()
    assert written.space() == SPACE
    assert written.results() == list(FRONT)
    assert written.members().tested == (FRONT[1],)
    assert written.front() == record.front
    assert written.summary().search == record.summary.search
    assert written.ledger() == tuple(record.spent)
    assert written.last_driver_j() == 3.0


def test_a_second_writer_is_refused_and_told_who_the_first_is(open_folder: RunFolder) -> None:
    """It writes nothing, and the first one goes on."""
    before = contents(open_folder)
    with (
        pytest.raises(StudyError, match=rf"a search is running in .* \(process {os.getpid()}\)"),
        RunFolder(open_folder.path).writing(study_of(), SPACE),
    ):
        pass
    assert contents(open_folder) == before
    open_folder.append(study_of(), FRONT[0])
    assert open_folder.results() == [FRONT[0]]


def test_the_next_writer_goes_on_where_the_last_one_ended(written: RunFolder) -> None:
    """The lock is free, and the trials are still there."""
    with written.writing(study_of(), SPACE):
        written.append(study_of(), trial(4, 0.1, 1.0))
    assert [result.trial for result in written.results()] == [0, 1, 2, 3, 4]


def test_a_reader_ignores_a_line_that_is_being_written_and_leaves_it(written: RunFolder) -> None:
    """Its writer may just be about to end it."""
    with (written.path / TRIALS).open("a") as stream:
        stream.write('{"trial": 4, "sta')
    before = contents(written)
    assert written.results() == list(FRONT)
    assert written.last_driver_j() == 3.0
    assert contents(written) == before


def test_a_writer_removes_the_line_that_a_killed_one_left(written: RunFolder) -> None:
    """The next trial starts on a line of its own."""
    with (written.path / TRIALS).open("a") as stream:
        stream.write('{"trial": 4, "sta')
    with written.writing(study_of(), SPACE):
        written.append(study_of(), trial(4, 0.1, 1.0))
    assert [result.trial for result in written.results()] == [0, 1, 2, 3, 4]


def test_readers_change_no_file(written: RunFolder) -> None:
    """Also while a search is writing."""
    before = contents(written)
    reader = RunFolder(written.path)
    read_everything(reader)
    reader.check_usable(study_of())
    assert contents(written) == before


def test_a_folder_belongs_to_one_study(written: RunFolder) -> None:
    """More trials of the same one are welcome; another seed is another study."""
    written.check_usable(study_of(trials=999))
    with pytest.raises(StudyError, match="holds the run of another study"):
        written.check_usable(study_of(seed=1))


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    """A file as well; an empty folder or none is fine."""
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudyError, match="is a file"):
        RunFolder(tmp_path / "file").check_usable(study_of())
    with pytest.raises(StudyError, match="is not empty, and holds no run"):
        RunFolder(tmp_path / "full").check_usable(study_of())
    for name in ("empty", "new"):
        RunFolder(tmp_path / name).check_usable(study_of())


@pytest.mark.parametrize("name", [STUDY, "space.lock.yaml", TRIALS, "front.json", "summary.json"])
@pytest.mark.parametrize("damage", [b"{\n", b"[]\n", b"\xff\xfe\n", b"17\n"])
def test_a_damaged_file_is_named(written: RunFolder, name: str, damage: bytes) -> None:
    """No error of a parser comes through."""
    (written.path / name).write_bytes(damage)
    with pytest.raises(StudyError, match=name.replace(".", r"\.")):
        read_everything(written)


@pytest.mark.parametrize("damage", [b"{\n", b"[]\n", b"\xff\xfe\n", b"17\n"])
def test_a_run_goes_on_without_what_can_be_measured_again(written: RunFolder, damage: bytes) -> None:
    """The file is named."""
    for name in ("confirmed.json", "spent.json", "summary.json"):
        (written.path / name).write_bytes(damage)
    assert (written.members().confirmed, written.last_spent_j(), written.ledger()) == ((), 0.0, ())
    assert [note.split(" is damaged")[0].rsplit("/", 1)[1] for note in written.damaged] == [
        "confirmed.json",
        "spent.json",
        "summary.json",
    ]


def test_a_run_without_a_front_asks_for_patience(open_folder: RunFolder) -> None:
    """A folder without a run asks for another one."""
    assert open_folder.results() == []
    assert open_folder.members().confirmed == ()
    assert (open_folder.ledger(), open_folder.last_driver_j(), open_folder.last_spent_j()) == ((), 0.0, 0.0)
    with pytest.raises(StudyError, match=r"has no front\.json yet"):
        open_folder.front()
    with pytest.raises(StudyError, match=r"runn holds no run \(did you mean 'run'\?\)"):
        RunFolder(open_folder.path.with_name("runn")).front()


def test_all_joules_so_far_are_known_after_a_kill(open_folder: RunFolder) -> None:
    """The last number counts."""
    open_folder.keep_spent(1.5)
    open_folder.keep_spent(2.25)
    assert RunFolder(open_folder.path).last_spent_j() == 2.25


def test_emissions_have_one_header_and_a_row_for_each_stage_that_ran(written: RunFolder) -> None:
    """Those of a test are added to those of the search, and say why they ran."""
    written.append_run(study_of(), FRONT[1], why="test")
    with (written.path / EMISSIONS).open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 2 * len(FRONT) + 2
    assert [row["run_id"] for row in rows[-3:]] == ["trial-3-search", "trial-1-test", "trial-1-test"]
    assert sum(float(row["emissions"]) for row in rows[:2]) == pytest.approx(FRONT[0].spent.energy_j / J_PER_G / 1000)


def test_members_are_kept_in_the_order_of_their_trials(open_folder: RunFolder) -> None:
    """The same results give the same file."""
    measured: dict[int, TrialResult] = {i: replace(FRONT[i], repeats_j=(1.0, 2.0)) for i in (2, 0)}
    open_folder.keep_members(measured, {1: FRONT[1]})
    assert [result.trial for result in open_folder.members().confirmed] == [0, 2]


def test_a_front_is_a_table_too(written: RunFolder) -> None:
    """Its grams of stages add up to those of the member."""
    table = pd.read_csv(written.path / FRONT_CSV)
    assert table["trial"].tolist() == [0, 1, 2]
    assert (table["clean_carbon_g"] + table["train_carbon_g"]).tolist() == pytest.approx(table["carbon_g"].tolist())


def test_documents_are_json_that_every_parser_reads(tmp_path: Path) -> None:
    """An empty front included."""
    folder = RunFolder(tmp_path / "run")
    with folder.writing(study_of(), SPACE):
        folder.finish(run_of(trial(0, None, 1.0, state=FAILED)))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    for name in ("front.json", "summary.json", "confirmed.json"):
        json.loads((folder.path / name).read_text(), parse_constant=refuse)
    assert len(folder.front()) == 0


def test_rows_of_a_frame_are_kept_with_the_run(tmp_path: Path) -> None:
    """Names of columns become text; the folder is still free for a run."""
    folder = RunFolder(tmp_path / "run")
    path = folder.keep_rows(pd.DataFrame({0: [1.0, 2.0], "y": ["a", None]}))
    assert pd.read_parquet(path).columns.tolist() == ["0", "y"]
    folder.check_usable(study_of())


def test_a_file_that_cannot_be_written_is_an_error_with_its_path(tmp_path: Path) -> None:
    """A folder is made where there is none."""
    write_file(tmp_path / "new" / "a.txt", "text")
    assert (tmp_path / "new" / "a.txt").read_text() == "text"
    with pytest.raises(StudyError, match=r"cannot write .*b\.txt"):
        write_file(tmp_path / "new" / "a.txt" / "b.txt", "text")


def test_a_table_without_rows_has_the_header_that_is_known() -> None:
    """And cells with commas are quoted."""
    assert csv_text([], ["a", "b"]) == "a,b\n"
    assert csv_text([{"a": "x,y", "b": 1}]) == 'a,b\n"x,y",1\n'
