"""Files that are whole or not there, whatever happens meanwhile."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.files import (
    atomic_file,
    atomic_folder,
    drop_partial_line,
    sha256_of,
    sha256_of_file,
    try_lock,
    write_atomic,
)

HOLD = "import sys; from pathlib import Path; from cemai_opt.core.files import try_lock\n"
HOLD += "lock = try_lock(Path(sys.argv[1])); print('held' if lock else 'refused', flush=True); sys.stdin.read()"

leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
documents = st.dictionaries(st.text(max_size=3), leaves | st.dictionaries(st.text(max_size=3), leaves, max_size=3))


def interrupted_write(path: Path) -> None:
    """A writer that is stopped in the middle."""
    with atomic_file(path) as stream:
        stream.write(b"half of the n")
        raise KeyboardInterrupt


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """Not even the draft."""
    path = tmp_path / "front.json"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        interrupted_write(path)
    assert [file.name for file in tmp_path.iterdir()] == ["front.json"]
    assert path.read_text() == "old"


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """Also a reader that comes while it is written."""
    path = tmp_path / "front.json"
    path.write_text("old")
    with atomic_file(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("is_durable", [True, False])
def test_text_is_written_as_utf_8_and_bytes_as_they_are(tmp_path: Path, is_durable: bool) -> None:
    """On every system."""
    write_atomic(tmp_path / "text", "Späne, 30 µm", is_durable=is_durable)
    write_atomic(tmp_path / "bytes", b"\x00\xff", is_durable=is_durable)
    assert (tmp_path / "text").read_bytes() == "Späne, 30 µm".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff"


def interrupted_folder(path: Path, draft: Path) -> None:
    """A writer of a folder that is stopped after the first file."""
    with atomic_folder(path, draft=draft) as folder:
        (folder / "one").write_text("1")
        raise KeyboardInterrupt


def test_an_interrupted_folder_is_no_folder(tmp_path: Path) -> None:
    """Neither under its own name nor as a draft."""
    with pytest.raises(KeyboardInterrupt):
        interrupted_folder(tmp_path / "model", tmp_path / "draft")
    assert not list(tmp_path.iterdir())


def test_a_folder_appears_with_all_its_files(tmp_path: Path) -> None:
    """And not before the last one is written."""
    with atomic_folder(tmp_path / "model", draft=tmp_path / "draft") as folder:
        (folder / "one").write_text("1")
        assert not (tmp_path / "model").exists()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["model", "model/one"]


def test_a_folder_with_files_is_never_replaced(tmp_path: Path) -> None:
    """The one that was first stays."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "one").write_text("first")
    with pytest.raises(OSError), atomic_folder(tmp_path / "model", draft=tmp_path / "draft") as folder:  # noqa: PT011  # any
        (folder / "one").write_text("second")
    assert (tmp_path / "model" / "one").read_text() == "first"
    assert not (tmp_path / "draft").exists()


@given(st.lists(st.binary(max_size=8).map(lambda line: line.replace(b"\n", b""))), st.binary(max_size=8))
def test_only_a_last_line_without_its_end_is_dropped(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], rest: bytes
) -> None:
    """Every whole line stays, byte by byte."""
    path = tmp_path_factory.mktemp("lines") / "trials.jsonl"
    whole = b"".join(line + b"\n" for line in lines)
    path.write_bytes(whole + rest.replace(b"\n", b""))
    drop_partial_line(path)
    assert path.read_bytes() == whole


def test_a_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    """The next one gets it when the first lets go."""
    first = try_lock(tmp_path / "run.lock")
    assert first is not None
    assert try_lock(tmp_path / "run.lock") is None
    first.close()
    again = try_lock(tmp_path / "run.lock")
    assert again is not None
    again.close()


def test_a_killed_process_holds_no_lock(tmp_path: Path) -> None:
    """Nobody has to delete a file by hand."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert try_lock(tmp_path / "run.lock") is None
        os.kill(holder.pid, signal.SIGKILL)
    lock = try_lock(tmp_path / "run.lock")
    assert lock is not None
    lock.close()


@given(documents, st.randoms(use_true_random=False))
def test_a_digest_does_not_know_the_order_of_keys(document: dict[str, object], random: object) -> None:
    """The same values are the same document."""
    items = list(document.items())
    random.shuffle(items)  # type: ignore[attr-defined]  # a random.Random
    assert sha256_of(dict(items)) == sha256_of(document)


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (1, "1"), (None, "null"), ([], {}), ([1, 2], [2, 1])])
def test_values_that_read_differently_have_different_digests(one: object, other: object) -> None:
    """A whole number is no truth, and a list has an order."""
    assert sha256_of(one) != sha256_of(other)


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    """As `sha256sum` prints it."""
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert sha256_of_file(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()
